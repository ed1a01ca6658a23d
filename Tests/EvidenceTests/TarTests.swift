import Evidence
import Foundation
import Testing

@Suite("Tar archives")
struct TarTests {
    private let one: Case

    init() throws {
        one = try Case()
    }

    private func pack(_ build: (TarWriter) throws -> Void) throws -> [UInt8] {
        let name = UUID().uuidString
        let tar = TarWriter(try ByteFile.creating(one.file(name)))
        try build(tar)
        try tar.finish()
        return try one.read(name)
    }

    private func names(_ bytes: [UInt8]) throws -> [String] {
        try one.write(bytes, to: "in.tar")
        let reader = TarReader(try ByteFile.reading(one.file("in.tar")))
        var names: [String] = []
        while let header = try reader.next() { names.append(header.path) }
        return names
    }

    /// Gives a header another name or kind, and the sum that fits.
    private func forge(_ bytes: [UInt8], name: String? = nil, kind: UInt8? = nil, size: String? = nil) -> [UInt8] {
        var bytes = bytes
        if let name { bytes.replaceSubrange(0..<100, with: Array(name.utf8) + Array(repeating: 0, count: 100 - name.utf8.count)) }
        if let kind { bytes[156] = kind }
        if let size { bytes.replaceSubrange(124..<136, with: Array(size.utf8) + [0]) }
        bytes.replaceSubrange(148..<156, with: Array(repeating: 0x20, count: 8))
        let sum = String(bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        bytes.replaceSubrange(148..<154, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8))
        bytes[154] = 0
        return bytes
    }

    @Test("long names and empty files go through")
    func longNames() throws {
        let long = (0..<6).map { _ in String(repeating: "a", count: 35) }.joined(separator: "/")
        let bytes = try pack { tar in
            try tar.add("a", [])
            try tar.add(long, [1, 2, 3])
            try tar.add("b/" + String(repeating: "c", count: 120), Array(repeating: 7, count: 1024))
        }
        #expect(try names(bytes) == ["a", long, "b/" + String(repeating: "c", count: 120)])
    }

    @Test(
        "names that leave the folder are refused, on both ways",
        arguments: ["../a", "/etc/passwd", "a/../../b", "a//b", "./a", "a/.", "..", "C:\\a", "a\\b", "a b", "a\u{202E}b", ""])
    func traversal(name: String) throws {
        #expect(!TarReader.isSafe(name))
        #expect(throws: EvidenceError.self) { try pack { try $0.add(name, []) } }
        let bytes = try pack { try $0.add("good", [1]) }
        #expect(throws: EvidenceError.self) { try names(forge(bytes, name: name)) }
    }

    @Test("links, folders, devices and other dialects are refused", arguments: Array("1234567gKLSVZ".utf8))
    func kinds(kind: UInt8) throws {
        let bytes = try pack { try $0.add("good", [1]) }
        #expect(throws: EvidenceError.self) { try names(forge(bytes, kind: kind)) }
    }

    @Test("claims larger than the archive end it; nothing is allocated for them")
    func bombs() throws {
        let bytes = try pack { try $0.add("good", [1]) }
        #expect(throws: EvidenceError.self) { try names(forge(bytes, size: "77777777777")) }
        #expect(throws: EvidenceError.self) { try names(forge(bytes, kind: UInt8(ascii: "x"), size: "77777777777")) }
        #expect(throws: EvidenceError.self) { try names(forge(bytes, size: "-0000000001")) }
    }

    @Test("twice the same name, a missing end, something behind it or between files: refused")
    func structure() throws {
        let twice = try pack { tar in
            try tar.add("a", [1])
            try tar.add("b", [2])
        }
        let second = Array(twice[..<1024]) + Array(twice[..<1024]) + Array(twice.suffix(1024))
        #expect(throws: EvidenceError.self) { try names(second) }
        #expect(throws: EvidenceError.self) { try names(Array(twice.dropLast(1024))) }
        #expect(throws: EvidenceError.self) { try names(twice + [1]) }
        #expect(try names(twice + Array(repeating: 0, count: 4096)) == ["a", "b"])
        var between = twice
        between[600] = 1
        #expect(throws: EvidenceError.self) { try names(between) }
        #expect(throws: EvidenceError.self) { try names([]) }
    }

    @Test("random changes never crash the reader or the verifier")
    func fuzz() async throws {
        try await one.fill()
        try await one.export()
        let whole = try one.read("out.tar")
        var state: UInt64 = 11
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<150 {
            var bytes = whole
            for _ in 0..<1 + random(6) {
                let position = random(bytes.count)
                switch random(3) {
                case 0: bytes[position] = UInt8(random(256))
                case 1: bytes.removeSubrange(position..<min(bytes.count, position + 1 + random(700)))
                default: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 512)], at: position)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            try one.write(bytes, to: "fuzz.tar")
            // Zeros behind the end are what other programs fill their last record with.
            let body = { (bytes: [UInt8]) in bytes.lastIndex { $0 != 0 }.map { bytes[...$0] } ?? [] }
            if body(bytes) != body(whole) { #expect(try !one.verify("fuzz.tar").problems.isEmpty) }
        }
    }
}

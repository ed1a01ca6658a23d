import Foundation
import Testing

@testable import Ingest

@Suite("Compressed logs, byte by byte")
struct GzipReaderTests {
    /// What is compressed, each as one member, at different levels; and the members.
    private static let texts: [[UInt8]] = [
        Array((0..<3_000).map { "203.0.113.\($0 % 256) GET /page/\($0 &* 7919)\n" }.joined().utf8), [], Array("one line\n".utf8),
        (0..<20_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }, Array(repeating: 0x61, count: 100_000),
    ]
    private static func members() throws -> [[UInt8]] {
        let folder = try TemporaryFolder()
        return try texts.enumerated().map { index, text in
            let path = folder.file("\(index)")
            try Data(text).write(to: URL(fileURLWithPath: path))
            try gzip(path)
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + ".gz")))
        }
    }

    private struct Outcome {
        var bytes: [UInt8] = []
        var failure: GzipReader.Failure?
        var isAtEnd = false
        var isWithinMember = false
        var reads = 0
    }

    /// Reads as far as it goes, asking for some bytes at a time and getting some of the file at a time.
    private static func read(_ file: [UInt8], _ generator: inout SeededGenerator, growing cuts: [Int] = []) -> Outcome {
        var outcome = Outcome()
        do {
            let reader = try GzipReader()
            for size in cuts + [file.count] {
                while true {
                    outcome.reads += 1
                    let before = outcome.bytes.count
                    let wanted = Int.random(in: 1...70_000, using: &generator)
                    let most = Int.random(in: 1...70_000, using: &generator)
                    try reader.read(wanted, into: &outcome.bytes) { count, offset, input in
                        input.append(contentsOf: file[min(Int(offset), size)..<min(Int(offset) + min(count, most), size)])
                    }
                    if outcome.bytes.count == before { break }
                }
            }
            (outcome.isAtEnd, outcome.isWithinMember) = (reader.isAtEnd, reader.isWithinMember)
        } catch {
            outcome.failure = error as? GzipReader.Failure ?? .memory
        }
        return outcome
    }

    @Test("members one behind the other give their texts, whatever is asked for at a time, also while they are being written")
    func concatenated() throws {
        let members = try Self.members()
        var generator = SeededGenerator(state: 3)
        for _ in 0..<20 {
            let order = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                Int.random(in: 0..<members.count, using: &generator)
            }
            let file = order.flatMap { members[$0] }
            let cuts = (0..<Int.random(in: 0...5, using: &generator)).map { _ in Int.random(in: 0...file.count, using: &generator)
            }.sorted()
            let outcome = Self.read(file, &generator, growing: cuts)
            let isWhole = outcome.bytes == order.flatMap { Self.texts[$0] }
            #expect(isWhole)
            #expect(outcome.failure == nil && !outcome.isWithinMember)
            let padded = Self.read(file + [0, 0, 0], &generator)
            let isSame = padded.bytes == outcome.bytes
            #expect(isSame && padded.isAtEnd)
        }
    }

    @Test("a file that was cut anywhere gives the beginning of its text, and says that it ends in the middle")
    func truncated() throws {
        let members = try Self.members()
        let file = members[0] + members[2] + members[4]
        let text = Self.texts[0] + Self.texts[2] + Self.texts[4]
        let ends: Set<Int> = [0, members[0].count, members[0].count + members[2].count, file.count]
        var generator = SeededGenerator(state: 4)
        let sampled = (0..<60).map { _ in Int.random(in: 0...file.count, using: &generator) }
        for cut in Set(sampled).union(ends).union(members[0].count - 10...members[0].count + 24).sorted() {
            let outcome = Self.read(Array(file[..<cut]), &generator)
            let isBeginning = text.starts(with: outcome.bytes)
            #expect(outcome.failure == nil && isBeginning)
            #expect(outcome.isWithinMember == !ends.contains(cut), "cut at \(cut)")
        }
    }

    @Test("damage anywhere leaves what stands before it, ends in a reason or in as much as a log could be, and never hangs")
    func damaged() throws {
        let members = try Self.members()
        let first = members[2] + members[0]
        let before = Self.texts[2] + Self.texts[0]
        var generator = SeededGenerator(state: 5)
        var failures = 0
        for _ in 0..<150 {
            var second = members[Int.random(in: 0..<members.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<second.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: second[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 1: second[place] = .random(in: .min ... .max, using: &generator)
                default: if second.count > 1 { second.remove(at: place) }
                }
            }
            let outcome = Self.read(first + second, &generator)
            if outcome.failure != nil { failures += 1 }
            let isThere = outcome.bytes.starts(with: before)
            #expect(outcome.failure != .memory && isThere)
            #expect(outcome.bytes.count < 64 << 20 && outcome.reads < 10_000)
        }
        #expect(failures > 75, "hardly any damage was seen")
    }

    @Test("a file that gives more than a log could is given up within what a log may give", arguments: [1, 40])
    func bomb(_ count: Int) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("zeros")
        try Data(count: (128 << 20) / count).write(to: URL(fileURLWithPath: path))
        try gzip(path)
        let file = Array(
            [[UInt8]](repeating: [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))), count: count).joined())
        var generator = SeededGenerator(state: 6)
        let outcome = Self.read(file, &generator)
        #expect(outcome.failure == .bomb && outcome.bytes.count <= Int(GzipReader.allowance) + 70_000)
    }
}

import Events
import Evidence
import Foundation
import Journal
import Testing

@Suite("The store of evidence")
struct BlobStoreTests {
    private let one: Case

    init() throws {
        one = try Case()
    }

    private func read(_ item: EvidenceItem) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try one.store.read(item) { bytes += $0 }
        return bytes
    }

    private func blobs() throws -> [String] {
        (FileManager.default.enumerator(atPath: one.file("evidence/blobs"))?.allObjects as? [String] ?? []).filter {
            $0.contains("/")
        }.sorted()
    }

    @Test("bytes come back as they were; the same bytes lie there once; nobody reads them without their keys")
    func roundTrip() async throws {
        let plain = try await one.add(Array("hello".utf8), name: "a")
        let again = try await one.add(Array("hello".utf8), name: "b")
        let shell = try await one.add(Array("eval(base64)".utf8), name: "c", isSuspicious: true)
        #expect(plain.sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        #expect(plain.sha256 == again.sha256)
        #expect(plain.id != again.id)
        for (item, text) in [(plain, "hello"), (again, "hello"), (shell, "eval(base64)")] {
            #expect(try read(item) == Array(text.utf8))
        }
        let names = try blobs()
        #expect(names.count == 2)
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(atPath: one.file("evidence/blobs/\(name)"))
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            let text = String(decoding: try one.read("evidence/blobs/\(name)"), as: UTF8.self)
            #expect(!text.contains("eval") && !text.contains("hello"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: one.file("keys/evidence")).count == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: one.file("evidence/incoming")) == [])
    }

    @Test("every changed byte of a blob, a swapped and a missing one are found and named")
    func swapped() async throws {
        let item = try await one.add(Array("evidence".utf8), name: "a")
        let other = try await one.add(Array("anything".utf8), name: "b")
        let names = try blobs()
        let path = try #require(names.first { $0.contains(item.sha256) })
        let second = try #require(names.first { $0.contains(other.sha256) })
        let whole = try one.read("evidence/blobs/\(path)")
        for position in whole.indices {
            var bytes = whole
            bytes[position] ^= 0x10
            try one.write(bytes, to: "evidence/blobs/\(path)")
            let error = #expect(throws: EvidenceError.self) { try read(item) }
            #expect(error?.description.contains(path) == true)
        }
        try one.write(try one.read("evidence/blobs/\(second)"), to: "evidence/blobs/\(path)")
        #expect(throws: EvidenceError.self) { try read(item) }
        await #expect(throws: EvidenceError.self) { try await one.export(.red) }
        #expect(!FileManager.default.fileExists(atPath: one.file("out.tar")))
        try FileManager.default.removeItem(atPath: one.file("evidence/blobs/\(path)"))
        #expect(throws: EvidenceError.self) { try read(item) }
    }

    /// A sparse file: it has the length, not the blocks. CI takes 256 MiB; `script/soak` takes 10 GiB. In a process of its own: the peak
    /// is that of the whole process, with all tests that run beside this one.
    @Test("a large file needs no more memory than a small one")
    func streams() async throws {
        let path = one.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let store = BlobStore(directory: path + "/blobs", keys: path + "/blob-keys")
            let size = UInt64(256 << 20)
            _ = FileManager.default.createFile(atPath: path + "/large", contents: nil)
            guard let handle = FileHandle(forWritingAtPath: path + "/large") else { preconditionFailure("no file") }
            try handle.truncate(atOffset: size)
            try handle.close()
            _ = try store.add(Array(repeating: 1, count: 4 << 20))
            let before = try BlobStoreTests.residentPeak()
            let sealed = try store.add(ByteFile.reading(path + "/large"))
            precondition(sealed.size == size)
            let after = try BlobStoreTests.residentPeak()
            precondition(after - before < 64 << 20)
        }
    }

    /// The most memory this process had, in bytes.
    private static func residentPeak() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }) else {
            throw CocoaError(.fileReadUnknown)
        }
        return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) << 10
    }

    @Test("a key that others may read is refused, and a missing one is not made anew beside its blob")
    func keyFile() async throws {
        let item = try await one.add([1], name: "a", isSuspicious: true)
        let path = one.file("keys/evidence/\(item.sha256)")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: EvidenceError.self) { try read(item) }
        try FileManager.default.removeItem(atPath: path)
        let error = #expect(throws: EvidenceError.self) { try read(item) }
        #expect(error?.description.contains(path) == true)
        // Added once more, the bytes lie under a new key.
        #expect(try one.store.add([1]).sha256 == item.sha256)
        #expect(try read(item) == [1])
    }

    @Test("erased, neither key nor bytes are there, twice is fine, and other blobs are as they were")
    func erase() async throws {
        let item = try await one.add(Array("203.0.113.9".utf8), name: "a")
        let other = try await one.add([2], name: "b")
        let sealed = try one.read("evidence/blobs/\(item.sha256.prefix(2))/\(item.sha256).sealed")
        try one.store.erase(item.sha256)
        try one.store.erase(item.sha256)
        #expect(throws: EvidenceError.self) { try read(item) }
        #expect(try read(other) == [2])
        #expect(try blobs().count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: one.file("keys/evidence")) == [other.sha256])
        // A backup of the blob says nothing any more, not even when the same bytes are added anew.
        _ = try one.store.add(Array("203.0.113.9".utf8))
        #expect(try read(item) == Array("203.0.113.9".utf8))
        try one.write(sealed, to: "evidence/blobs/\(item.sha256.prefix(2))/\(item.sha256).sealed")
        #expect(throws: EvidenceError.self) { try read(item) }
    }

    @Test("many who add the same bytes at once leave one blob that opens")
    func race() async throws {
        let store = one.store
        let hashes = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 { group.addTask { try store.add(Array("the same".utf8)).sha256 } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(hashes.count == 1)
        let item = try await one.add(Array("the same".utf8), name: "a")
        #expect(try read(item) == Array("the same".utf8))
        #expect(try blobs().count == 1)
    }

    @Test("a link, a pipe and more bytes than allowed are refused where others put files")
    func foreign() throws {
        try one.write(Array(repeating: 7, count: 100), to: "file")
        try FileManager.default.createSymbolicLink(atPath: one.file("link"), withDestinationPath: one.file("file"))
        #expect(mkfifo(one.file("pipe"), 0o600) == 0)
        #expect(try ByteFile.readingForeign(one.file("file"), limit: 100).next().count == 100)
        for name in ["link", "pipe", "absent"] {
            #expect(throws: EvidenceError.self) { try ByteFile.readingForeign(one.file(name), limit: 100) }
        }
        #expect(throws: EvidenceError.self) { try ByteFile.readingForeign(one.file("file"), limit: 99).next() }
    }

    @Test("entries wait for a running server, each taken once, others refused")
    func pending() async throws {
        let pending = PendingEntries(evidence: one.file("evidence"))
        let item = try await one.add([1], name: "a")
        try pending.add(item.draft(actor: "uid:0"))
        try pending.add(Custody.viewed.draft(item, recipient: "me", purpose: "triage", actor: "uid:0", at: one.now))
        try one.write(Array("{}".utf8), to: "evidence/pending/x.json")
        try one.write(
            Array(#"{"actor":"a","data":{},"occurred_at":"2026-01-01T00:00:00Z","type":"incident.opened"}"#.utf8),
            to: "evidence/pending/y.json")
        var taken: [String] = []
        try await pending.take { taken.append($0.type) }
        #expect(taken.sorted() == ["evidence.added", "evidence.viewed"])
        try await pending.take { taken.append($0.type) }
        #expect(taken.count == 2)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: one.file("evidence/pending")).sorted() == [
                "x.json.refused", "y.json.refused",
            ])
    }

    @Test(
        "names become harmless",
        arguments: [
            ("../../etc/passwd", "passwd"), ("a b\u{202E}c", "a_b_c"), ("..", "unnamed"), ("", "unnamed"), ("ö.log", "_.log"),
        ])
    func names(name: String, plain: String) {
        #expect(EvidenceItem.plainName(name) == plain)
    }

    @Test("markings are in order")
    func markings() {
        #expect(TrafficLight.allCases.sorted() == [.clear, .green, .amber, .amberStrict, .red])
        #expect(TrafficLight("amber+strict") == .amberStrict)
        #expect(TrafficLight("TLP:WHITE") == nil)
    }
}

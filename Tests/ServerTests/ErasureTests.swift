import Events
import Foundation
import Journal
import Storage
import Testing

@testable import Server

@Suite("Erasing a subject")
struct ErasureTests {
    @Test("what is said about it is gone from every file of tables, rebuild equals live, roots and proofs stay")
    func erase() async throws {
        let world = try World()
        try world.append((0..<6).map { Line.attack($0, from: $0 % 2 == 0 ? "203.0.113.77" : "198.51.100.8") })
        let live = Shared<[String: String]>([:])
        try await withServer(world) { running in live.value = try await running.findings(6) }
        // What a rebuild of an earlier version left.
        try FileManager.default.copyItem(atPath: world.data.projections, toPath: world.data.projections + ".old-1")
        #expect(try filesWith("203.0.113.77", in: world).contains("projections.db.old-1"))

        let key = try KeyFile.readPublic(KeyFile.publicPath(world.data.checkpointKey))
        let reader = TreeReader(journal: world.data.journal)
        let checkpoint = try #require(try reader.checkpoint(key: key))
        let entry = try #require(try JournalReader(directory: world.data.journal, from: 1).next(limit: 1).first)
        let proof = try #require(try reader.proof(of: entry, in: checkpoint, key: key))

        let outcome = try await SubjectEraser.run(
            world.data, subject: Subject(kind: .ip, value: "203.0.113.77"), reason: "asked for", actor: "uid:0",
            now: Timestamp(seconds: 1_790_000_000))
        let sequence = try #require(outcome.sequence)
        #expect(try filesWith("203.0.113.77", in: world) == [])
        #expect(try filesWith("198.51.100.8", in: world).contains("projections.db"))
        let record = try #require(try JournalReader(directory: world.data.journal, from: sequence).next(limit: 1).first)
        #expect(record.type == "subject.erased")
        #expect(record.data["key"]?.stringValue == outcome.keyID)

        // The same entry, the same leaf, the same proof; and the verifier has nothing to say.
        let again = try #require(try JournalReader(directory: world.data.journal, from: 1).next(limit: 1).first)
        #expect(again.canonicalBytes == entry.canonicalBytes)
        #expect(try proof.verify(again.leafHash, key: key).checkpoint == checkpoint.checkpoint)
        let report = try JournalVerifier.verify(
            directory: world.data.journal, trust: .init(key: key, checkpoints: [("before", checkpoint.note.bytes)]))
        #expect(report.tree?.problems == [])

        let after = try await world.findings()
        #expect(after == live.value)
        try await withServer(world) { _ in }
        let before = try rows(of: world.data.projections)
        _ = try await JournalRebuilder.run(world.data) { _ in }
        #expect(try rows(of: world.data.projections) == before)
        #expect(try filesWith("203.0.113.77", in: world) == [])

        let second = try await SubjectEraser.run(
            world.data, subject: Subject(kind: .ip, value: "203.0.113.77"), reason: "again", actor: "uid:0",
            now: Timestamp(seconds: 1_790_000_001))
        #expect(second.sequence == nil)
    }

    /// Files of the data folder in which a text stands; the snapshot of detection and the archive forget by themselves (docs/archive.md),
    /// and evidence is not reached by an erasure (docs/evidence.md): they are not among them.
    private func filesWith(_ text: String, in world: World) throws -> [String] {
        let root = world.options.dataFolder
        return try (FileManager.default.enumerator(atPath: root)?.allObjects as? [String] ?? []).sorted().filter { name in
            guard !["detection", "evidence", "archive"].contains(where: name.hasPrefix) else { return false }
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder), !isFolder.boolValue else {
                return false
            }
            return try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(name)")).range(of: Data(text.utf8)) != nil
        }
    }
}

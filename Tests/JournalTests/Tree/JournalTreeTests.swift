import Foundation
import Journal
import Testing

@Suite("The tree beside a journal")
struct JournalTreeTests {
    private let signed: SignedJournal

    init() throws {
        signed = try SignedJournal()
    }

    @Test("grows over restarts; every publication verifies, and every entry has a proof", arguments: [1, 255, 256, 257, 700])
    func grows(count: Int) async throws {
        try await signed.fill(count / 2 + 1)
        try await signed.fill(count - count / 2, from: count / 2 + 1, segmentLimit: 20_000)
        let report = try signed.verify()
        #expect(report.count == UInt64(count + 1))
        #expect(report.tree?.problems == [])
        #expect(report.tree?.checkpoint?.checkpoint == Checkpoint(origin: "log.example/a", size: report.count, root: report.root))

        let reader = TreeReader(journal: signed.path)
        let checkpoint = try #require(try reader.checkpoint(key: signed.signer.key))
        let entries = try JournalReader(directory: signed.path)
        while case let batch = try entries.next(limit: 100), !batch.isEmpty {
            for entry in batch {
                let proof = try #require(try reader.proof(of: entry, in: checkpoint, key: signed.signer.key))
                #expect(
                    try LogProof(parsing: proof.bytes).verify(entry.leafHash, key: signed.signer.key).checkpoint.size
                        == report.count)
            }
        }
    }

    @Test("an earlier size can be proved from today's tiles: the log only grew")
    func consistency() async throws {
        var checkpoints: [Checkpoint] = []
        let (journal, tree) = try signed.open()
        for number in 0..<12 {
            _ = try await journal.append((0..<number * 17 + 1).map { Sample.draft($0) }, at: Sample.start)
            checkpoints.append(try Checkpoint(parsing: try await tree.publish().text))
        }
        let newest = try #require(checkpoints.last)
        #expect(newest.size > 1_000)
        for old in checkpoints {
            let proof = try #require(try tree.prover().consistency(from: old.size))
            #expect(
                MerkleProof.isConsistent(
                    oldSize: old.size, size: newest.size, oldRoot: old.root.bytes, root: newest.root.bytes, proof: proof))
        }
    }

    @Test("without news nothing is written; partial tiles give way to full ones")
    func tidy() async throws {
        let (journal, tree) = try signed.open()
        let empty = try await tree.publish()
        #expect(try Checkpoint(parsing: empty.text).size == 0)
        #expect(try await tree.publish() == empty)
        for _ in 0..<6 {
            _ = try await journal.append((0..<50).map { Sample.draft($0) }, at: Sample.start)
            try await tree.publish()
        }
        #expect(try Files.names(in: signed.file("tlog/tile/0")) == ["000", "001.p"])
        #expect(try Files.names(in: signed.file("tlog/tile/0/001.p")) == ["44"])
        #expect(try Files.names(in: signed.file("tlog/tile/entries")) == ["000", "001.p"])
        #expect(try Files.names(in: signed.file("tlog/tile/1/000.p")) == ["1"])
    }

    @Test("a removed folder of tiles is made again, byte for byte")
    func tilesAreDerived() async throws {
        try await signed.fill(600)
        let before = try contents()
        try FileManager.default.removeItem(atPath: signed.file("tlog/tile"))
        #expect(try !signed.problems().isEmpty)
        let (journal, tree) = try signed.open()
        try await tree.publish()
        await journal.close()
        #expect(try signed.problems() == [])
        let after = try contents()
        for (name, bytes) in after { #expect(before[name] == bytes, "\(name)") }
        #expect(after.keys.contains("tile/0/002.p/88"))
    }

    private func contents() throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: signed.file("tlog")) ?? .init() {
            if let bytes = try? Files.read(signed.file("tlog/\(name)")) { found[name] = bytes }
        }
        return found
    }

    @Test("entries behind the newest checkpoint are no damage: a crash leaves that")
    func crashBeforePublishing() async throws {
        try await signed.fill(300)
        let (journal, _) = try signed.open()
        _ = try await journal.append([Sample.draft(300)], at: Sample.start)
        await journal.close()
        let report = try signed.verify()
        #expect(report.count == 301)
        #expect(report.tree?.problems == [])
        #expect(report.tree?.checkpoint?.checkpoint.size == 300)
        let (_, tree) = try signed.open()
        #expect(try Checkpoint(parsing: try await tree.publish().text).size == 301)
    }

    @Test("a tree that does not belong to the entries keeps the journal from going on")
    func refusedAtOpen() async throws {
        try await signed.fill(10)
        let checkpoint = try Files.read(signed.file("tlog/checkpoint"))
        let other = try SignedJournal()
        try await other.fill(10, from: 1)
        try Files.write(try Files.read(other.file("tlog/checkpoint")), to: signed.file("tlog/checkpoint"))
        try expectRefusal("forked")
        let more = try SignedJournal()
        try await more.fill(11)
        try Files.write(try Files.read(more.file("tlog/checkpoint")), to: signed.file("tlog/checkpoint"))
        try expectRefusal("entries-missing")
        let fewer = try SignedJournal()
        try await fewer.fill(9)
        try Files.write(try Files.read(fewer.file("tlog/checkpoint")), to: signed.file("tlog/checkpoint"))
        try expectRefusal("checkpoint-rolled-back")
        try FileManager.default.removeItem(atPath: signed.file("tlog/checkpoint"))
        try expectRefusal("checkpoint-missing")
        try Files.write(checkpoint, to: signed.file("tlog/checkpoint"))
        _ = try signed.open()
    }

    private func expectRefusal(_ code: String) throws {
        do {
            _ = try signed.open()
            Issue.record("opened: \(code)")
        } catch JournalError.tree(let damage) {
            #expect(damage.code == code)
            #expect(damage.description.contains(signed.file("tlog/checkpoint")))
        }
    }

    @Test("a lost key is not made anew: the log would change hands unseen")
    func lostKey() async throws {
        let path = signed.folder.file("keys/checkpoint")
        let journal = try Journal.open(directory: signed.path, keys: InMemorySubjectKeys())
        let tree = try JournalTree.open(journal: journal, keyPath: path)
        try await tree.publish()
        await journal.close()
        let publicKey = try Files.read(path + ".pub")
        try FileManager.default.removeItem(atPath: path)
        let again = try Journal.open(directory: signed.path, keys: InMemorySubjectKeys())
        let error = #expect(throws: JournalError.self) { _ = try JournalTree.open(journal: again, keyPath: path) }
        #expect(error?.description.contains(path) == true)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try Files.read(path + ".pub") == publicKey)
    }

    @Test("keys are made once, readable by their user only, and refused when others may read them")
    func keyFile() throws {
        let path = signed.folder.file("keys/checkpoint")
        let signer = try KeyFile.readOrMake(path, kind: .ed25519)
        #expect(try KeyFile.readOrMake(path, kind: .ed25519).key == signer.key)
        #expect(try KeyFile.readPublic(KeyFile.publicPath(path)) == signer.key)
        #expect(signer.key.name.hasPrefix("vigie/"))
        for name in ["checkpoint", "checkpoint.pub"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: signed.folder.file("keys/\(name)"))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        #expect(throws: JournalError.self) { try KeyFile.read(path, kind: .cosignature) }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: JournalError.self) { try KeyFile.read(path, kind: .ed25519) }
    }
}

import Foundation
import Journal
import Testing

@Suite("Witnesses")
struct WitnessTests {
    private let signed: SignedJournal
    private let cosigner: NoteSigner
    private let drop: WitnessDrop

    init() throws {
        signed = try SignedJournal()
        cosigner = try NoteSigner(kind: .cosignature, random: Sample.random(4)) { _ in "witness.example/w" }
        try FileManager.default.createDirectory(atPath: signed.folder.file("drop"), withIntermediateDirectories: true)
        drop = WitnessDrop(directory: signed.folder.file("drop"))
    }

    private func witness(_ name: String = "witness") throws -> Witness {
        try Witness(signer: cosigner, logs: [signed.signer.key], directory: signed.folder.file(name))
    }

    private func ask(old: UInt64) throws -> String? {
        let reader = TreeReader(journal: signed.path)
        return try drop.ask(#require(try reader.checkpoint(key: signed.signer.key)), oldSize: old, reader: reader)
    }

    private func collect() throws -> (outcomes: [WitnessDrop.Outcome], seen: UInt64?) {
        try drop.collect(journal: signed.path, log: signed.signer.key, witness: cosigner.key)
    }

    @Test("through a folder: asked, cosigned, kept, and the verifier takes it")
    func roundTrip() async throws {
        try await signed.fill(10)
        _ = try ask(old: 0)
        #expect(try drop.answer(with: witness(), at: 1_790_000_000).map(\.answer) == ["cosigned"])
        #expect(try collect().outcomes.map(\.answer) == ["cosigned by witness.example/w"])
        try await signed.fill(300, from: 10)
        _ = try ask(old: 10)
        #expect(try drop.answer(with: witness(), at: 1_790_000_100).map(\.answer) == ["cosigned"])
        #expect(try collect().outcomes.count == 1)
        #expect(try Files.names(in: signed.folder.file("drop")).isEmpty)

        let reader = TreeReader(journal: signed.path)
        #expect(try reader.keptSizes() == [10, 310])
        for (size, time) in [(10, 1_790_000_000), (310, 1_790_000_100)] as [(UInt64, Int64)] {
            let kept = try #require(try reader.keptCheckpoint(size: size, key: signed.signer.key))
            #expect(try kept.cosigners([cosigner.key]).map(\.time) == [time])
        }
        let report = try signed.verify()
        #expect(report.tree?.problems == [])
        #expect(report.tree?.checkpointCount == 3)
    }

    @Test("asked from a wrong size the witness names the one it saw")
    func conflict() async throws {
        try await signed.fill(10)
        _ = try ask(old: 0)
        _ = try drop.answer(with: witness(), at: 1)
        _ = try collect()
        try await signed.fill(5, from: 10)
        _ = try ask(old: 0)
        #expect(try drop.answer(with: witness(), at: 2).map(\.answer) == ["conflict 10"])
        #expect(try collect().seen == 10)
    }

    @Test("a log that was rewritten, forked or rolled back is refused")
    func forks() async throws {
        try await signed.fill(10)
        let witness = try witness()
        let first = try #require(try TreeReader(journal: signed.path).checkpoint(key: signed.signer.key))
        _ = try witness.cosign(WitnessRequest(oldSize: 0, proof: [], checkpoint: first.note.bytes), at: 1)

        let fork = try SignedJournal()
        try await fork.fill(20, from: 1)
        let reader = TreeReader(journal: fork.path)
        let forked = try #require(try reader.checkpoint(key: signed.signer.key))
        let proof = try #require(try reader.prover(size: 20).consistency(from: 10))
        for proof in [proof, [], proof.dropLast()] {
            #expect {
                try witness.cosign(WitnessRequest(oldSize: 10, proof: Array(proof), checkpoint: forked.note.bytes), at: 2)
            } throws: { error in
                if case Witness.Failure.refused(.inconsistent(seen: 10, size: 20)) = error { true } else { false }
            }
        }
        // A smaller tree under a right signature.
        let small = try Checkpoint(origin: "log.example/a", size: 5, root: .leaf([1])).signed(by: signed.signer)
        #expect(throws: Witness.Failure.self) {
            try witness.cosign(WitnessRequest(oldSize: 10, proof: [], checkpoint: small.bytes), at: 2)
        }
        // A log that nobody told it about.
        let stranger = try NoteSigner(kind: .ed25519, random: Sample.random(7)) { _ in "log.example/a" }
        let unknown = try Checkpoint(origin: "log.example/a", size: 12, root: .leaf([1])).signed(by: stranger)
        #expect(throws: Witness.Failure.self) {
            try witness.cosign(WitnessRequest(oldSize: 10, proof: [], checkpoint: unknown.bytes), at: 2)
        }
        // What it saw has not moved.
        #expect {
            try witness.cosign(WitnessRequest(oldSize: 0, proof: [], checkpoint: first.note.bytes), at: 3)
        } throws: { error in
            if case Witness.Failure.refused(.conflict(seen: 10)) = error { true } else { false }
        }
    }

    @Test("a damaged memory is no reason to begin again; two processes do not share one")
    func memory() async throws {
        try await signed.fill(10)
        let first = try #require(try TreeReader(journal: signed.path).checkpoint(key: signed.signer.key))
        do {
            let witness = try witness()
            _ = try witness.cosign(WitnessRequest(oldSize: 0, proof: [], checkpoint: first.note.bytes), at: 1)
            #expect(throws: JournalError.self) { _ = try self.witness() }
        }
        for name in try Files.names(in: signed.folder.file("witness")) where name != "lock" {
            try Files.write(Array("damaged".utf8), to: signed.folder.file("witness/\(name)"))
        }
        let again = try witness()
        #expect(throws: Witness.Failure.self) {
            try again.cosign(WitnessRequest(oldSize: 0, proof: [], checkpoint: first.note.bytes), at: 2)
        }
    }

    @Test("a link or a pipe planted in the shared folder leads nowhere and holds nobody up")
    func planted() async throws {
        try await signed.fill(3)
        let stem = try #require(try ask(old: 0))
        let target = signed.folder.file("precious")
        try Files.write(Array("precious".utf8), to: target)
        try FileManager.default.createSymbolicLink(
            atPath: signed.folder.file("drop/\(stem).cosignature.new"), withDestinationPath: target)
        #expect(mkfifo(signed.folder.file("drop/0000000000000000.9.request"), 0o600) == 0)
        let outcomes = try drop.answer(with: witness(), at: 1)
        #expect(outcomes.contains { $0.name == stem && $0.answer == "cosigned" })
        #expect(outcomes.contains { $0.name == "0000000000000000.9" && $0.answer.hasPrefix("refused") })
        #expect(try Files.read(target) == Array("precious".utf8))
    }

    @Test("malformed requests and forged answers change nothing")
    func malformed() async throws {
        try await signed.fill(3)
        for text in ["", "old 1", "old x\n\n", "old 01\n\n", "old 0\nxyz\n\nnote", "new 0\n\n"] {
            #expect(throws: NoteError.self) { try WitnessRequest(parsing: Array(text.utf8)) }
        }
        let stem = try #require(try ask(old: 0))
        let impostor = try NoteSigner(kind: .cosignature, random: Sample.random(8)) { _ in "witness.example/w" }
        let checkpoint = try #require(try TreeReader(journal: signed.path).checkpoint(key: signed.signer.key))
        let line = try impostor.sign(checkpoint.note.text, at: 1).line + "\n"
        try Files.write(Array(line.utf8), to: signed.folder.file("drop/\(stem).cosignature"))
        #expect(try collect().outcomes.first?.answer.contains("not valid") == true)
        #expect(try TreeReader(journal: signed.path).keptSizes() == [])
    }
}

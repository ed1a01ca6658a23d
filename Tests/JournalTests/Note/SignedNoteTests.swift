import Journal
import Testing

@Suite("Signed notes")
struct SignedNoteTests {
    private let log: NoteSigner
    private let witness: NoteSigner

    init() throws {
        log = try NoteSigner(kind: .ed25519, random: Sample.random(1)) { _ in "log.example/a" }
        witness = try NoteSigner(kind: .cosignature, random: Sample.random(2)) { _ in "witness.example/w" }
    }

    private func note(size: UInt64 = 1) throws -> SignedNote {
        try Checkpoint(origin: "log.example/a", size: size, root: .leaf([1])).signed(by: log)
    }

    /// The example of the Go package golang.org/x/mod/sumdb/note, the format's first implementation.
    @Test("a published note verifies under its published key, and nothing changed does")
    func published() throws {
        let key = try NoteKey(parsing: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        let text = """
            If you think cryptography is the answer to your problem,
            then you don't know what your problem is.

            \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

            """
        let note = try SignedNote(parsing: Array(text.utf8))
        #expect(try note.verify([key]) == [key])
        #expect(note.bytes == Array(text.utf8))
        for index in text.utf8.indices where text.utf8[index] != 0x0A {
            var bytes = Array(text.utf8)
            bytes[text.utf8.distance(from: text.utf8.startIndex, to: index)] ^= 0x01
            #expect(throws: NoteError.self) { _ = try SignedNote(parsing: bytes).verify([key]) }
        }
    }

    @Test("a cosignature verifies with its time, and not under another's name, kind or text")
    func cosignature() throws {
        var note = try note()
        note.add(try witness.sign(note.text, at: 1_790_000_000))
        let verified = try VerifiedCheckpoint(note.bytes, key: log.key)
        let cosigners = try verified.cosigners([witness.key])
        #expect(cosigners.map(\.witness) == [witness.key])
        #expect(cosigners.map(\.time) == [1_790_000_000])
        #expect(try verified.cosigners([]).isEmpty)

        let other = try SignedNote(parsing: self.note(size: 2).bytes)
        var moved = other
        moved.add(try witness.sign(note.text, at: 1_790_000_000))
        let checkpoint = try VerifiedCheckpoint(moved.bytes, key: log.key)
        #expect(throws: NoteError.self) { _ = try checkpoint.cosigners([witness.key]) }
    }

    @Test("extra signatures change nothing: unknown keys are ignored, even under a known name or id")
    func extraSignatures() throws {
        var note = try note()
        let stranger = try NoteSigner(kind: .ed25519, random: Sample.random(3)) { _ in "log.example/a" }
        note.add(try stranger.sign(note.text, at: 0))
        note.add(SignedNote.Signature(name: "other.example", keyID: log.key.id, bytes: Array(repeating: 7, count: 64)))
        #expect(try note.verify([log.key]) == [log.key])
        #expect(throws: NoteError.self) {
            _ = try SignedNote(text: note.text, signatures: Array(note.signatures.dropFirst())).verify([log.key])
        }
    }

    @Test("a known key's wrong signature spoils the note, even beside a right one")
    func wrongBesideRight() throws {
        var note = try note()
        note.add(SignedNote.Signature(name: log.key.name, keyID: log.key.id, bytes: Array(repeating: 7, count: 64)))
        let error = #expect(throws: NoteError.self) { _ = try note.verify([log.key]) }
        #expect(error?.code == .signature)
    }

    @Test("a checkpoint of another log, signed by a key we know, is refused")
    func keyNameConfusion() throws {
        let note = try Checkpoint(origin: "log.example/b", size: 1, root: .leaf([1])).signed(by: log)
        let error = #expect(throws: NoteError.self) { _ = try VerifiedCheckpoint(note.bytes, key: log.key) }
        #expect(error?.code == .content)
        // A witness's key is no log's, whatever it signed.
        var cosigned = try self.note()
        cosigned.add(try witness.sign(cosigned.text, at: 1))
        #expect(throws: NoteError.self) { _ = try VerifiedCheckpoint(cosigned.bytes, key: witness.key) }
    }

    @Test(
        "malformed notes are refused",
        arguments: [
            "", "\n", "text\n", "text\n\n", "text\n\nno signature\n", "text\n\n\u{2014} name\n", "text\n\n\u{2014} name AAAA\n",
            "text\n\n\u{2014} na+me AAAAAAAA\n", "text\n\n\u{2014}  name AAAAAAAA\n", "text\n\n\u{2014} name AAAAAAAA",
            "te\u{0}xt\n\n\u{2014} name AAAAAAAA\n", "te\rxt\n\n\u{2014} name AAAAAAAA\n", "text\n\n\u{2014} name AAAAAAA\n",
        ])
    func malformed(_ text: String) {
        #expect(throws: NoteError.self) { _ = try SignedNote(parsing: Array(text.utf8)) }
    }

    @Test("bytes that are no UTF-8, too many bytes and too many signatures are refused")
    func limits() {
        let signature = "\u{2014} name AAAAAAAA\n"
        #expect(throws: NoteError.self) { _ = try SignedNote(parsing: [0xFF] + Array("\n\n\(signature)".utf8)) }
        let many = "text\n\n" + String(repeating: signature, count: SignedNote.signatureLimit + 1)
        #expect(throws: NoteError.self) { _ = try SignedNote(parsing: Array(many.utf8)) }
        let long = String(repeating: "x", count: SignedNote.byteLimit) + "\n\n" + signature
        #expect(throws: NoteError.self) { _ = try SignedNote(parsing: Array(long.utf8)) }
    }

    @Test(
        "malformed checkpoints are refused",
        arguments: [
            "log\n1\n", "\n1\nAAAA\n", "log\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "log\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "log\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            "log\n1\nAAAA\n", "log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
            "log\n18446744073709551616\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        ])
    func malformedCheckpoints(_ text: String) {
        #expect(throws: NoteError.self) { _ = try Checkpoint(parsing: text) }
    }

    @Test("a private key shows itself to nobody")
    func secret() throws {
        let secret = log.privateText.split(separator: "+").last.map(String.init) ?? ""
        var dumped = ""
        dump(log, to: &dumped)
        for text in ["\(log)", String(reflecting: log), dumped] { #expect(!text.contains(secret)) }
        #expect(try NoteSigner(parsing: log.privateText).key == log.key)
    }

    @Test("a proof is read as it is written; every change makes it false or unreadable")
    func proofs() throws {
        let leaves = (0..<5).map { MerkleHash.leaf([UInt8($0)]) }
        let prover = MerkleProver(size: 5) { level, index in
            var frontier = MerkleFrontier()
            for leaf in leaves[Int(index) << level..<(Int(index) + 1) << level] { frontier.append(leaf) }
            return frontier.root
        }
        let note = try Checkpoint(origin: "log.example/a", size: 5, root: prover.root()).signed(by: log)
        let proof = LogProof(index: 2, hashes: try #require(try prover.inclusion(of: 2)), checkpoint: note.bytes)
        #expect(try LogProof(parsing: proof.bytes) == proof)
        #expect(try proof.verify(leaves[2], key: log.key).checkpoint.size == 5)
        #expect(throws: NoteError.self) { _ = try proof.verify(leaves[3], key: log.key) }
        for position in proof.bytes.indices {
            for mask in [0x01, 0x80] as [UInt8] {
                var bytes = proof.bytes
                bytes[position] ^= mask
                #expect(throws: NoteError.self, "byte \(position)") {
                    _ = try LogProof(parsing: bytes).verify(leaves[2], key: log.key)
                }
            }
        }
        let extra = Array("c2sp.org/tlog-proof@v1\nextra AAAA\n".utf8) + proof.bytes.dropFirst(23)
        #expect(try LogProof(parsing: extra).verify(leaves[2], key: log.key).checkpoint.size == 5)
    }

    @Test("random bytes never crash a reader")
    func fuzz() throws {
        var generator = SeededGenerator(state: 5)
        let whole = try note().bytes
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: position)
                default: bytes.insert([0x0A, 0x20, 0x2B, 0xE2].randomElement(using: &generator) ?? 0x0A, at: position)
                }
            }
            if let note = try? SignedNote(parsing: bytes) {
                _ = try? Checkpoint(parsing: note.text)
                _ = try? note.verify([log.key])
            }
            _ = try? LogProof(parsing: bytes)
        }
    }
}

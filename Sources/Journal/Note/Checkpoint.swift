/// What a log commits to: its name, how many entries it has, and their root (C2SP tlog-checkpoint).
package struct Checkpoint: Hashable, Sendable {
    package var origin: String
    package var size: UInt64
    package var root: MerkleHash
    /// Lines that others may add; kept as they are.
    package var extensions: [String]

    package init(origin: String, size: UInt64, root: MerkleHash, extensions: [String] = []) {
        self.origin = origin
        self.size = size
        self.root = root
        self.extensions = extensions
    }

    /// Reads the text of a note. That it is signed is for ``SignedNote/verify(_:)`` to say.
    package init(parsing text: String) throws(NoteError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, lines.last == "", !lines[0].isEmpty, lines.dropLast().allSatisfy({ !$0.isEmpty }) else {
            throw NoteError(.form, "a checkpoint has an origin, a size and a root, each on a line")
        }
        guard let size = UInt64(lines[1]), String(size) == lines[1] else {
            throw NoteError(.form, "the checkpoint's size is no number")
        }
        guard let root = Base64.decode(lines[2]).flatMap({ MerkleHash(bytes: $0) }) else {
            throw NoteError(.form, "the checkpoint's root is no hash")
        }
        self.init(origin: String(lines[0]), size: size, root: root, extensions: lines[3...].dropLast().map(String.init))
    }

    package var text: String {
        ([origin, String(size), root.base64] + extensions).map { $0 + "\n" }.joined()
    }

    package func signed(by signer: NoteSigner) throws(NoteError) -> SignedNote {
        SignedNote(text: text, signatures: [try signer.sign(text, at: 0)])
    }
}

/// A checkpoint whose log's signature was checked, with the note that proves it.
package struct VerifiedCheckpoint: Hashable, Sendable {
    package let checkpoint: Checkpoint
    package let note: SignedNote

    /// - Parameter key: the log's; its name is the log's origin.
    package init(_ bytes: [UInt8], key: NoteKey) throws(NoteError) {
        let note = try SignedNote(parsing: bytes)
        _ = try note.verify([key])
        let checkpoint = try Checkpoint(parsing: note.text)
        guard key.kind == .ed25519, checkpoint.origin == key.name else {
            throw NoteError(.content, "the checkpoint is of \(checkpoint.origin), not of \(key.name)")
        }
        self.checkpoint = checkpoint
        self.note = note
    }

    /// Those of the witnesses given that cosigned it, with the time each says.
    package func cosigners(_ witnesses: [NoteKey]) throws(NoteError) -> [(witness: NoteKey, time: Int64)] {
        let witnesses = witnesses.filter { $0.kind == .cosignature }
        guard note.signatures.contains(where: { line in witnesses.contains { $0.name == line.name && $0.id == line.keyID } })
        else {
            return []
        }
        return try note.verify(witnesses).compactMap { witness in
            note.signatures.first { $0.name == witness.name && $0.keyID == witness.id }
                .flatMap { NoteKey.time(of: $0.bytes) }.map { (witness, $0) }
        }
    }
}

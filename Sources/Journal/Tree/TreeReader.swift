/// Reads a tree from its files alone, as anybody could who was given a copy of them.
package struct TreeReader: Sendable {
    private let folder: TreeFolder

    /// - Parameter directory: the journal's.
    package init(journal directory: String) {
        folder = TreeFolder(journal: directory)
    }

    /// The newest checkpoint, checked; `nil` when there is none.
    package func checkpoint(key: NoteKey) throws(JournalError) -> VerifiedCheckpoint? {
        try checkpoint(at: folder.checkpoint, key: key)
    }

    /// A checkpoint that was kept, with the signatures and the timestamp of others.
    package func keptCheckpoint(size: UInt64, key: NoteKey) throws(JournalError) -> VerifiedCheckpoint? {
        try checkpoint(at: folder.keptCheckpoint(size), key: key)
    }

    package func keptSizes() throws(JournalError) -> [UInt64] { try folder.keptSizes() }

    /// The RFC 3161 response for a kept checkpoint, unchecked.
    package func timestamp(size: UInt64) throws(JournalError) -> [UInt8]? {
        try FileSystem.contents(folder.timestamp(size), limit: 1 << 20)
    }

    /// Keeps a checkpoint for an answer about it that is still to come.
    package func keep(_ checkpoint: VerifiedCheckpoint) throws(JournalError) { try folder.keep(checkpoint) }

    /// Keeps a checkpoint with the authority's answer to ``TimestampRequest`` about its text.
    package func keep(_ checkpoint: VerifiedCheckpoint, timestamp response: [UInt8]) throws(JournalError) {
        let path = folder.timestamp(checkpoint.checkpoint.size)
        do {
            guard try Timestamp3161(parsing: response).isAbout(Array(checkpoint.note.text.utf8)) else {
                throw NoteError(.content, "it is about something else than this checkpoint")
            }
        } catch {
            throw .tree(TreeDamage(file: path, reason: .timestamp("\(error)")))
        }
        try folder.keep(checkpoint)
        try FileSystem.replace(path, with: response)
        try FileSystem.syncDirectory(folder.kept)
    }

    private func checkpoint(at path: String, key: NoteKey) throws(JournalError) -> VerifiedCheckpoint? {
        guard let bytes = try FileSystem.contents(path, limit: SignedNote.byteLimit + 1) else { return nil }
        do {
            return try VerifiedCheckpoint(bytes, key: key)
        } catch {
            throw .tree(TreeDamage(file: path, reason: .checkpoint(error.description)))
        }
    }

    /// Makes proofs from tiles. They are only as right as the tiles are: check what comes out against the checkpoint.
    package func prover(size: UInt64) -> MerkleProver {
        MerkleProver(size: size) { [folder] level, index in
            let row = level / 8
            let count = 1 << (level % 8)
            let first = index << UInt64(level % 8)
            let tile = first / UInt64(TileTree.width)
            let full = size >> UInt64(8 * (row + 1))
            let width = tile < full ? TileTree.width : TileTree.rowWidth(row, size)
            var hashes = try folder.hashes(level: row, index: tile, width: width)
            // Since that size was published the tile may have become full.
            if hashes == nil { hashes = try folder.hashes(level: row, index: tile, width: TileTree.width) }
            let start = Int(first % UInt64(TileTree.width))
            guard let hashes, start + count <= hashes.count else {
                let name = TilePath.hashes(level: row, index: tile, width: width)
                throw JournalError.tree(TreeDamage(file: "\(folder.path)/\(name)", reason: .tileMissing))
            }
            return TileTree.perfectRoot(hashes[start..<start + count])
        }
    }

    /// That an entry stands in the newest checkpoint's tree, or in a kept one's; checked before it is given away.
    package func proof(of entry: Entry, in checkpoint: VerifiedCheckpoint, key: NoteKey) throws -> LogProof? {
        guard let hashes = try prover(size: checkpoint.checkpoint.size).inclusion(of: entry.sequence) else { return nil }
        let proof = LogProof(index: entry.sequence, hashes: hashes, checkpoint: checkpoint.note.bytes)
        _ = try proof.verify(entry.leafHash, key: key)
        return proof
    }
}

import Dispatch
import Synchronization

/// The signed Merkle tree over a journal, in the folder `tlog` beside its segments.
///
/// Everything here is made from entries that are durable already: tiles first, then the checkpoint that is about them, each
/// synchronised before the next. So a checkpoint on disk always verifies, and after a crash only the newest entries are without one.
/// A checkpoint is signed only over a root that the journal itself counted to. Callable from any task; publishing blocks on the disk
/// and runs on a queue of its own.
package final class JournalTree: Sendable {
    let folder: TreeFolder
    private let journal: Journal
    private let signer: NoteSigner
    private let queue = DispatchQueue(label: "vigie.journal.tree")
    private let state: Mutex<State>

    private struct State {
        var tree: TileTree
        /// Canonical bytes of the entries behind the last full bundle.
        var bundle: [[UInt8]]
        /// The signed checkpoint on disk.
        var note: SignedNote?
    }

    /// The public half of the key that signs.
    package var key: NoteKey { signer.key }

    /// Takes up the tree beside a journal. Without a checkpoint it begins with none; ``publish()`` makes one.
    ///
    /// - Throws: ``JournalError/tree(_:)`` when checkpoint and entries do not belong together; then nothing is changed.
    package static func open(journal: Journal, signer: NoteSigner) throws(JournalError) -> JournalTree {
        let folder = TreeFolder(journal: journal.directory)
        try FileSystem.makeDirectory(folder.path)
        let published = try AcknowledgedMark.read(directory: folder.path, fileName: AcknowledgedMark.publishedFileName)
        guard let bytes = try FileSystem.contents(folder.checkpoint) else {
            guard published == 0 else { throw .tree(TreeDamage(file: folder.checkpoint, reason: .checkpointMissing)) }
            return JournalTree(journal: journal, signer: signer, state: State(tree: TileTree(), bundle: [], note: nil))
        }
        let verified: VerifiedCheckpoint
        do {
            verified = try VerifiedCheckpoint(bytes, key: signer.key)
        } catch {
            throw .tree(TreeDamage(file: folder.checkpoint, reason: .checkpoint(error.description)))
        }
        let size = verified.checkpoint.size
        guard size >= published else {
            throw .tree(TreeDamage(file: folder.checkpoint, reason: .checkpointRolledBack(size: size, published: published)))
        }
        guard size <= journal.count else {
            throw .tree(TreeDamage(file: folder.checkpoint, reason: .entriesMissing(size: size, count: journal.count)))
        }
        guard journal.rootOfPublished == verified.checkpoint.root else {
            throw .tree(TreeDamage(file: folder.checkpoint, reason: .forked(size: size)))
        }
        guard let tree = try rows(folder, size: size) else {
            // Tiles can be made again from the entries, whose root is the signed one.
            return JournalTree(journal: journal, signer: signer, state: State(tree: TileTree(), bundle: [], note: nil))
        }
        guard tree.root == verified.checkpoint.root else {
            let path = "\(folder.path)/\(TilePath.hashes(level: 0, index: size / 256, width: max(1, Int(size % 256))))"
            throw .tree(TreeDamage(file: path, reason: .tile(entry: size / 256 * 256)))
        }
        let first = size / 256 * 256
        let entries = first < size ? try journal.reader(from: first).next(limit: Int(size - first)) : []
        return JournalTree(
            journal: journal, signer: signer,
            state: State(tree: tree, bundle: entries.map(\.canonicalBytes), note: verified.note))
    }

    /// The same with the key in a file, which is made for a new log; for one that has a checkpoint it has to be there.
    package static func open(journal: Journal, keyPath: String) throws(JournalError) -> JournalTree {
        let checkpoint = TreeFolder(journal: journal.directory).checkpoint
        if try !KeyFile.exists(keyPath), try FileSystem.contents(checkpoint, limit: 0) != nil {
            throw .tree(TreeDamage(file: keyPath, reason: .key("it is missing, although it signed \(checkpoint)")))
        }
        return try open(journal: journal, signer: try KeyFile.readOrMake(keyPath, kind: .ed25519))
    }

    private init(journal: Journal, signer: NoteSigner, state: State) {
        folder = TreeFolder(journal: journal.directory)
        self.journal = journal
        self.signer = signer
        self.state = Mutex(state)
    }

    /// The newest signed checkpoint; `nil` before the first.
    package var checkpoint: SignedNote? { state.withLock { $0.note } }

    /// Brings tiles and checkpoint to where the journal is. Costs some fsyncs; once a second is often enough.
    ///
    /// - Returns: the signed checkpoint, new or as it was.
    @discardableResult
    package func publish() async throws(JournalError) -> SignedNote {
        let result = await withCheckedContinuation { continuation in
            queue.async { [self] in
                continuation.resume(returning: Result { () throws(JournalError) in try publishNow() })
            }
        }
        return try result.get()
    }

    /// The same where blocking is fine.
    @discardableResult
    package func publishNow() throws(JournalError) -> SignedNote {
        // Holding the lock over the disk is meant: one publication at a time, and few callers.
        try state.withLock { (state) throws(JournalError) -> SignedNote in
            let frontier = journal.frontier
            if let note = state.note, frontier.count == state.tree.count { return note }
            try FileSystem.makeDirectory(folder.path)
            var writer = TileWriter(folder: folder)
            let reader = try journal.reader(from: state.tree.count)
            var filled: [UInt64] = []
            while state.tree.count < frontier.count {
                let entries = try reader.next(limit: Int(min(256, frontier.count - state.tree.count)))
                guard !entries.isEmpty else {
                    throw .tree(
                        TreeDamage(file: folder.path, reason: .entriesMissing(size: frontier.count, count: state.tree.count)))
                }
                for entry in entries {
                    state.bundle.append(entry.canonicalBytes)
                    for tile in state.tree.append(entry.leafHash) {
                        try writer.write(tile.hashes, level: tile.level, index: tile.index)
                        guard tile.level == 0 else { continue }
                        try writer.write(bundle: state.bundle, index: tile.index)
                        state.bundle.removeAll(keepingCapacity: true)
                        filled.append(tile.index)
                    }
                }
            }
            // Read back from the disk, counted twice: only then it is signed.
            guard state.tree.root == frontier.root else {
                throw .tree(TreeDamage(file: folder.path, reason: .forked(size: frontier.count)))
            }
            try writer.writeRightEdge(of: state.tree, bundle: state.bundle)
            try writer.synchronise()
            let note: SignedNote
            do {
                note = try Checkpoint(origin: signer.key.name, size: frontier.count, root: frontier.root).signed(by: signer)
            } catch {
                throw .tree(TreeDamage(file: folder.checkpoint, reason: .key("\(error)")))
            }
            try FileSystem.replace(folder.checkpoint, with: note.bytes)
            try FileSystem.syncDirectory(folder.path)
            // Not synchronised: after a killed process it is exact, after a power failure it may lag; it is never ahead.
            try AcknowledgedMark(directory: folder.path, fileName: AcknowledgedMark.publishedFileName).write(frontier.count)
            state.note = note
            try writer.removePartials(of: filled, tree: state.tree)
            return note
        }
    }

    /// Proofs about the tree of the newest checkpoint, or of an earlier one.
    package func prover(size: UInt64? = nil) -> MerkleProver {
        TreeReader(journal: journal.directory).prover(size: size ?? state.withLock { $0.tree.count })
    }

    /// Entries that the checkpoint on disk says it is about, unchecked; `nil` when there is none that can be read.
    static func publishedSize(journal directory: String) throws(JournalError) -> UInt64? {
        guard let bytes = try FileSystem.contents(TreeFolder(journal: directory).checkpoint, limit: SignedNote.byteLimit) else {
            return nil
        }
        return try? Checkpoint(parsing: SignedNote(parsing: bytes).text).size
    }

    /// The right edge as the partial tiles have it; `nil` when one of them is missing.
    private static func rows(_ folder: TreeFolder, size: UInt64) throws(JournalError) -> TileTree? {
        var rows: [[MerkleHash]] = []
        for level in 0..<TileTree.rowCount(for: size) {
            let width = TileTree.rowWidth(level, size)
            let index = size >> UInt64(8 * (level + 1))
            guard width > 0 else {
                rows.append([])
                continue
            }
            guard let row = try folder.hashes(level: level, index: index, width: width) else { return nil }
            rows.append(row)
        }
        return TileTree(count: size, rows: rows)
    }
}

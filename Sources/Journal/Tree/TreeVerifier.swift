/// Holds the files of a tree against the entries, while these go by once.
///
/// Every tile and bundle that the checkpoint is about is compared; so are the roots of all checkpoints that were kept or are given from
/// elsewhere. Its memory does not grow with the journal, except by one small record for each kept checkpoint.
struct TreeVerifier {
    private let folder: TreeFolder
    private let key: NoteKey
    private(set) var problems: [TreeDamage] = []
    private(set) var checkpoint: VerifiedCheckpoint?
    private(set) var tileCount = 0
    private(set) var timestampCount = 0
    /// Checkpoints whose root is to be compared, by size; the file each came from.
    private var awaited: [UInt64: [(file: String, root: MerkleHash)]] = [:]
    private(set) var comparedCheckpoints = 0
    private var tree = TileTree()
    private var bundle: [[UInt8]] = []
    private let size: UInt64

    /// - Parameter others: checkpoints that somebody else kept, by the names of their files.
    init(journal directory: String, key: NoteKey, others: [(file: String, bytes: [UInt8])]) throws(JournalError) {
        folder = TreeFolder(journal: directory)
        self.key = key
        let published = try AcknowledgedMark.read(directory: folder.path, fileName: AcknowledgedMark.publishedFileName)
        for (path, name) in [(directory, AcknowledgedMark.fileName), (folder.path, AcknowledgedMark.publishedFileName)]
        where try AcknowledgedMark.isDamaged(directory: path, fileName: name) {
            problems.append(TreeDamage(file: "\(path)/\(name)", reason: .mark))
        }
        var found: VerifiedCheckpoint?
        var newest: [(file: String, bytes: [UInt8])] = []
        if let bytes = try FileSystem.contents(folder.checkpoint, limit: SignedNote.byteLimit + 1) {
            newest.append((folder.checkpoint, bytes))
        } else {
            problems.append(TreeDamage(file: folder.checkpoint, reason: .checkpointMissing))
        }
        for size in try folder.keptSizes() {
            let file = folder.keptCheckpoint(size)
            newest.append((file, try FileSystem.contents(file, limit: SignedNote.byteLimit + 1) ?? []))
        }
        var largest = published
        for (file, bytes) in newest + others {
            do {
                let verified = try VerifiedCheckpoint(bytes, key: key)
                if file == folder.checkpoint { found = verified }
                largest = max(largest, verified.checkpoint.size)
                awaited[verified.checkpoint.size, default: []].append((file, verified.checkpoint.root))
                if let name = Self.keptSize(file, folder), name != verified.checkpoint.size {
                    problems.append(
                        TreeDamage(file: file, reason: .checkpoint("it is about \(verified.checkpoint.size) entries")))
                }
            } catch {
                problems.append(TreeDamage(file: file, reason: .checkpoint(error.description)))
            }
        }
        checkpoint = found
        size = found?.checkpoint.size ?? 0
        if let found, largest > found.checkpoint.size {
            problems.append(
                TreeDamage(
                    file: folder.checkpoint, reason: .checkpointRolledBack(size: found.checkpoint.size, published: largest)))
        }
        compareRoots()
        try checkTimestamps()
    }

    /// Every timestamp is about the checkpoint beside it.
    private mutating func checkTimestamps() throws(JournalError) {
        guard try folder.isThere(folder.kept) else { return }
        for name in try FileSystem.names(in: folder.kept).sorted() where name.hasSuffix(".tsr") {
            let file = "\(folder.kept)/\(name)"
            do {
                let timestamp = try Timestamp3161(parsing: FileSystem.contents(file, limit: 1 << 20) ?? [])
                let note = try FileSystem.contents("\(file.dropLast(4)).checkpoint", limit: SignedNote.byteLimit)
                guard let note, timestamp.isAbout(Array(try SignedNote(parsing: note).text.utf8)) else {
                    throw NoteError(.content, "it is about something else")
                }
                timestampCount += 1
            } catch {
                problems.append(TreeDamage(file: file, reason: .timestamp("\(error)")))
            }
        }
    }

    private static func keptSize(_ file: String, _ folder: TreeFolder) -> UInt64? {
        guard file.hasPrefix(folder.kept + "/") else { return nil }
        return UInt64(file.dropFirst(folder.kept.utf8.count + 1).prefix { $0 != "." })
    }

    /// The next entry, in order.
    mutating func add(_ entry: [UInt8], leaf: MerkleHash) throws(JournalError) {
        if tree.count < size { bundle.append(entry) }
        for tile in tree.append(leaf) where tile.index < size >> UInt64(8 * (tile.level + 1)) {
            try compare(tile.hashes, level: tile.level, index: tile.index)
            guard tile.level == 0 else { continue }
            try compare(bundle: bundle, index: tile.index)
            bundle = []
        }
        compareRoots()
        if tree.count == size { try compareRightEdge() }
    }

    /// After the last entry.
    mutating func finish() throws(JournalError) {
        for (size, checkpoints) in awaited.sorted(by: { $0.key < $1.key }) {
            for checkpoint in checkpoints {
                problems.append(TreeDamage(file: checkpoint.file, reason: .entriesMissing(size: size, count: tree.count)))
            }
        }
        try findForeignFiles()
    }

    private mutating func compareRoots() {
        guard let checkpoints = awaited.removeValue(forKey: tree.count) else { return }
        for checkpoint in checkpoints {
            comparedCheckpoints += 1
            if checkpoint.root != tree.root {
                problems.append(TreeDamage(file: checkpoint.file, reason: .forked(size: tree.count)))
            }
        }
    }

    private mutating func compareRightEdge() throws(JournalError) {
        for (level, row) in tree.rows.enumerated() where !row.isEmpty {
            try compare(row, level: level, index: size >> UInt64(8 * (level + 1)))
        }
        if !bundle.isEmpty { try compare(bundle: bundle, index: size / UInt64(TileTree.width)) }
        bundle = []
    }

    private mutating func compare(_ hashes: [MerkleHash], level: Int, index: UInt64) throws(JournalError) {
        let file = "\(folder.path)/\(TilePath.hashes(level: level, index: index, width: hashes.count))"
        let expected = hashes.flatMap(\.bytes)
        tileCount += 1
        guard let found = try contents(file, orPrefixOf: TilePath.hashes(level: level, index: index), count: expected.count)
        else {
            problems.append(TreeDamage(file: file, reason: .tileMissing))
            return
        }
        guard found != expected else { return }
        let position = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, expected.count)
        let place = index * UInt64(TileTree.width) + UInt64(position / MerkleHash.byteCount)
        problems.append(TreeDamage(file: file, reason: .tile(entry: place << UInt64(8 * level))))
    }

    private mutating func compare(bundle: [[UInt8]], index: UInt64) throws(JournalError) {
        let file = "\(folder.path)/\(TilePath.entries(index: index, width: bundle.count))"
        tileCount += 1
        let expected = EntryBundle.encode(bundle)
        guard let found = try contents(file, orPrefixOf: TilePath.entries(index: index), count: expected.count) else {
            problems.append(TreeDamage(file: file, reason: .bundleMissing))
            return
        }
        guard found != expected else { return }
        let position = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, expected.count)
        var end = 0
        let entry = bundle.firstIndex { entry in
            end += 2 + entry.count
            return position < end
        }
        problems.append(
            TreeDamage(file: file, reason: .bundle(entry: index * UInt64(TileTree.width) + UInt64(entry ?? bundle.count))))
    }

    /// A file; or, where a running server has replaced a partial one by the full one meanwhile, that one's beginning.
    private func contents(_ file: String, orPrefixOf full: String, count: Int) throws(JournalError) -> [UInt8]? {
        if let found = try FileSystem.contents(file) { return found }
        return try FileSystem.contents("\(folder.path)/\(full)").map { Array($0.prefix(count)) }
    }

    /// Files under `tile` whose names no publication gives. Names beyond the checkpoint are left by a crash, and fine.
    private mutating func findForeignFiles() throws(JournalError) {
        guard try folder.isThere("\(folder.path)/tile") else { return }
        var pending = ["tile"]
        while let name = pending.popLast() {
            for child in try FileSystem.names(in: "\(folder.path)/\(name)") where child != "." && child != ".." {
                let path = "\(name)/\(child)"
                if try folder.isThere("\(folder.path)/\(path)") {
                    pending.append(path)
                } else if !child.hasSuffix(".new"), !TilePath.isName(path) {
                    problems.append(TreeDamage(file: "\(folder.path)/\(path)", reason: .foreignFile))
                }
            }
        }
    }
}

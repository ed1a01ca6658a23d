/// Writes the files of one publication and remembers which folders have to be synchronised for it.
struct TileWriter {
    let folder: TreeFolder
    private var folders: Set<String> = []

    init(folder: TreeFolder) {
        self.folder = folder
    }

    mutating func write(_ hashes: [MerkleHash], level: Int, index: UInt64) throws(JournalError) {
        try write(hashes.flatMap(\.bytes), to: TilePath.hashes(level: level, index: index, width: hashes.count))
    }

    mutating func write(bundle: [[UInt8]], index: UInt64) throws(JournalError) {
        try write(EntryBundle.encode(bundle), to: TilePath.entries(index: index, width: bundle.count))
    }

    /// The partial tiles of every level, and the partial bundle.
    mutating func writeRightEdge(of tree: TileTree, bundle: [[UInt8]]) throws(JournalError) {
        for (level, row) in tree.rows.enumerated() where !row.isEmpty {
            try write(row, level: level, index: tree.count >> UInt64(8 * (level + 1)))
        }
        if !bundle.isEmpty { try write(bundle: bundle, index: tree.count / UInt64(TileTree.width)) }
    }

    /// Makes the new names durable, innermost folders first.
    mutating func synchronise() throws(JournalError) {
        for path in folders.sorted(by: { $0.utf8.count > $1.utf8.count }) { try FileSystem.syncDirectory(path) }
        folders = []
    }

    /// Removes partial tiles whose full tile is durable; the specification allows just that.
    ///
    /// - Parameter filled: indices of tiles of level 0 that became full.
    func removePartials(of filled: [UInt64], tree: TileTree) throws(JournalError) {
        for index in filled {
            try FileSystem.remove("\(folder.path)/\(TilePath.hashes(level: 0, index: index)).p")
            try FileSystem.remove("\(folder.path)/\(TilePath.entries(index: index)).p")
            // A tile of a higher level became full when its last child did.
            var level = 1
            var child = index
            while level < 8, child % UInt64(TileTree.width) == UInt64(TileTree.width) - 1 {
                child /= UInt64(TileTree.width)
                try FileSystem.remove("\(folder.path)/\(TilePath.hashes(level: level, index: child)).p")
                level += 1
            }
        }
    }

    private mutating func write(_ bytes: [UInt8], to name: String) throws(JournalError) {
        let path = "\(folder.path)/\(name)"
        let parts = name.split(separator: "/").dropLast()
        do {
            try FileSystem.replace(path, with: bytes)
        } catch {
            guard case .file(let cause) = error, FileSystem.isMissing(cause.code) else { throw error }
            try folder.makeFolders(for: name)
            try FileSystem.replace(path, with: bytes)
        }
        folders.insert(([folder.path] + parts.map(String.init)).joined(separator: "/"))
    }
}

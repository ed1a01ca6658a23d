/// The files of a tree, in the layout of C2SP tlog-tiles: the folder `tlog` of a journal, fit to be served or copied as it is.
struct TreeFolder: Sendable {
    static let name = "tlog"
    let path: String

    init(journal directory: String) {
        path = "\(directory)/\(Self.name)"
    }

    var checkpoint: String { "\(path)/checkpoint" }
    /// Checkpoints that were kept because somebody else vouched for them, with their signatures and timestamps.
    var kept: String { "\(path)/kept" }

    func keptCheckpoint(_ size: UInt64) -> String { "\(kept)/\(size).checkpoint" }
    func timestamp(_ size: UInt64) -> String { "\(kept)/\(size).tsr" }

    /// Sizes of the kept checkpoints, rising.
    func keptSizes() throws(JournalError) -> [UInt64] {
        guard try isThere(kept) else { return [] }
        return try FileSystem.names(in: kept).compactMap { name in
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1] == "checkpoint", let size = UInt64(parts[0]), String(size) == parts[0] else {
                return nil
            }
            return size
        }.sorted()
    }

    func isThere(_ path: String) throws(JournalError) -> Bool {
        do {
            _ = try JournalFile.open(path, .directory)
            return true
        } catch {
            if case .file(let cause) = error, FileSystem.isMissing(cause.code) { return false }
            throw error
        }
    }

    /// Makes the folders above a name under `path`.
    func makeFolders(for name: String) throws(JournalError) {
        var folder = path
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            try FileSystem.makeDirectory(folder)
        }
    }

    /// The hashes of a tile file; `nil` when there is none or it does not have that many.
    func hashes(level: Int, index: UInt64, width: Int) throws(JournalError) -> [MerkleHash]? {
        let name = TilePath.hashes(level: level, index: index, width: width)
        guard let bytes = try FileSystem.contents("\(path)/\(name)"), bytes.count == width * MerkleHash.byteCount else {
            return nil
        }
        return stride(from: 0, to: bytes.count, by: MerkleHash.byteCount).compactMap {
            MerkleHash(bytes: bytes[$0..<$0 + MerkleHash.byteCount])
        }
    }
}

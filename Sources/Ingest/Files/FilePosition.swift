/// How far a file has been read, durably: enough to find the file again after a restart, whatever its name is then.
package struct FilePosition: Codable, Hashable, Sendable {
    package var path: String
    package var device: UInt64
    package var inode: UInt64
    /// Counts the files that have stood under that path.
    package var generation: Int
    /// Where the first unread line begins.
    package var offset: Int64
    /// The number of that line.
    package var line: Int64
    /// The line at `offset` is the rest of an over-long one.
    package var isSkipping: Bool
    /// The first bytes of the file as a hash: a file cut and written anew (`copytruncate`) keeps its inode, not these.
    package var head: FileHead
    /// Up to where lines have been given already, where parts of one that begins at `offset` wait for its last one.
    package var given: Int64?
    /// The last bytes that were read of the file, or, where it is still in line, that it had.
    package var end: FileEnd?
    /// When the file was last written to then, in nanoseconds since 1970: what rotation had put aside before is older.
    package var modified: Int64?
    /// A further name of a file of the same source, which is not read under it.
    package var isAlias: Bool?
    /// No file is meant: what counts is the generation, the last that stood under that path.
    package var isPast: Bool?

    /// Whether the numbers can be true: positions come back from a file that may have been damaged or edited.
    var isPlausible: Bool {
        guard end?.isPlausible ?? true else { return false }
        return offset >= 0 && line >= 1 && (0..<Int(Int32.max)).contains(generation)
            && (0...FileHead.maximumBytes).contains(head.count) && given ?? offset >= offset
    }
}

extension FilePosition {
    /// What remains of a path under which nothing is left to read.
    init(past path: String, generation: Int) {
        self.init(
            path: path, device: 0, inode: 0, generation: generation, offset: 0, line: 1, isSkipping: false, head: FileHead(),
            isPast: true)
    }

    /// The same place of the same file, under another name.
    func moved(to path: String, generation: Int) -> FilePosition {
        var position = self
        position.path = path
        position.generation = generation
        return position
    }
}

/// The beginning of a file, remembered to tell whether it is still the same file.
package struct FileHead: Codable, Hashable, Sendable {
    /// How many bytes are remembered.
    package static let maximumBytes = 1024

    package var count: Int
    package var hash: UInt64

    package init() {
        count = 0
        hash = JSONFieldPlan.hashSeed
    }

    package init(_ bytes: some Collection<UInt8>) {
        count = min(bytes.count, FileHead.maximumBytes)
        hash = bytes.prefix(FileHead.maximumBytes).reduce(JSONFieldPlan.hashSeed) { JSONFieldPlan.extend($0, $1) }
    }

    /// Remembers what of `chunk`, read at `offset`, follows the bytes remembered so far.
    mutating func extend(with chunk: ArraySlice<UInt8>, at offset: Int64) {
        guard count < FileHead.maximumBytes, offset <= Int64(count) else { return }
        let new = chunk.dropFirst(count - Int(offset)).prefix(FileHead.maximumBytes - count)
        hash = new.reduce(hash) { JSONFieldPlan.extend($0, $1) }
        count += new.count
    }
}

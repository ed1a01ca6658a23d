/// Which file a position is about.
///
/// A beginning that is shorter than what is remembered of one is all that was there, often a heading that every file of that log
/// has: it proves something where device and inode are the same, and of a file that holds nothing else. Longer beginnings may be
/// the same, too: there, the last bytes that were read decide.
extension FilePosition {
    var identity: FileIdentity { FileIdentity(device: device, inode: inode) }

    private var isWholeHead: Bool { head.count == FileHead.maximumBytes }

    /// Whether the file may be read on from here: it is the one that is meant, under whatever name, or a copy of it.
    func goesOn(in file: LogFile) -> Bool {
        guard file.head(head.count, path: path) == head, !file.isCut(before: given ?? offset) else { return false }
        guard identity != file.identity, isWholeHead, let end else { return true }
        return file.has(end, path: path)
    }

    /// Whether all that stands in the file has been read, or is in line to be, as the one that is meant. In doubt it has not.
    func covers(_ file: LogFile) -> Bool {
        guard head.count > 0, file.head(head.count, path: path) == head else { return false }
        if identity == file.identity { return true }
        guard isWholeHead else { return file.head(path: path)?.count == head.count }
        return end.map { file.match($0, path: path) == .isLast } ?? false
    }

    /// Whether the file, made when this one was cut, is a copy of its beginning: made before the last of what was read was written.
    func isCopied(in file: LogFile) -> Bool {
        guard isWholeHead, let end, file.head(head.count, path: path) == head else { return false }
        return file.match(end, path: path) == .endsBefore
    }
}

import Events

/// One generation of a log that is being read.
struct FollowedFile {
    var file: LogFile
    let generation: Int
    var assembler: LineAssembler
    var parts: PartialLines
    var head: FileHead
    /// The last bytes that were read.
    var end: FileEnd?
    var lastActivity: Timestamp
    /// The most that the file was ever seen to hold.
    var largestSize: Int64 = 0
    /// It cannot be read any further.
    var isBroken = false

    /// From its beginning.
    init(_ file: LogFile, generation: Int, framing: LineAssembler.Framing, now: Timestamp) {
        self.file = file
        self.generation = generation
        assembler = LineAssembler(framing: framing)
        parts = PartialLines()
        head = FileHead()
        lastActivity = now
    }

    /// From where it had been read.
    init(_ file: LogFile, at position: FilePosition, framing: LineAssembler.Framing, now: Timestamp) {
        self.file = file
        generation = position.generation
        assembler = LineAssembler(
            offset: position.offset, nextLine: position.line, isSkipping: position.isSkipping, framing: framing)
        parts = PartialLines(given: position.given ?? 0)
        head = position.head
        end = position.end
        lastActivity = now
        largestSize = position.given ?? position.offset
    }

    func position(path: String) -> FilePosition {
        let resumption = parts.resumption
        return FilePosition(
            path: path, device: file.identity.device, inode: file.identity.inode, generation: generation,
            offset: resumption?.offset ?? assembler.offset, line: resumption?.line ?? assembler.nextLine,
            isSkipping: resumption == nil && assembler.isSkipping, head: head,
            given: resumption == nil ? nil : parts.given(at: assembler.offset), end: end, modified: file.modified)
    }

    /// Something waits for its end.
    var isUnfinished: Bool { assembler.pendingBytes > 0 || !parts.isEmpty }

    /// It will give nothing more: silent for `FileTail.retirement`, or a compressed file at its end.
    func isRetired(_ now: Timestamp) -> Bool {
        isBroken || file.isAtEnd || now.nanoseconds(since: lastActivity) > FileTail.retirement * 1_000_000_000
    }

    /// Copy and truncate: the file has shrunk, or its beginning has changed.
    ///
    /// The beginning is read every time: neither the size nor the time of change tells a file that was written anew to
    /// the same size within one tick of the file system's clock.
    func isCut(_ path: String) -> Bool {
        if file.isCompressed { return false }
        if file.isCut(before: assembler.readOffset) { return true }
        guard let found = file.head(head.count, path: path) else { return false }
        return found != head
    }
}

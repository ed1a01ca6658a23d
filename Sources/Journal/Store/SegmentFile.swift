/// Reads frames from one segment through a buffer, so that many small frames cost few system calls.
struct SegmentFile: ~Copyable {
    enum Step {
        case frame(Frame, byteCount: Int)
        /// A frame that lies wholly before what the caller asked for; its records were not looked at.
        case skipped(Frame.Header)
        case end
        /// What follows the last whole frame is no frame. `isTorn` says that an interrupted write explains it.
        case broken(Frame.Mismatch, isTorn: Bool)
    }

    let path: String
    let firstSequence: UInt64
    private let file: JournalFile
    private var buffer: [UInt8] = []
    /// Where the buffer begins in the file.
    private var bufferOffset = 0

    /// One read takes at least this many bytes.
    private static let readByteCount = 256 << 10
    /// What disks write at once, at the least.
    private static let sector = 512

    init(directory: String, firstSequence: UInt64) throws(JournalError) {
        path = "\(directory)/\(SegmentName.name(of: firstSequence))"
        self.firstSequence = firstSequence
        file = try JournalFile.open(path, .reading)
    }

    func size() throws(JournalError) -> Int { try file.size() }

    /// The frame at `offset`.
    ///
    /// - Parameter start: frames that end before this sequence are skipped unread.
    mutating func frame(at offset: Int, from start: UInt64) throws(JournalError) -> Step {
        let head = try bytes(at: offset, count: Frame.headerByteCount)
        if head.isEmpty { return .end }
        let unreadable = Frame.Mismatch(reason: .frameHeader, record: 0, offset: 0)
        guard head.count == Frame.headerByteCount else {
            return .broken(unreadable, isTorn: try isTorn(head, from: offset))
        }
        guard let header = Frame.Header(head) else {
            return .broken(unreadable, isTorn: try isUnwritten(from: offset))
        }
        if header.nextSequence <= start {
            let size = try file.size()
            if offset + header.frameByteCount <= size { return .skipped(header) }
        }
        let body = try bytes(at: offset, count: header.frameByteCount).dropFirst(Frame.headerByteCount)
        guard body.count == header.bodyByteCount else {
            return .broken(Frame.Mismatch(reason: .frameDigest, record: 0, offset: 0), isTorn: true)
        }
        do {
            return .frame(try Frame(header, body: body), byteCount: header.frameByteCount)
        } catch {
            return .broken(error, isTorn: try isUnwritten(from: offset))
        }
    }

    /// Up to `count` bytes; fewer at the end of the file, which is asked again each time, since it may have grown.
    private mutating func bytes(at offset: Int, count: Int) throws(JournalError) -> ArraySlice<UInt8> {
        if offset < bufferOffset || offset + count > bufferOffset + buffer.count {
            buffer = try file.read(at: offset, count: max(count, Self.readByteCount))
            bufferOffset = offset
        }
        let start = offset - bufferOffset
        return buffer[start..<min(start + count, buffer.count)]
    }

    /// Whether a part of a header that ends with the file is the beginning of one.
    private func isTorn(_ head: ArraySlice<UInt8>, from offset: Int) throws(JournalError) -> Bool {
        if Frame.canBegin(with: head) { return true }
        return try isUnwritten(from: offset)
    }

    /// Whether blocks between `offset` and the end of the file were never written: a crash can leave a file's new size without all of
    /// its content. Such blocks read as zeros; no frame holds a run of zeros this long, and no flipped bit makes one.
    private func isUnwritten(from offset: Int) throws(JournalError) -> Bool {
        let end = try file.size()
        let head = try file.read(at: offset, count: 16)
        if head.allSatisfy({ $0 == 0 }) { return true }
        var position = (offset + Self.sector - 1) / Self.sector * Self.sector
        while position < end {
            let block = try file.read(at: position, count: Self.readByteCount)
            guard !block.isEmpty else { return false }
            for start in stride(from: 0, to: block.count, by: Self.sector) {
                let part = block[start..<min(start + Self.sector, block.count)]
                if part.count >= 8, part.allSatisfy({ $0 == 0 }) { return true }
            }
            position += block.count
        }
        return false
    }
}

/// The only code that changes segments: appends frames and makes them durable. Owned by ``Journal``, which calls it from one queue.
struct JournalWriter: ~Copyable, Sendable {
    let directory: String
    /// The sequence the next entry gets.
    private(set) var nextSequence: UInt64
    private let lock: DirectoryLock
    private let mark: AcknowledgedMark
    private let segmentLimit: Int
    private var segment: JournalFile?
    /// Where the durable part of the newest segment ends.
    private var size: Int

    /// Opens a journal for writing, after `scan` has found where its whole frames end.
    ///
    /// A torn tail is cut off. Frames that the mark does not count are written once more before anything counts them: should an
    /// earlier fsync have failed, the system may hold them in memory and take them for written.
    static func open(
        directory: String,
        lock: consuming DirectoryLock,
        scan: JournalRecovery,
        segmentLimit: Int
    ) throws(JournalError) -> JournalWriter {
        let mark = try AcknowledgedMark(directory: directory)
        var segment: JournalFile?
        if let last = scan.segment {
            let file = try JournalFile.open("\(directory)/\(SegmentName.name(of: last))", .writing)
            if scan.tail != nil { try file.truncate(to: scan.size) }
            var offset = scan.unacknowledgedOffset
            while offset < scan.size {
                let bytes = try file.read(at: offset, count: min(1 << 20, scan.size - offset))
                guard !bytes.isEmpty else { throw FileSystem.failure("reading back", file.path, 0) }
                try file.write(bytes, at: offset)
                offset += bytes.count
            }
            try file.sync()
            segment = consume file
        }
        try mark.write(scan.frontier.count)
        try mark.sync()
        try FileSystem.syncDirectory(directory)
        return JournalWriter(
            directory: directory, nextSequence: scan.frontier.count, lock: lock, mark: mark, segmentLimit: segmentLimit,
            segment: segment, size: scan.size)
    }

    private init(
        directory: String,
        nextSequence: UInt64,
        lock: consuming DirectoryLock,
        mark: consuming AcknowledgedMark,
        segmentLimit: Int,
        segment: consuming JournalFile?,
        size: Int
    ) {
        self.directory = directory
        self.nextSequence = nextSequence
        self.lock = lock
        self.mark = mark
        self.segmentLimit = segmentLimit
        self.segment = segment
        self.size = size
    }

    /// Whether these many bytes belong into a new segment, given those that wait to be written before them.
    func needsNewSegment(for byteCount: Int, behind waiting: Int) -> Bool {
        segment == nil || (size + waiting > 0 && size + waiting + byteCount > segmentLimit)
    }

    /// Begins the segment that starts with the next sequence; its name is durable before the first frame is.
    mutating func beginSegment() throws(JournalError) {
        segment = try JournalFile.open("\(directory)/\(SegmentName.name(of: nextSequence))", .creating)
        size = 0
        try FileSystem.syncDirectory(directory)
    }

    /// Writes frames and returns when they are durable: the commit point. ``needsNewSegment(for:behind:)`` is asked before.
    ///
    /// - Throws: when they may not be durable; then what was written is taken back if the disk allows it.
    mutating func commit(_ frames: [UInt8], nextSequence: UInt64) throws(JournalError) {
        guard segment != nil else { throw .closed }
        do {
            try segment?.write(frames, at: size)
            try segment?.sync()
        } catch {
            let failure = error
            do {
                try segment?.truncate(to: size)
                try segment?.sync()
            } catch {
                // Also refused: the torn tail stays, and the next open cuts it off. The first failure is the one to report.
            }
            throw failure
        }
        size += frames.count
        self.nextSequence = nextSequence
    }

    /// Notes that the durable entries are about to be acknowledged.
    func markAcknowledged() throws(JournalError) {
        try mark.write(nextSequence)
    }

    func synchroniseMark() throws(JournalError) {
        try mark.sync()
    }
}

/// What a scan of all segments found before writing starts.
struct JournalRecovery {
    var frontier = MerkleFrontier()
    /// First sequence of the newest segment, and where its whole frames end.
    var segment: UInt64?
    var size = 0
    /// Where in the newest segment the frames begin that the mark does not count.
    var unacknowledgedOffset = 0
    var tail: CutTail?
    /// The root over as many entries as were asked for; `nil` when there are fewer.
    var rootOfPublished: MerkleHash?

    /// Reads and checks everything; throws damage, which then stays as it is.
    ///
    /// - Parameter published: entries that the newest checkpoint is about.
    init(directory: String, published: UInt64?) throws(JournalError) {
        if published == 0 { rootOfPublished = .empty }
        let acknowledged = try AcknowledgedMark.read(directory: directory)
        var scanner = try JournalScanner(directory: directory)
        scan: while true {
            switch try scanner.next() {
            case .end: break scan
            case .torn(let torn):
                tail = torn
                break scan
            case .frame(let frame):
                for record in frame.records {
                    frontier.append(record.leafHash)
                    if frontier.count == published { rootOfPublished = frontier.root }
                }
                if scanner.frameOffset == 0 { unacknowledgedOffset = 0 }
                if frontier.count <= acknowledged { unacknowledgedOffset = scanner.offset }
            }
        }
        segment = scanner.lastSegment
        size = scanner.segmentPath == nil ? 0 : scanner.offset
    }
}

/// Walks over the frames of a journal in order and checks all that a reader has to rely on: header, lengths, leaf hashes, digest,
/// sequences without gaps, segments without gaps.
///
/// Needs no lock: frames never change once they are whole, and a frame still being written looks like a torn one, at which the scan
/// stops; asked again, it goes on from there. Owned by one task; holds one segment open and one frame in memory.
struct JournalScanner: ~Copyable {
    enum Step {
        case frame(Frame)
        /// The end of what is committed.
        case end
        /// The same, but behind it lie bytes of an append that was never acknowledged, or is being written now.
        case torn(CutTail)
    }

    let directory: String
    /// The sequence that follows the last frame seen.
    private(set) var nextSequence: UInt64 = 0
    /// Segments seen so far, for the report.
    private(set) var segmentCount = 0
    private let start: UInt64
    private let acknowledged: UInt64
    private var segments: [UInt64]
    private var index = 0
    private var segment: SegmentFile?
    /// Where the next frame begins in the current segment, and where the last one returned began.
    private(set) var offset = 0
    private(set) var frameOffset = 0

    /// - Parameter start: frames that end before this sequence are stepped over, and whole segments not even opened.
    init(directory: String, from start: UInt64 = 0) throws(JournalError) {
        // The mark first: what it counts is then certainly visible in the files.
        let acknowledged = try AcknowledgedMark.read(directory: directory)
        let segments = try SegmentName.list(in: directory)
        self.directory = directory
        self.start = start
        self.acknowledged = acknowledged
        self.segments = segments
        if start > 0, let found = segments.lastIndex(where: { $0 <= start }) {
            index = found
            nextSequence = segments[found]
        }
    }

    /// Path of the segment the scan is in; `nil` before the first.
    var segmentPath: String? {
        index < segments.count ? path(of: segments[index]) : nil
    }

    /// First sequence of the newest segment.
    var lastSegment: UInt64? { segments.last }

    mutating func next() throws(JournalError) -> Step {
        while true {
            guard index < segments.count else {
                guard try findNewerSegments() else { return try end() }
                continue
            }
            if segment == nil { try openSegment() }
            let step = try segment?.frame(at: offset, from: start) ?? .end
            switch step {
            case .frame(let frame, let byteCount):
                try check(frame.firstSequence)
                frameOffset = offset
                offset += byteCount
                nextSequence = frame.firstSequence + UInt64(frame.records.count)
                return .frame(frame)
            case .skipped(let header):
                try check(header.firstSequence)
                offset += header.frameByteCount
                nextSequence = header.nextSequence
            case .end:
                // A newer segment means that this one is complete, but the last look at its end may be older than that.
                if index == segments.count - 1 {
                    guard try findNewerSegments() else { return try end() }
                    continue
                }
                index += 1
                segment = nil
                offset = 0
            case .broken(let mismatch, let isTorn):
                if isTorn, nextSequence >= acknowledged, index == segments.count - 1 { return try torn() }
                let isUnfinished = isTorn && index < segments.count - 1
                throw damage(
                    isUnfinished ? .unfinishedSegment : mismatch.reason, at: offset + mismatch.offset,
                    sequence: nextSequence + UInt64(mismatch.record))
            }
        }
    }

    /// The entry in a record of the frame just returned; it has to be the one that belongs at `sequence`.
    ///
    /// - Parameter checksForm: its bytes have to be the canonical spelling, too.
    func entry(_ record: Frame.Record, sequence: UInt64, checksForm: Bool = false) throws(JournalError) -> Entry {
        let position = frameOffset + record.offset
        let entry: Entry
        var isCanonical = true
        do {
            if checksForm {
                (entry, isCanonical) = try Entry.check(record.bytes)
            } else {
                entry = try Entry(parsing: record.bytes)
            }
        } catch {
            throw damage(.form(error.description), at: position, sequence: sequence)
        }
        guard entry.sequence == sequence else {
            throw damage(.sequence(expected: sequence, found: entry.sequence), at: position, sequence: sequence)
        }
        guard isCanonical else { throw damage(.notCanonical, at: position, sequence: sequence) }
        return entry
    }

    /// Damage in the current segment.
    func damage(_ reason: JournalDamage.Reason, at offset: Int, sequence: UInt64) -> JournalError {
        .damaged(
            JournalDamage(file: segmentPath ?? directory, offset: offset, sequence: sequence, reason: reason))
    }

    private func path(of sequence: UInt64) -> String { "\(directory)/\(SegmentName.name(of: sequence))" }

    private mutating func openSegment() throws(JournalError) {
        let first = segments[index]
        guard first == nextSequence else {
            guard first > nextSequence else {
                throw damage(.sequence(expected: nextSequence, found: first), at: 0, sequence: nextSequence)
            }
            throw damage(.missingSegment(expected: path(of: nextSequence)), at: 0, sequence: nextSequence)
        }
        segment = try SegmentFile(directory: directory, firstSequence: first)
        offset = 0
        segmentCount += 1
    }

    private func check(_ found: UInt64) throws(JournalError) {
        guard found == nextSequence else {
            throw damage(.sequence(expected: nextSequence, found: found), at: offset, sequence: nextSequence)
        }
    }

    /// Whether a writer has begun another segment since the directory was listed.
    private mutating func findNewerSegments() throws(JournalError) -> Bool {
        let listed = try SegmentName.list(in: directory)
        guard listed.count > segments.count else { return false }
        segments = listed
        return true
    }

    private func end() throws(JournalError) -> Step {
        guard nextSequence >= acknowledged else {
            throw damage(
                .acknowledgedMissing(acknowledged: acknowledged, found: nextSequence), at: offset, sequence: nextSequence)
        }
        return .end
    }

    private func torn() throws(JournalError) -> Step {
        let size = try segment?.size() ?? offset
        return .torn(CutTail(file: segmentPath ?? directory, offset: offset, byteCount: size - offset))
    }
}

/// Bytes behind the last whole frame: an append that a crash interrupted and nobody was told had succeeded.
package struct CutTail: Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var offset: Int
    package var byteCount: Int

    package init(file: String, offset: Int, byteCount: Int) {
        self.file = file
        self.offset = offset
        self.byteCount = byteCount
    }

    package var description: String {
        "\(byteCount) bytes of an unfinished, never acknowledged append at the end of \(file), from byte \(offset)"
    }
}

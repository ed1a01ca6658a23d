package import Events

/// How long what is kept, and what happens when there is no room.
package struct RetentionPolicy: Sendable, Hashable {
    package enum WhenFull: String, Sendable, CaseIterable {
        /// Archive nothing until there is room; say so.
        case stop
        /// Remove the oldest segments that no hold keeps.
        case deleteOldest = "delete_oldest"
    }

    /// Everything is kept so long, by time of receipt.
    package var keepDays = 90
    /// Security events are kept so long.
    package var securityDays = 365
    /// So much of the disk is left to others, the journal first of all.
    package var minimumFreeBytes = 256 << 20
    package var whenFull = WhenFull.stop

    package init() {}

    /// Whether something received then is older than so many days.
    static func isOlder(_ time: Timestamp, than days: Int, now: Timestamp) -> Bool {
        now.nanoseconds(since: time) > Int64(days) * 86_400 * 1_000_000_000
    }
}

/// What the archive did that people must be able to look up.
package enum ArchiveEvent: Sendable, Hashable {
    /// What is left of a segment: its security events.
    case reduced(SegmentSummary, keptLines: Int)
    case deleted(SegmentSummary, reason: DeletionReason)
    /// A start would have removed it, but a legal hold may mean it.
    case setAside(SegmentSummary)
    case holdPlaced(LegalHold)
    case holdReleased(LegalHold)
    /// Lines were not archived.
    case gap(lines: Int, reason: String, since: Timestamp)

    package enum DeletionReason: String, Sendable {
        case retention
        case diskFull = "disk_full"
        /// It stood behind what detection had saved: its lines come again.
        case recovery
    }
}

/// What a segment holds, in a few words.
package struct SegmentSummary: Sendable, Hashable {
    package var number: UInt64
    package var bytes: Int
    package var lines: Int
    package var isReduced: Bool
    /// Part of it cannot be read, so that no more can be said of its times than what the rest of it says.
    package var isDamaged: Bool
    /// `nil` where it holds no line.
    package var received: ClosedRange<Timestamp>?
    package var times: ClosedRange<Timestamp>?

    package init(_ segment: Segment) {
        number = segment.header.number
        bytes = segment.byteCount
        isReduced = segment.header.isReduced
        isDamaged = !segment.damages.isEmpty
        lines = 0
        for block in segment.blocks where block.header.kind == .lines {
            lines += block.header.lines
            received = SegmentSummary.union(received, block.header.received)
            times = SegmentSummary.union(times, block.header.times)
        }
    }

    private static func union(_ left: ClosedRange<Timestamp>?, _ right: ClosedRange<Timestamp>) -> ClosedRange<Timestamp> {
        guard let left else { return right }
        return min(left.lowerBound, right.lowerBound)...max(left.upperBound, right.upperBound)
    }
}

import Events

/// When the next detection snapshot is due: often while it is cheap, and never at the cost of detection.
///
/// Correlations of a million groups make a snapshot of a hundred megabytes. Writing takes at most a tenth of the time: after one
/// that took half a second, the next waits five. A crash makes a server read again what came since, and nothing is lost by it.
struct SnapshotSchedule: Sendable {
    /// A snapshot is due this long after the last one, or earlier after this much has been read.
    static let minimumNanoseconds: Int64 = 1_000_000_000
    static let bytes = 8 << 20
    /// However long the last one took.
    static let maximumNanoseconds: Int64 = 30_000_000_000
    /// The time between two, in times of what one takes.
    static let costFactor: Int64 = 10

    private var last: Timestamp
    /// Nanoseconds that the last one took.
    private var cost: Int64 = 0

    init(now: Timestamp) {
        last = now
    }

    func isDue(now: Timestamp, bytes: Int) -> Bool {
        let elapsed = now.nanoseconds(since: last)
        // A clock that was set back says nothing.
        guard elapsed >= 0 else { return true }
        let pause = min(cost, SnapshotSchedule.maximumNanoseconds / SnapshotSchedule.costFactor) * SnapshotSchedule.costFactor
        return elapsed >= pause && (elapsed >= SnapshotSchedule.minimumNanoseconds || bytes >= SnapshotSchedule.bytes)
    }

    mutating func wrote(from start: Timestamp, to end: Timestamp) {
        cost = max(end.nanoseconds(since: start), 0)
        last = end
    }
}

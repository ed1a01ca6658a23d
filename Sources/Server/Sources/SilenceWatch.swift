import Detection
import Events

/// Raises a finding when a source that used to speak falls silent: its program may have died, its log may have been turned off.
///
/// Owned by `Watch`.
struct SilenceWatch {
    /// How often sources are asked.
    static let checkSeconds: Int64 = 10

    private(set) var rhythms: [String: SourceRhythm] = [:]
    private var nextCheck: Timestamp?

    /// - Parameters:
    ///   - rhythm: as it was in the last snapshot.
    ///   - isSpool: nothing is written to it while nobody listens, as a log is: that it did not grow since then says nothing.
    mutating func add(_ source: String, rhythm: SourceRhythm?, isSpool: Bool = false, now: Timestamp) {
        var rhythm = rhythm.flatMap { $0.isPlausible ? $0 : nil } ?? SourceRhythm(now: now)
        if isSpool { rhythm.resume(now: now) }
        rhythms[source] = rhythm
    }

    mutating func hear(_ source: String, _ batch: EventBatch, now: Timestamp) {
        rhythms[source]?.hear(batch, now: now)
    }

    /// Sources that have fallen silent since they were last asked about. To be called while nothing is left to read.
    mutating func findings(now: Timestamp) -> [Finding] {
        // A clock that was set back says nothing.
        if let nextCheck, now < nextCheck, nextCheck.nanoseconds(since: now) <= SilenceWatch.checkSeconds * 1_000_000_000 {
            return []
        }
        nextCheck = now.advanced(bySeconds: SilenceWatch.checkSeconds)
        var findings: [Finding] = []
        for source in rhythms.keys.sorted() {
            guard let rhythm = rhythms[source], let last = rhythm.last, rhythm.hasFallenSilent(now: now) else { continue }
            rhythms[source]?.report()
            findings.append(.silence(of: source, since: Timestamp(seconds: Int64(last)), now: now))
        }
        return findings
    }
}

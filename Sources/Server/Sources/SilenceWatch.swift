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

    /// - Parameter rhythm: as it was in the last snapshot.
    mutating func add(_ source: String, rhythm: SourceRhythm?, now: Timestamp) {
        rhythms[source] = rhythm.flatMap { $0.isPlausible ? $0 : nil } ?? SourceRhythm(now: now)
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
            findings.append(SilenceWatch.finding(source, last: last, now: now))
        }
        return findings
    }

    private static func finding(_ source: String, last: Int, now: Timestamp) -> Finding {
        let lastTime = Timestamp(nanoseconds: Int64(last) * 1_000_000_000)
        return Finding(
            // The same silence has the same name, however often it is noticed.
            id: FindingID.make(rule: ruleID, source: source, since: lastTime), time: now,
            rule: RuleHeader(
                id: ruleID, title: "\(source) has fallen silent",
                description: """
                    Nothing has come from this source for much longer than it was ever silent at this time of day. See whether its \
                    program runs, whether its log was turned off or redirected, and whether Vigie may still read it.
                    """,
                level: .medium, tags: ["attack.defense-impairment", "attack.t1562.006"], category: .tampering, author: "Vigie",
                falsePositives: ["A planned stop of the program; a holiday within the first weeks"], references: [],
                isHostile: false, file: "built in", line: 0, hash: "built in"),
            count: 1, firstSeen: lastTime, lastSeen: lastTime, otherAddresses: [], evidence: [])
    }

    static let ruleID = "5d0e4c4e-0f5a-4b0e-9a0c-6f0a3c6f1d27"
}

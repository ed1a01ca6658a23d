import Events

/// When a source speaks, learned from its own events, to tell when it has fallen silent.
///
/// For each hour of the day (UTC) of the last seven days it keeps the longest silence within that hour. A silence is measured
/// against it: an hour in which the source spoke on each of those days, three at least, has a patience of three times its longest
/// silence, ten minutes at least; the time spent in such an hour counts as the share of its patience. Once the shares sum up to
/// one, the source has fallen silent. An hour through which the source was silent on any of those days counts for nothing: one that
/// is silent every night, or on Sundays, is not waited for then.
struct SourceRhythm: Codable, Equatable, Sendable {
    static let days = 7
    static let leastDays = 3
    static let factor = 3
    static let leastPatience = 600

    /// Longest silence by day and hour, in seconds; 0 where nothing is known.
    private var silences: [Int]
    /// Which day since 1970 each row of `silences` is of.
    private var dayOfRow: [Int]
    /// Seconds since 1970, of the newest event.
    private(set) var last: Int?
    /// When something last came, in seconds since 1970.
    private(set) var heard: Int
    /// Since when somebody listens again, where nobody did.
    private var resumed: Int?
    /// Its silence has been reported.
    private(set) var isReported = false

    init(now: Timestamp) {
        silences = Array(repeating: 0, count: SourceRhythm.days * 24)
        dayOfRow = Array(repeating: -1, count: SourceRhythm.days)
        heard = Int(now.seconds)
    }

    /// Whether the numbers fit together: they come back from a file that may have been edited.
    var isPlausible: Bool { silences.count == SourceRhythm.days * 24 && dayOfRow.count == SourceRhythm.days }

    /// The time while nobody listened is no silence, and teaches none: for a source that cannot say anything then.
    mutating func resume(now: Timestamp) {
        heard = max(heard, Int(now.seconds))
        resumed = Int(now.seconds)
    }

    /// Something has come.
    mutating func hear(_ batch: EventBatch, now: Timestamp) {
        let present = Int(now.seconds)
        heard = max(heard, present)
        var hasTime = false
        for event in batch.events where event.hasOwnTime {
            hasTime = true
            learn(min(Int(event.time.seconds), present))
        }
        if !hasTime, !batch.events.isEmpty { learn(present) }
    }

    /// An event at that second; events out of order teach nothing.
    mutating func learn(_ time: Int) {
        // A forged date before 1970 teaches nothing.
        guard time >= 0 else { return }
        guard let last, !isReported else {
            // What was reported is not its rhythm.
            last = max(last ?? time, time)
            isReported = false
            return
        }
        guard time > last else { return }
        self.last = time
        // Longer than everything that is kept.
        guard time - last < SourceRhythm.days * 86_400 else {
            silences = silences.map { _ in 0 }
            return
        }
        SourceRhythm.eachHour(from: max(last, resumed ?? last), to: time) { hour, seconds in
            let row = (hour / 24) % SourceRhythm.days
            if dayOfRow[row] != hour / 24 {
                dayOfRow[row] = hour / 24
                for slot in row * 24..<row * 24 + 24 { silences[slot] = 0 }
            }
            let slot = row * 24 + hour % 24
            silences[slot] = max(silences[slot], seconds)
        }
    }

    /// Whether it has fallen silent, and that has not been reported.
    func hasFallenSilent(now: Timestamp) -> Bool {
        guard let last, !isReported else { return false }
        let present = Int(now.seconds)
        let start = max(last, heard, present - SourceRhythm.days * 86_400)
        guard start < present else { return false }
        var shares = 0.0
        SourceRhythm.eachHour(from: start, to: present) { hour, seconds in
            if let patience = patience(hour % 24, now: hour / 24) { shares += Double(seconds) / Double(patience) }
        }
        return shares >= 1
    }

    mutating func report() { isReported = true }

    /// How long a silence in that hour of the day may be, in seconds; `nil` where nothing is expected.
    func patience(_ hour: Int, now day: Int) -> Int? {
        var longest = 0
        var known = 0
        for row in 0..<SourceRhythm.days where dayOfRow[row] >= 0 && day - dayOfRow[row] <= SourceRhythm.days {
            let silence = silences[row * 24 + hour]
            if silence == 0 { continue }
            if silence >= 3_600 { return nil }
            known += 1
            longest = max(longest, silence)
        }
        return known >= SourceRhythm.leastDays ? max(SourceRhythm.leastPatience, SourceRhythm.factor * longest) : nil
    }

    /// The hours since 1970 that a time goes through, each with the seconds spent in it.
    private static func eachHour(from start: Int, to end: Int, _ body: (_ hour: Int, _ seconds: Int) -> Void) {
        var time = start
        while time < end {
            let next = min(end, (time / 3_600 + 1) * 3_600)
            body(time / 3_600, next - time)
            time = next
        }
    }
}

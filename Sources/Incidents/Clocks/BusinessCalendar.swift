package import Events

/// The hours in which a clock runs.
///
/// A moment is open when the wall clock of the zone shows a time within the hours of that weekday, and the day is no holiday.
/// So an hour that clocks show twice counts twice, and one that they leap over does not count.
package struct BusinessCalendar: Sendable, Equatable {
    package var zone: LocalZone
    /// Seconds into the day, by weekday from Monday; sorted, and apart from each other.
    package var hours: [[Range<Int64>]]
    package var holidays: Set<CivilDate>

    package init(zone: LocalZone, hours: [[Range<Int64>]], holidays: Set<CivilDate> = []) {
        self.zone = zone
        self.hours = hours
        self.holidays = holidays
    }

    /// Days without an open hour after which the search ends: longer than any closure that is meant.
    private static let maximumSteps = 20_000
    private static let second: Int64 = 1_000_000_000
    private static let day: Int64 = 86_400 * second

    /// The first open stretch that ends after `time`, cut to begin there; its end may be where clocks are set, and not where the
    /// hours end. `nil` when there is none for many years.
    private func stretch(after time: Timestamp) -> Range<Timestamp>? {
        var time = time
        for _ in 0..<Self.maximumSteps {
            let wall = zone.wallClock(at: time)
            let dayNumber = wall >= 0 ? wall / Self.day : (wall - Self.day + 1) / Self.day
            let timeOfDay = wall - dayNumber * Self.day
            let open = hours(onDay: Int(dayNumber)).first { $0.upperBound * Self.second > timeOfDay }
            // Where it is open now, to the end of that; else to where it opens, or to midnight.
            let isOpen = open.map { $0.lowerBound * Self.second <= timeOfDay } ?? false
            let target = open.map { (isOpen ? $0.upperBound : $0.lowerBound) * Self.second } ?? Self.day
            var end = time.advanced(byNanoseconds: target - timeOfDay)
            if let transition = zone.transition(after: time, notAfter: end) { end = transition }
            if isOpen { return time..<end }
            time = end
        }
        return nil
    }

    private func hours(onDay day: Int) -> [Range<Int64>] {
        guard !holidays.contains(CivilDate(daysSinceEpoch: day)) else { return [] }
        // 1970-01-01 was a Thursday.
        return hours[((day + 3) % 7 + 7) % 7]
    }

    /// When `budget` nanoseconds of open time have passed since `start`.
    package func moment(after budget: Int64, from start: Timestamp) -> Timestamp? {
        var (time, left) = (start, budget)
        if left <= 0 { return start }
        while let stretch = stretch(after: time) {
            let length = stretch.upperBound.nanoseconds(since: stretch.lowerBound)
            if length >= left { return stretch.lowerBound.advanced(byNanoseconds: left) }
            left -= length
            time = stretch.upperBound
        }
        return nil
    }

    /// Open nanoseconds between two moments.
    package func openTime(from start: Timestamp, to end: Timestamp) -> Int64 {
        var (time, sum) = (start, Int64(0))
        while time < end, let stretch = stretch(after: time), stretch.lowerBound < end {
            sum += min(stretch.upperBound, end).nanoseconds(since: stretch.lowerBound)
            time = stretch.upperBound
        }
        return sum
    }
}

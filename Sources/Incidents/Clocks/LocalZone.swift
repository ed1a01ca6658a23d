package import Events
import Foundation

/// A time zone: how far its clocks are from UTC at each moment.
package struct LocalZone: Sendable, Equatable {
    private let zone: TimeZone

    /// - Parameter name: of the IANA time zone database; `nil` when there is no such zone.
    package init?(_ name: String) {
        guard name == "UTC" || name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        self.zone = zone
    }

    package var name: String { zone.identifier }

    /// Seconds east of UTC.
    package func offset(at time: Timestamp) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(time.seconds))))
    }

    /// Nanoseconds since 1970-01-01 as the zone's clocks and calendars show them.
    func wallClock(at time: Timestamp) -> Int64 { time.advanced(bySeconds: offset(at: time)).nanoseconds }

    /// The first moment at which the zone's clocks show that time, or a later one where they leap over it.
    func moment(ofWallClock wall: Int64) -> Timestamp {
        let asUTC = Timestamp(nanoseconds: wall)
        // No zone is further from UTC than 15 h, and none sets its clocks twice within two days.
        let (before, after) = (asUTC.advanced(bySeconds: -86_400), asUTC.advanced(bySeconds: 86_400))
        for offset in [offset(at: before), offset(at: after)] {
            let moment = asUTC.advanced(bySeconds: -offset)
            if self.offset(at: moment) == offset { return moment }
        }
        return transition(after: before, notAfter: after) ?? asUTC
    }

    /// The first moment after `start` and not after `end` from which clocks are set otherwise; `nil` when they are not.
    ///
    /// Only for a stretch in which clocks are set at most once.
    func transition(after start: Timestamp, notAfter end: Timestamp) -> Timestamp? {
        let before = offset(at: start)
        guard offset(at: end) != before else { return nil }
        var (low, high) = (start.seconds, end.seconds)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offset(at: Timestamp(seconds: middle)) == before { low = middle } else { high = middle }
        }
        return Timestamp(seconds: high)
    }
}

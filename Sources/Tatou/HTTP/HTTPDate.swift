import Events

/// IMF-fixdate of RFC 9110 section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func text(_ moment: Timestamp) -> String {
        let date = moment.date
        // 1970-01-01 was a Thursday.
        let weekday = days[((date.daysSinceEpoch % 7) + 7) % 7]
        let clock = moment.rfc3339.dropFirst(11).prefix(8)
        return "\(weekday), \(padded(date.day)) \(months[date.month - 1]) \(date.year) \(clock) GMT"
    }

    /// `nil` for what is no such date; obsolete forms are not read, and a condition that is not understood does not hold.
    static func parse(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else { return nil }
        return Timestamp(rfc3339: "\(parts[3])-\(padded(month + 1))-\(parts[1])T\(parts[4])Z")
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}

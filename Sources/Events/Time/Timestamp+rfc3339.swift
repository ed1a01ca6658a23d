extension Timestamp {
    /// A date and time of day with its distance from UTC; `nil` when a part does not exist or the year is out of range.
    ///
    /// A leap second (`:60`) is taken as the first moment of the next minute.
    package init?(
        _ date: CivilDate,
        hour: Int,
        minute: Int,
        second: Int,
        nanosecond: Int = 0,
        offsetSeconds: Int = 0
    ) {
        guard (1677...2262).contains(date.year), date.exists,
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second),
            (0..<1_000_000_000).contains(nanosecond), (-86_399...86_399).contains(offsetSeconds)
        else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offsetSeconds
        // The first and the last year are not wholly in range; and the first moment's whole second lies before it.
        guard let exact = Int64(exactly: Int128(seconds) * 1_000_000_000 + Int128(nanosecond)) else { return nil }
        nanoseconds = exact
    }

    /// Year, month and day in UTC.
    package var date: CivilDate {
        let second = Int(seconds)
        return CivilDate(daysSinceEpoch: second >= 0 ? second / 86_400 : (second - 86_399) / 86_400)
    }

    /// RFC 3339 in UTC, with as many fractional digits as the value needs: none, 3, 6 or 9.
    package var rfc3339: String {
        let date = self.date
        let secondOfDay = Int(seconds) - date.daysSinceEpoch * 86_400
        let remainder = Int(nanoseconds % 1_000_000_000)
        let fraction = remainder < 0 ? remainder + 1_000_000_000 : remainder
        var text = ""
        text.reserveCapacity(30)
        text.appendPadded(date.year, width: 4)
        text += "-"
        text.appendPadded(date.month, width: 2)
        text += "-"
        text.appendPadded(date.day, width: 2)
        text += "T"
        text.appendPadded(secondOfDay / 3600, width: 2)
        text += ":"
        text.appendPadded(secondOfDay / 60 % 60, width: 2)
        text += ":"
        text.appendPadded(secondOfDay % 60, width: 2)
        if fraction != 0 {
            text += "."
            if fraction % 1_000_000 == 0 {
                text.appendPadded(fraction / 1_000_000, width: 3)
            } else if fraction % 1_000 == 0 {
                text.appendPadded(fraction / 1_000, width: 6)
            } else {
                text.appendPadded(fraction, width: 9)
            }
        }
        text += "Z"
        return text
    }

    /// Reads RFC 3339 (and the ISO 8601 forms logs use: a space for the `T`, `+0200` for `+02:00`); `nil` when it is not one.
    package init?(rfc3339 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let parsed = Timestamp(iso8601: bytes.span, assumedOffsetSeconds: nil) else { return nil }
        self = parsed
    }
}

extension String {
    /// Appends a non-negative number, padded with zeros on the left.
    fileprivate mutating func appendPadded(_ number: Int, width: Int) {
        let digits = String(number)
        for _ in 0..<max(0, width - digits.utf8.count) { self += "0" }
        self += digits
    }
}

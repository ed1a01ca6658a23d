extension Timestamp {
    /// Reads `YYYY-MM-DD[T ]hh:mm:ss[.,fraction][Z|±hh[:]mm]`, as RFC 3339 defines it and as logs vary it.
    ///
    /// - Parameters:
    ///   - bytes: exactly the text of the moment, nothing before or after it.
    ///   - assumedOffsetSeconds: the distance from UTC of a text that names none; `nil` refuses such a text.
    package init?(iso8601 bytes: Span<UInt8>, assumedOffsetSeconds: Int?) {
        var scanner = DigitScanner(bytes)
        guard let year = scanner.number(digits: 4), scanner.take(UInt8(ascii: "-")) || scanner.take(UInt8(ascii: "/")),
            let month = scanner.number(digits: 2), scanner.take(UInt8(ascii: "-")) || scanner.take(UInt8(ascii: "/")),
            let day = scanner.number(digits: 2),
            scanner.take(UInt8(ascii: "T")) || scanner.take(UInt8(ascii: " ")) || scanner.take(UInt8(ascii: "t")),
            let hour = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let minute = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let second = scanner.number(digits: 2)
        else { return nil }
        var nanosecond = 0
        if scanner.take(UInt8(ascii: ".")) || scanner.take(UInt8(ascii: ",")) {
            guard let fraction = scanner.fraction() else { return nil }
            nanosecond = fraction
        }
        let offset: Int
        if scanner.isAtEnd {
            guard let assumedOffsetSeconds else { return nil }
            offset = assumedOffsetSeconds
        } else {
            // `2026-03-01 10:00:00 +0000`, as many programs print it.
            _ = scanner.take(UInt8(ascii: " "))
            if scanner.take(UInt8(ascii: "Z")) || scanner.take(UInt8(ascii: "z")) {
                offset = 0
            } else {
                guard let named = scanner.offset() else { return nil }
                offset = named
            }
        }
        guard scanner.isAtEnd else { return nil }
        self.init(
            CivilDate(year: year, month: month, day: day), hour: hour, minute: minute, second: second,
            nanosecond: nanosecond, offsetSeconds: offset)
    }
}

/// Reads fixed-width digit groups from a span.
public struct DigitScanner: ~Escapable {
    private let bytes: Span<UInt8>
    public private(set) var index = 0

    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    public var isAtEnd: Bool { index == bytes.count }

    /// Passes over `count` bytes that the caller has looked at itself; never past the end.
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) {
        index = min(index + count, bytes.count)
    }

    @_lifetime(self: copy self)
    public mutating func take(_ byte: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    /// Exactly `digits` decimal digits.
    @_lifetime(self: copy self)
    public mutating func number(digits: Int) -> Int? {
        guard index + digits <= bytes.count else { return nil }
        var value = 0
        for position in index..<index + digits {
            let digit = bytes[position] &- 0x30
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        index += digits
        return value
    }

    /// A decimal fraction of a second, in nanoseconds; digits past the ninth are read and dropped.
    @_lifetime(self: copy self)
    public mutating func fraction() -> Int? {
        var nanoseconds = 0
        var scale = 100_000_000
        let start = index
        while index < bytes.count, bytes[index] &- 0x30 <= 9 {
            nanoseconds += Int(bytes[index] &- 0x30) * scale
            scale /= 10
            index += 1
        }
        return index > start ? nanoseconds : nil
    }

    /// `±hh:mm`, `±hhmm` or `±hh`, in seconds east of UTC.
    @_lifetime(self: copy self)
    public mutating func offset() -> Int? {
        let sign: Int
        if take(UInt8(ascii: "+")) { sign = 1 } else if take(UInt8(ascii: "-")) { sign = -1 } else { return nil }
        guard let hours = number(digits: 2), hours <= 23 else { return nil }
        if isAtEnd { return sign * hours * 3600 }
        _ = take(UInt8(ascii: ":"))
        guard let minutes = number(digits: 2), minutes <= 59 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

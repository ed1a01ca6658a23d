import Events

/// How a program writes a moment, in the letters of `strftime`.
///
/// `%Y %y %m %b %d %H %I %p %M %S`, `%f` for a fraction with its point or comma if there is one, `%z` for a zone if there is
/// one, `%a` for the day of the week, `%s` for seconds since 1970. Days and hours may have one digit or a space in front.
/// Without a year the latest one is taken that does not lie more than a day ahead; without a zone UTC.
struct TimeLayout: Equatable, Sendable {
    enum Step: Equatable {
        case literal(UInt8)
        case year, shortYear, month, monthName, day, hour, halfDay, minute, second, fraction, zone, weekday, epoch
    }

    let steps: [Step]
    let example: String

    static let names = ["iso", "syslog", "clf", "ctime", "epoch"]

    static let iso = TimeLayout(steps: [], example: "2026-03-01T10:00:00.123+01:00")

    /// A name or a layout; `nil` when `text` is neither.
    init?(_ text: String) throws(PatternSyntax.Failure) {
        let layout: String
        switch text {
        case "iso":
            self = .iso
            return
        case "syslog": layout = "%b %d %H:%M:%S%f"
        case "clf": layout = "%d/%b/%Y:%H:%M:%S%f%z"
        case "ctime": layout = "%a %b %d %H:%M:%S%f %Y"
        case "epoch": layout = "%s%f"
        default: layout = text
        }
        guard layout.utf8.contains(UInt8(ascii: "%")) else { return nil }
        var steps: [Step] = []
        var isEscaped = false
        for byte in layout.utf8 {
            if isEscaped {
                isEscaped = false
                guard let step = TimeLayout.letters[byte] else {
                    throw PatternSyntax.Failure(reason: "the time layout has no %\(Character(UnicodeScalar(byte)))")
                }
                steps.append(step)
            } else if byte == UInt8(ascii: "%") {
                isEscaped = true
            } else {
                steps.append(.literal(byte))
            }
        }
        self.steps = steps
        example = layout
    }

    private init(steps: [Step], example: String) {
        self.steps = steps
        self.example = example
    }

    private static let letters: [UInt8: Step] = [
        UInt8(ascii: "Y"): .year, UInt8(ascii: "y"): .shortYear, UInt8(ascii: "m"): .month, UInt8(ascii: "b"): .monthName,
        UInt8(ascii: "d"): .day, UInt8(ascii: "H"): .hour, UInt8(ascii: "I"): .hour, UInt8(ascii: "p"): .halfDay,
        UInt8(ascii: "M"): .minute, UInt8(ascii: "S"): .second, UInt8(ascii: "f"): .fraction, UInt8(ascii: "z"): .zone,
        UInt8(ascii: "a"): .weekday, UInt8(ascii: "s"): .epoch, UInt8(ascii: "%"): .literal(UInt8(ascii: "%")),
    ]

    /// The moment that begins at `start`, and where the line goes on.
    func take(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, reference: Timestamp) -> (time: Timestamp, next: Int)? {
        var reader = TimeReader(index: start, end: end)
        let isRead = steps.isEmpty ? reader.iso(bytes) : reader.read(steps.span, bytes)
        guard isRead, let time = reader.moment(reference: reference) else { return nil }
        return (time, reader.index)
    }
}

/// Reads one moment. The bytes are passed along, so that this stays an ordinary value.
private struct TimeReader {
    var index: Int
    let end: Int
    var year: Int?
    var month = 1
    var day = 1
    var hour = 0
    var minute = 0
    var second = 0
    var nanosecond = 0
    var offset = 0
    var epoch: Int?

    init(index: Int, end: Int) {
        self.index = index
        self.end = end
    }

    mutating func read(_ steps: Span<TimeLayout.Step>, _ bytes: Span<UInt8>) -> Bool {
        for position in steps.indices where !read(steps[position], bytes) { return false }
        return true
    }

    /// `YYYY-MM-DD[T ]hh:mm:ss[.,fraction][ ][Z|UTC|±hh[:]mm]`.
    mutating func iso(_ bytes: Span<UInt8>) -> Bool {
        guard set(\.year, number(bytes, 4...4)), take(bytes, "-") || take(bytes, "/"), set(\.month, number(bytes, 2...2)),
            take(bytes, "-") || take(bytes, "/"), set(\.day, number(bytes, 2...2)), take(bytes, "T") || take(bytes, " ")
        else { return false }
        return read(.hour, bytes) && take(bytes, ":") && read(.minute, bytes) && take(bytes, ":") && read(.second, bytes)
            && read(.fraction, bytes) && read(.zone, bytes)
    }

    private mutating func read(_ step: TimeLayout.Step, _ bytes: Span<UInt8>) -> Bool {
        switch step {
        case .literal(let byte):
            guard index < end, bytes[index] == byte else { return false }
            index += 1
            return true
        case .year: return set(\.year, number(bytes, 4...4))
        case .shortYear: return set(\.year, number(bytes, 2...2).map { $0 + (2000) })
        case .month: return set(\.month, number(bytes, 1...2))
        case .monthName:
            guard index + 3 <= end, let named = MonthName.number(bytes, at: index) else { return false }
            month = named
            // `Sept`, `sept.`, `January`.
            while index < end, (bytes[index] | 0x20) &- 0x61 < 26 || bytes[index] == UInt8(ascii: ".") { index += 1 }
            return true
        case .day:
            while take(bytes, " ") {}
            return set(\.day, number(bytes, 1...2))
        case .hour:
            _ = take(bytes, " ")
            return set(\.hour, number(bytes, 1...2))
        case .minute: return set(\.minute, number(bytes, 2...2))
        case .second: return set(\.second, number(bytes, 2...2))
        case .halfDay:
            guard index + 2 <= end, bytes[index + 1] | 0x20 == UInt8(ascii: "m"), (1...12).contains(hour) else { return false }
            let letter = bytes[index] | 0x20
            guard letter == UInt8(ascii: "a") || letter == UInt8(ascii: "p") else { return false }
            hour = hour % 12 + (letter == UInt8(ascii: "p") ? 12 : 0)
            index += 2
            return true
        case .fraction:
            guard index + 1 < end, bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ","),
                bytes[index + 1] &- 0x30 <= 9
            else { return true }
            var scanner = DigitScanner(bytes.extracting(index + 1..<end))
            nanosecond = scanner.fraction() ?? 0
            index += 1 + scanner.index
            return true
        case .zone: return zone(bytes)
        case .weekday:
            let start = index
            while index < end, (bytes[index] | 0x20) &- 0x61 < 26 { index += 1 }
            return index - start >= 2
        case .epoch:
            epoch = number(bytes, 9...13)
            return epoch != nil
        }
    }

    private mutating func zone(_ bytes: Span<UInt8>) -> Bool {
        let start = index
        _ = take(bytes, " ")
        if take(bytes, "Z") { return true }
        for name: StaticString in ["UTC", "GMT"] where bytes.hasPrefix(name, from: index, to: end) {
            index += 3
            return true
        }
        var scanner = DigitScanner(bytes.extracting(index..<min(end, index + 6)))
        if let named = scanner.offset() {
            offset = named
            index += scanner.index
        } else {
            index = start
        }
        return true
    }

    func moment(reference: Timestamp) -> Timestamp? {
        if let epoch {
            return epoch < 100_000_000_000
                ? Timestamp(seconds: Int64(epoch)).advanced(byNanoseconds: Int64(nanosecond))
                : Timestamp(nanoseconds: 0).advanced(byNanoseconds: Int64(epoch) * 1_000_000)
        }
        if let year { return resolved(year) }
        let limit = reference.advanced(bySeconds: 86_400)
        // 29 February exists in one year of four, or of eight around 2100.
        for back in 0...8 {
            if let time = resolved(limit.date.year - back), time <= limit { return time }
        }
        return nil
    }

    private func resolved(_ year: Int) -> Timestamp? {
        Timestamp(
            CivilDate(year: year, month: month, day: day), hour: hour, minute: minute, second: second, nanosecond: nanosecond,
            offsetSeconds: offset)
    }

    private mutating func number(_ bytes: Span<UInt8>, _ digits: ClosedRange<Int>) -> Int? {
        let start = index
        while index < end, index - start < digits.upperBound, bytes[index] &- 0x30 <= 9 { index += 1 }
        return index - start >= digits.lowerBound ? bytes.decimal(from: start, to: index) : nil
    }

    private mutating func take(_ bytes: Span<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard index < end, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func set(_ path: WritableKeyPath<TimeReader, Int>, _ value: Int?) -> Bool {
        guard let value else { return false }
        self[keyPath: path] = value
        return true
    }

    private mutating func set(_ path: WritableKeyPath<TimeReader, Int?>, _ value: Int?) -> Bool {
        guard let value else { return false }
        self[keyPath: path] = value
        return true
    }
}

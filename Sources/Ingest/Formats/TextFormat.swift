import Events

/// Any text line with a date: nginx's and Apache's error logs, and what applications write who have no format of their own.
///
/// The date may stand behind a bracket or a word or two. JSON behind the date (container runtimes, prefixed loggers) is
/// read as JSON.
enum TextFormat {
    /// A date further into the line than this belongs to the message.
    static let dateLimit = 64

    static func parse(
        _ bytes: Span<UInt8>, _ line: ByteRange, plan: JSONFieldPlan, reference: Timestamp, into sink: inout FieldSink
    ) -> ParsedLine? {
        guard let (time, after) = date(bytes, line) else { return nil }
        if line.end > after, bytes[line.end - 1] == UInt8(ascii: "}"),
            let open = bytes.firstIndex(of: UInt8(ascii: "{"), from: after, to: line.end)
        {
            let kept = sink.values.count
            if let inner = JSONFormat.parse(bytes, ByteRange(start: open, count: line.end - open), plan: plan, into: &sink) {
                return ParsedLine(time: inner.time ?? time, logSource: inner.logSource)
            }
            sink.values.removeLast(sink.values.count - kept)
            sink.escaped.removeAll()
        }
        sink.add(.message, Int(line.start), line.end)
        FreeText.addEntities(bytes, after..<line.end, into: &sink)
        return ParsedLine(
            time: time, logSource: .linux, certainty: LineBeginning.isKnown(bytes, line.bounds) ? .broken : .plain)
    }

    /// The first date in the line, and where the text after it begins.
    private static func date(_ bytes: Span<UInt8>, _ line: ByteRange) -> (Timestamp, Int)? {
        let end = min(line.end, Int(line.start) + dateLimit)
        var index = Int(line.start)
        while index + 19 <= end {
            if index == Int(line.start) || !isWordByte(bytes[index - 1]) {
                if bytes[index] &- 0x30 <= 9 {
                    if let found = numericDate(bytes, index, line.end) { return found }
                } else if let found = namedDate(bytes, index, line.end) {
                    return found
                }
            }
            index += 1
        }
        return nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26
    }

    /// `2026-03-01T10:00:00.123+01:00` and its kin, `2026/03/01 10:00:00`, `01/Mar/2026:10:00:00 +0000`.
    private static func numericDate(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (Timestamp, Int)? {
        if let time = CombinedFormat.time(bytes.extracting(start..<min(end, start + 26))) { return (time, min(end, start + 26)) }
        if let time = CombinedFormat.time(bytes.extracting(start..<min(end, start + 20))) { return (time, min(end, start + 20)) }
        if let found = dayFirstDate(bytes, start, end) { return found }
        // The longest text that is a date: with or without fraction and zone.
        var length = min(end - start, 40)
        while length >= 19 {
            let next = start + length
            if next == end || !isWordByte(bytes[next]),
                let time = Timestamp(iso8601: bytes.extracting(start..<next), assumedOffsetSeconds: 0)
            {
                return (time, next)
            }
            length -= 1
        }
        return nil
    }

    /// `01 Mar 2026 10:00:00.123`, as Redis has it.
    private static func dayFirstDate(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (Timestamp, Int)? {
        guard end - start >= 19, bytes[start + 1] == 0x20 || bytes[start + 2] == 0x20 else { return nil }
        var scanner = DigitScanner(bytes.extracting(start..<min(end, start + 40)))
        guard let day = scanner.number(digits: 2) ?? scanner.number(digits: 1), scanner.take(0x20),
            let month = MonthName.number(bytes, at: start + scanner.index)
        else { return nil }
        scanner.skip(3)
        guard scanner.take(0x20), let year = scanner.number(digits: 4), scanner.take(0x20),
            let hour = scanner.number(digits: 2),
            scanner.take(UInt8(ascii: ":")), let minute = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let second = scanner.number(digits: 2)
        else { return nil }
        let fraction = scanner.take(UInt8(ascii: ".")) ? scanner.fraction() ?? 0 : 0
        guard
            let time = Timestamp(
                CivilDate(year: year, month: month, day: day), hour: hour, minute: minute, second: second, nanosecond: fraction)
        else { return nil }
        return (time, start + scanner.index)
    }

    /// `Wed Oct 11 14:32:52.123 2000`, as Apache's error log has it.
    private static func namedDate(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (Timestamp, Int)? {
        guard end - start >= 24, bytes[start + 3] == 0x20, let month = MonthName.number(bytes, at: start + 4),
            bytes[start + 7] == 0x20
        else {
            return nil
        }
        var scanner = DigitScanner(bytes.extracting(start + 8..<min(end, start + 40)))
        _ = scanner.take(0x20)
        guard let day = scanner.number(digits: 2) ?? scanner.number(digits: 1), scanner.take(0x20),
            let hour = scanner.number(digits: 2),
            scanner.take(UInt8(ascii: ":")), let minute = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let second = scanner.number(digits: 2)
        else { return nil }
        let fraction = scanner.take(UInt8(ascii: ".")) ? scanner.fraction() ?? 0 : 0
        guard scanner.take(0x20), let year = scanner.number(digits: 4),
            let time = Timestamp(
                CivilDate(year: year, month: month, day: day), hour: hour, minute: minute, second: second, nanosecond: fraction)
        else { return nil }
        return (time, start + 8 + scanner.index)
    }
}

import Events

/// Syslog lines: RFC 3164 (`Mmm dd hh:mm:ss host tag[pid]: message`), the same with an ISO 8601 date, and RFC 5424;
/// each with or without `<priority>`. sshd's messages are read further by `SSHDMessage`.
enum SyslogFormat {
    /// - Parameter reference: resolves dates without a year: the latest year that does not lie more than a day ahead of it.
    static func parse(
        _ bytes: Span<UInt8>, _ line: ByteRange, plan: JSONFieldPlan, matcher: inout FormatMatcher, reference: Timestamp,
        into sink: inout FieldSink
    ) -> ParsedLine? {
        let end = line.end
        var index = afterPriority(bytes, Int(line.start), end)
        let isRFC5424 = bytes.hasPrefix("1 ", from: index, to: end)
        if isRFC5424 { index += 2 }
        // An ISO date may stand in front of any text.
        let isSurely3164 = !isRFC5424 && (index > Int(line.start) || (index < end && bytes[index] &- 0x30 > 9))
        var time: Timestamp?
        // RFC 5424 §6.2.3: a sender that knows no time writes `-`, and likewise for its names.
        if isRFC5424, bytes.hasPrefix("- ", from: index, to: end) {
            index += 2
        } else {
            guard let (found, afterTime) = date(bytes, index, end, reference: reference) else { return nil }
            time = found
            index = afterTime
        }
        // Some devices leave their own name out: what ends in a colon is the program.
        let start = index
        guard var host = word(bytes, &index, end) else { return nil }
        if !isRFC5424, bytes[host.upperBound - 1] == UInt8(ascii: ":") || KeyValueFormat.isCEF(bytes, at: start, to: end) {
            index = start
            host = start..<start
        }
        let message: Int
        let program: Range<Int>
        if isRFC5424 {
            guard let name = word(bytes, &index, end), let process = word(bytes, &index, end), word(bytes, &index, end) != nil,
                let start = afterStructuredData(bytes, index, end)
            else { return nil }
            program = name
            if bytes.decimal(from: process.lowerBound, to: process.upperBound) != nil {
                sink.add(.processID, process.lowerBound, process.upperBound)
            }
            message = start
        } else if KeyValueFormat.isCEF(bytes, at: index, to: end) {
            program = index..<index
            message = index
        } else if let tag = tag(bytes, index, end) {
            program = tag.name
            if let process = tag.process { sink.add(.processID, process.lowerBound, process.upperBound) }
            message = tag.message
        } else {
            // What syslog daemons say themselves has no tag: `last message repeated 2 times`, `-- MARK --`.
            guard isSurely3164, !host.isEmpty else { return nil }
            program = index..<index
            message = index
        }
        let isNil = { (bytes: Span<UInt8>, range: Range<Int>) in range.count == 1 && bytes[range.lowerBound] == UInt8(ascii: "-")
        }
        if !host.isEmpty, !isNil(bytes, host) { sink.add(.hostName, host.lowerBound, host.upperBound) }
        if !program.isEmpty, !isNil(bytes, program) { sink.add(.processName, program.lowerBound, program.upperBound) }
        var parsed = read(
            bytes, program: program, message: message..<end, plan: plan, matcher: &matcher, reference: reference, into: &sink)
        if sink.range(of: .message) == nil { sink.add(.message, message, end) }
        parsed.time = parsed.time ?? time
        return parsed
    }

    /// What the program's own message says; its time only where that is surer than the header's, which knows no zone.
    private static func read(
        _ bytes: Span<UInt8>, program: Range<Int>, message: Range<Int>, plan: JSONFieldPlan, matcher: inout FormatMatcher,
        reference: Timestamp, into sink: inout FieldSink
    ) -> ParsedLine {
        let end = program.upperBound
        if bytes.hasPrefix("sshd", from: program.lowerBound, to: end) {
            SSHDMessage.parse(bytes, message, into: &sink)
            return ParsedLine(time: nil, logSource: .sshd)
        }
        if KeyValueFormat.isCEF(bytes, at: message.lowerBound, to: message.upperBound) {
            return readCEF(bytes, message, plan: plan, matcher: &matcher, reference: reference, into: &sink)
        }
        if let known = matcher.readMessage(
            bytes, message, program: program.isEmpty ? nil : program, reference: reference, into: &sink)
        {
            return ParsedLine(time: nil, logSource: known.logSource)
        }
        // A web server or an application that logs through syslog: the message is an access line, or JSON.
        let range = ByteRange(start: message.lowerBound, count: message.count)
        let kept = sink.values.count
        if let request = CombinedFormat.parse(bytes, range, into: &sink) { return request }
        sink.values.removeLast(sink.values.count - kept)
        if !message.isEmpty, bytes[message.lowerBound] == UInt8(ascii: "{") {
            if var inner = JSONFormat.parse(bytes, range, plan: plan, into: &sink) {
                matcher.refine(bytes, &inner, reference: reference, into: &sink) {
                    JSONFormat.scan(bytes, range, plan: $0, into: &$1)
                }
                return ParsedLine(time: nil, logSource: inner.logSource)
            }
            sink.values.removeLast(sink.values.count - kept)
            sink.escaped.removeAll()
        }
        FreeText.addEntities(bytes, message, into: &sink)
        var logSource = LogSourceID.linux
        if program.count == 4, bytes.hasPrefix("sudo", from: program.lowerBound, to: end) { logSource = .sudo }
        if program.count == 2, bytes.hasPrefix("su", from: program.lowerBound, to: end) { logSource = .su }
        return ParsedLine(time: nil, logSource: logSource, certainty: LineBeginning.isKnown(bytes, message) ? .broken : .plain)
    }

    /// A device's event: only where it is the whole message, for further inside it may be somebody's user name.
    private static func readCEF(
        _ bytes: Span<UInt8>, _ message: Range<Int>, plan: JSONFieldPlan, matcher: inout FormatMatcher, reference: Timestamp,
        into sink: inout FieldSink
    ) -> ParsedLine {
        KeyValueFormat.scan(bytes, message, plan: plan, into: &sink)
        sink.addRequestFields(bytes)
        var parsed = ParsedLine(
            time: sink.range(of: .timestamp).flatMap { JSONFormat.timestamp(bytes, $0.bounds) },
            logSource: .application(isRequest: sink.range(of: .urlOriginal) != nil, isAuthentication: false))
        guard !matcher.isEmpty else { return parsed }
        matcher.refine(bytes, &parsed, reference: reference, into: &sink) { plan, keyed in
            KeyValueFormat.scan(bytes, message, plan: plan, into: &keyed) > 0
        }
        ClientAddress.normalise(bytes, &sink)
        return parsed
    }

    /// The time of a line's header, for what stands behind it without one.
    static func time(_ bytes: Span<UInt8>, _ line: Range<Int>, reference: Timestamp) -> Timestamp? {
        var index = afterPriority(bytes, line.lowerBound, line.upperBound)
        if bytes.hasPrefix("1 ", from: index, to: line.upperBound) { index += 2 }
        return date(bytes, index, line.upperBound, reference: reference)?.0
    }

    private static func afterPriority(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard start < end, bytes[start] == UInt8(ascii: "<"),
            let close = bytes.firstIndex(of: UInt8(ascii: ">"), from: start, to: min(end, start + 5)),
            bytes.decimal(from: start + 1, to: close) != nil
        else { return start }
        return close + 1
    }

    private static func word(_ bytes: Span<UInt8>, _ index: inout Int, _ end: Int) -> Range<Int>? {
        let start = index
        while index < end, bytes[index] != 0x20 { index += 1 }
        guard index > start, index < end else { return nil }
        let found = start..<index
        index += 1
        return found
    }

    /// The date at `start`, and where the text after it begins.
    private static func date(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, reference: Timestamp
    ) -> (Timestamp, Int)? {
        guard end - start >= 16 else { return nil }
        if bytes[start] &- 0x30 <= 9 {
            guard let stop = bytes.firstIndex(of: 0x20, from: start + 11, to: min(end, start + 40)),
                let time = Timestamp(iso8601: bytes.extracting(start..<stop), assumedOffsetSeconds: 0)
            else { return nil }
            return (time, stop + 1)
        }
        guard let month = MonthName.number(bytes, at: start), bytes[start + 3] == 0x20 else { return nil }
        var scanner = DigitScanner(bytes.extracting(start + 4..<min(end, start + 28)))
        let day: Int
        if scanner.take(0x20) {
            guard let digit = scanner.number(digits: 1) else { return nil }
            day = digit
        } else if let two = scanner.number(digits: 2) {
            day = two
        } else {
            guard let digit = scanner.number(digits: 1) else { return nil }
            day = digit
        }
        guard scanner.take(0x20) else { return nil }
        // Some daemons write the year here: `Jun 14 2025 15:16:01`.
        var year: Int?
        if let candidate = yearAhead(bytes, start + 4 + scanner.index, end) {
            year = candidate
            scanner.skip(5)
        }
        guard let hour = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let minute = scanner.number(digits: 2), scanner.take(UInt8(ascii: ":")),
            let second = scanner.number(digits: 2)
        else { return nil }
        var nanosecond = 0
        if scanner.take(UInt8(ascii: ".")) { nanosecond = scanner.fraction() ?? 0 }
        guard scanner.take(0x20) else { return nil }
        let resolve = { (year: Int) in
            Timestamp(
                CivilDate(year: year, month: month, day: day), hour: hour, minute: minute, second: second, nanosecond: nanosecond)
        }
        let after = start + 4 + scanner.index
        if let year { return resolve(year).map { ($0, after) } }
        let limit = reference.advanced(bySeconds: 86_400)
        // 29 February exists in one year of four, or of eight around 2100.
        for back in 0...8 {
            if let time = resolve(limit.date.year - back), time <= limit { return (time, after) }
        }
        return nil
    }

    private static func yearAhead(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        guard start + 5 <= end, bytes[start + 4] == 0x20, let year = bytes.decimal(from: start, to: start + 4),
            (1970...2261).contains(year)
        else { return nil }
        return year
    }

    private struct Tag {
        var name: Range<Int>
        var process: Range<Int>?
        var message: Int
    }

    /// `program[pid]: ` or `program: `.
    private static func tag(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Tag? {
        var index = start
        while index < end, bytes[index] != UInt8(ascii: ":"), bytes[index] != UInt8(ascii: "["), bytes[index] != 0x20 {
            index += 1
        }
        guard index > start, index < end, bytes[index] != 0x20 else { return nil }
        let name = start..<index
        var process: Range<Int>?
        if bytes[index] == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]"), from: index, to: min(end, index + 64)) else { return nil }
            if bytes.decimal(from: index + 1, to: close) != nil { process = index + 1..<close }
            index = close + 1
        }
        guard index < end, bytes[index] == UInt8(ascii: ":") else { return nil }
        index += 1
        if index < end, bytes[index] == 0x20 { index += 1 }
        return Tag(name: name, process: process, message: index)
    }

    /// Past `-` or `[id name="value"]…` (RFC 5424 §6.3) and the byte order mark that may follow.
    private static func afterStructuredData(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var index = start
        guard index < end else { return nil }
        if bytes[index] == UInt8(ascii: "-") {
            index += 1
        } else {
            while index < end, bytes[index] == UInt8(ascii: "[") {
                var inQuotes = false
                index += 1
                while index < end {
                    let byte = bytes[index]
                    if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { inQuotes.toggle() }
                    index += 1
                    if byte == UInt8(ascii: "]"), !inQuotes { break }
                }
            }
            guard index > start else { return nil }
        }
        if index < end, bytes[index] == 0x20 { index += 1 }
        if end - index >= 3, bytes[index] == 0xEF, bytes[index + 1] == 0xBB, bytes[index + 2] == 0xBF { index += 3 }
        return min(index, end)
    }
}

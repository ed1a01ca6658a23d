import Events

/// Lines of keys and values: logfmt (`level=warn msg="no such user"`), other `key=value` texts, and CEF.
enum KeyValueFormat {
    /// A text with fewer pairs is a sentence with an equals sign in it.
    static let minimumPairs = 3

    /// Reads a line that begins with a pair, or with CEF's header, at once or behind a date or a word or two.
    static func parse(
        _ bytes: Span<UInt8>, _ line: ByteRange, plan: JSONFieldPlan, into sink: inout FieldSink
    ) -> ParsedLine? {
        guard let start = start(bytes, line.bounds) else { return nil }
        guard scan(bytes, start..<line.end, plan: plan, into: &sink) >= minimumPairs else {
            sink.removeAll()
            return nil
        }
        if sink.range(of: .urlOriginal) == nil { _ = sink.addTargetOfParts(bytes) }
        sink.addRequestFields(bytes)
        let time = sink.range(of: .timestamp).flatMap { JSONFormat.timestamp(bytes, $0.bounds) }
        let isRequest = sink.range(of: .urlOriginal) != nil
        return ParsedLine(time: time, logSource: .application(isRequest: isRequest, isAuthentication: false))
    }

    /// Where the pairs begin.
    static func start(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int? {
        if let header = cefHeader(bytes, line) { return header }
        var index = line.lowerBound
        while index < line.upperBound, bytes[index] == 0x20 { index += 1 }
        let first = index
        while index < line.upperBound, isKeyByte(bytes[index]) { index += 1 }
        return index > first && index < line.upperBound && bytes[index] == UInt8(ascii: "=") ? first : nil
    }

    /// Reads the pairs of the range; returns how many there are.
    @discardableResult
    static func scan(_ bytes: Span<UInt8>, _ range: Range<Int>, plan: JSONFieldPlan, into sink: inout FieldSink) -> Int {
        var pairs = 0
        let body = cefExtension(bytes, range) { part, value in
            pairs += 1
            let key = cefKeys[part]
            guard !value.isEmpty, let entry = plan.entry(hash: key.hash, isEqual: { $0 == key.name }) else { return }
            let field = plan.entries[entry].field
            if sink.range(of: field) == nil { sink.add(field, value.lowerBound, value.upperBound) }
        }
        let isCEF = body != nil
        var index = body ?? range.lowerBound
        let end = range.upperBound
        while index < end {
            while index < end, !isKeyByte(bytes[index]) { index += 1 }
            let keyStart = index
            var hash = JSONFieldPlan.hashSeed
            while index < end, isKeyByte(bytes[index]) {
                hash = JSONFieldPlan.extend(hash, bytes[index])
                index += 1
            }
            let key = keyStart..<index
            guard index < end, bytes[index] == UInt8(ascii: "=") else { continue }
            index += 1
            var value = index..<index
            var isEscaped = false
            if index < end, bytes[index] == UInt8(ascii: "\"") {
                let first = index + 1
                index = first
                while index < end, bytes[index] != UInt8(ascii: "\"") {
                    if bytes[index] == UInt8(ascii: "\\") {
                        isEscaped = true
                        index += 1
                    }
                    index += 1
                }
                guard index < end else { return pairs }
                value = first..<index
                index += 1
            } else {
                let first = index
                index = isCEF ? cefValueEnd(bytes, index, end) : bareValueEnd(bytes, index, end)
                var last = index
                if !isCEF, last > first, ",;".utf8.contains(bytes[last - 1]) { last -= 1 }
                value = first..<last
            }
            pairs += 1
            guard !AbsentValue.isBlank(bytes, value.lowerBound, value.upperBound) else { continue }
            guard let field = plan.entry(hash: hash, isEqual: { isEqual($0, bytes, key) }).map({ plan.entries[$0].field }),
                sink.range(of: field) == nil,
                FieldSink.bit(field) & plan.optional == 0
                    || !AbsentValue.isAbsent(bytes, value.lowerBound, value.upperBound, field)
            else {
                continue
            }
            if isEscaped { sink.escaped.append(sink.values.count) }
            sink.add(field, value.lowerBound, value.upperBound)
        }
        return pairs
    }

    private static func bareValueEnd(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, bytes[index] > 0x20 { index += 1 }
        return index
    }

    /// A CEF value reaches to the space in front of the next key: values hold spaces, and `\=` for an equals sign.
    private static func cefValueEnd(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        var lastSpace = -1
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\\") {
                index += 2
                continue
            }
            if byte == 0x20 {
                lastSpace = index
            } else if byte == UInt8(ascii: "="), lastSpace >= start {
                return lastSpace
            } else if !isKeyByte(byte) {
                lastSpace = -1
            }
            index += 1
        }
        return end
    }

    /// What the parts of CEF's header are called, beside the keys of its extension.
    private static let cefKeys: [(name: [UInt8], hash: UInt64)] = [
        "cef.vendor", "cef.product", "cef.version", "cef.class", "cef.name", "cef.severity",
    ].map { (Array($0.utf8), JSONFieldPlan.hash(Array($0.utf8))) }

    /// Where `CEF:0|` stands: at once, or directly behind a syslog header that names no program. In a program's message it may be
    /// somebody's user name.
    static func cefHeader(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int? {
        guard let found = bytes.firstIndex(of: "CEF:", from: line.lowerBound, to: min(line.upperBound, line.lowerBound + 128)),
            isCEF(bytes, at: found, to: line.upperBound)
        else { return nil }
        var words = 0
        for index in line.lowerBound..<found where bytes[index] == 0x20 && index > line.lowerBound && bytes[index - 1] != 0x20 {
            // The tag of a program ends with a colon.
            if bytes[index - 1] == UInt8(ascii: ":") { return nil }
            words += 1
        }
        if found > line.lowerBound, bytes[found - 1] != 0x20 { return nil }
        // RFC 3164: month, day, time and host; RFC 5424: version, time, host, program, process, message id and data.
        let is5424 = words == 7 && bytes.firstIndex(of: ">1 ", from: line.lowerBound, to: line.lowerBound + 8) != nil
        return words <= 4 || is5424 ? found : nil
    }

    /// Whether a CEF event begins here.
    static func isCEF(_ bytes: Span<UInt8>, at start: Int, to end: Int) -> Bool {
        start + 5 < end && bytes.hasPrefix("CEF:", from: start, to: end) && bytes[start + 4] &- 0x30 <= 9
            && bytes[start + 5] == UInt8(ascii: "|")
    }

    /// Behind `CEF:0|vendor|product|version|class|name|severity|`, when the range begins so.
    private static func cefExtension(
        _ bytes: Span<UInt8>, _ range: Range<Int>, part: (_ number: Int, _ value: Range<Int>) -> Void
    ) -> Int? {
        guard bytes.hasPrefix("CEF:", from: range.lowerBound, to: range.upperBound) else { return nil }
        var bars = 0
        var index = range.lowerBound
        var start = index
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 1
            } else if bytes[index] == UInt8(ascii: "|") {
                if bars > 0 { part(bars - 1, start..<index) }
                bars += 1
                start = index + 1
                if bars == 7 { return start }
            }
            index += 1
        }
        return nil
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "@")
    }

    private static func isEqual(_ name: [UInt8], _ bytes: Span<UInt8>, _ key: Range<Int>) -> Bool {
        guard name.count == key.count else { return false }
        for offset in name.indices where name[offset] != bytes[key.lowerBound + offset] { return false }
        return true
    }
}

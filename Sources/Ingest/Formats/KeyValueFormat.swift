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
        sink.addRequestFields(bytes)
        let time = sink.range(of: .timestamp).flatMap { JSONFormat.timestamp(bytes, $0.bounds) }
        let isRequest = sink.range(of: .urlOriginal) != nil
        return ParsedLine(time: time, logSource: .application(isRequest: isRequest, isAuthentication: false))
    }

    /// Where the pairs begin.
    static func start(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int? {
        if let header = cefExtension(bytes, line) { return header }
        var index = line.lowerBound
        while index < line.upperBound, bytes[index] == 0x20 { index += 1 }
        let first = index
        while index < line.upperBound, isKeyByte(bytes[index]) { index += 1 }
        return index > first && index < line.upperBound && bytes[index] == UInt8(ascii: "=") ? first : nil
    }

    /// Reads the pairs of the range; returns how many there are.
    @discardableResult
    static func scan(_ bytes: Span<UInt8>, _ range: Range<Int>, plan: JSONFieldPlan, into sink: inout FieldSink) -> Int {
        let isCEF = cefExtension(bytes, range) != nil
        var index = isCEF ? cefExtension(bytes, range) ?? range.lowerBound : range.lowerBound
        let end = range.upperBound
        var pairs = 0
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
            guard !value.isEmpty, !(value.count == 1 && bytes[value.lowerBound] == UInt8(ascii: "-")) else { continue }
            guard let field = plan.entry(hash: hash, isEqual: { isEqual($0, bytes, key) }).map({ plan.entries[$0].field }),
                sink.range(of: field) == nil
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

    /// Behind `CEF:0|vendor|product|version|class|name|severity|`.
    private static func cefExtension(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int? {
        guard let found = bytes.firstIndex(of: "CEF:", from: line.lowerBound, to: min(line.upperBound, line.lowerBound + 128))
        else { return nil }
        var bars = 0
        var index = found
        while index < line.upperBound {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 1
            } else if bytes[index] == UInt8(ascii: "|") {
                bars += 1
                if bars == 7 { return index + 1 }
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

import Events

/// Why a line that begins as those of a built-in format do is not read by it.
struct BuiltInNearest {
    private(set) var format = LogFormat.auto
    private(set) var position = 0
    private(set) var expected = ""
    /// Whether no other format begins so.
    private(set) var isCertain = true

    /// `nil` where the line begins as none of them.
    init?(_ bytes: Span<UInt8>, _ text: Range<Int>) {
        guard text.count > 2 else { return nil }
        if bytes.hasPrefix("{\"", from: text.lowerBound, to: text.upperBound) {
            readJSON(bytes, text)
        } else if bytes.hasPrefix("__", from: text.lowerBound, to: text.upperBound), BuiltInNearest.isExport(bytes, text) {
            format = .json
            expected = "what journalctl -o json writes (the export format is taken over HTTP only, at /upload)"
        } else if LineBeginning.isKnown(bytes, text) {
            readAccess(bytes, text)
        } else if let date = BuiltInNearest.priorityEnd(bytes, text) {
            format = .syslog
            position = date
            expected = "a time like Mar  1 10:00:00 or 2026-03-01T10:00:00Z, a host and a message"
        } else {
            return nil
        }
    }

    var nearest: NearestFormat {
        let shape =
            switch format {
            case .combined: "host ident user [time] \"request\" status bytes \"referrer\" \"user agent\""
            case .syslog: "<priority>time host program: message"
            default: "one JSON object"
            }
        return NearestFormat(format: format.rawValue, pattern: shape, position: position, expected: expected)
    }

    private mutating func readJSON(_ bytes: Span<UInt8>, _ text: Range<Int>) {
        format = .json
        var scanner = JSONScanner(start: text.lowerBound, end: text.upperBound)
        var sink = FieldSink()
        sink.keys.beginLine()
        let isWhole = scanner.line(bytes, JSONFieldPlan(entries: []), into: &sink)
        position = isWhole ? text.lowerBound : min(scanner.index, text.upperBound)
        expected =
            isWhole
            ? "the source's format to be json or auto"
            : position == text.upperBound ? "the rest of the object" : "JSON to go on"
    }

    /// The time has been found: it belongs to what tells the line.
    private mutating func readAccess(_ bytes: Span<UInt8>, _ text: Range<Int>) {
        format = .combined
        var sink = FieldSink()
        guard CombinedFormat.parse(bytes, ByteRange(start: text.lowerBound, count: text.count), into: &sink) == nil else {
            position = text.lowerBound
            expected = "the source's format to be combined or auto"
            return
        }
        guard let open = bytes.firstIndex(of: " [", from: text.lowerBound, to: text.upperBound),
            let close = bytes.firstIndex(of: UInt8(ascii: "]"), from: open, to: text.upperBound)
        else {
            position = text.upperBound
            expected = "']' behind the time"
            return
        }
        position = close + 1
        while position < text.upperBound, bytes[position] == 0x20 { position += 1 }
        guard position < text.upperBound, bytes[position] == UInt8(ascii: "\"") else {
            expected = "the request in quotation marks"
            // `[time] host "request"`: formats of the rules folder know such.
            let word = bytes.firstIndex(of: 0x20, from: position, to: text.upperBound) ?? text.upperBound
            isCertain = !bytes.hasPrefix(" \"", from: word, to: text.upperBound)
            return
        }
        position = text.upperBound
        expected = "'\"' behind the request"
    }

    /// Where the text behind `<priority>`, and the version that may follow, begins.
    private static func priorityEnd(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Int? {
        guard bytes[text.lowerBound] == UInt8(ascii: "<"),
            let close = bytes.firstIndex(
                of: UInt8(ascii: ">"), from: text.lowerBound, to: min(text.upperBound, text.lowerBound + 5)),
            bytes.decimal(from: text.lowerBound + 1, to: close) != nil
        else { return nil }
        return bytes.hasPrefix("1 ", from: close + 1, to: text.upperBound) ? close + 3 : close + 1
    }

    /// One of journald's own fields, `__CURSOR=…`.
    private static func isExport(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Bool {
        var index = text.lowerBound
        while index < text.upperBound, bytes[index] &- 0x41 < 26 || bytes[index] == UInt8(ascii: "_") { index += 1 }
        return index < text.upperBound && bytes[index] == UInt8(ascii: "=")
    }
}

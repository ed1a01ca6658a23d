import Events

/// A Windows event as JSON: what converters make of an event's XML.
///
/// `System` and everything below `EventData` or `UserData`, however deep, become fields named by their innermost element.
/// Attributes (`#attributes`, or a name that begins with `@`) are named element and attribute; `#text` is the element's
/// own value; `Data` elements are called by their attribute `Name`. A flat object works as well. Bounded by the value's
/// length and by `maximumDepth`.
enum WindowsFormat {
    static let maximumDepth = 32

    static func parse(
        _ bytes: Span<UInt8>, _ value: ByteRange, plan: WindowsFieldPlan, into sink: inout FieldSink
    ) -> ParsedLine? {
        var scanner = WindowsEventScanner(start: Int(value.start), end: value.end, plan: plan)
        guard scanner.event(bytes, into: &sink) else { return nil }
        let time = scanner.time.flatMap { Timestamp(iso8601: bytes.extracting($0.bounds), assumedOffsetSeconds: 0) }
        return ParsedLine(time: time, logSource: plan.origin(sink, bytes))
    }
}

/// Walks one event. The bytes are passed along rather than held, so that this stays an ordinary value.
private struct WindowsEventScanner {
    private let end: Int
    private let plan: WindowsFieldPlan
    private var index: Int
    /// `System.TimeCreated`'s attribute.
    private(set) var time: ByteRange?

    private struct Text {
        var range: ByteRange
        var isEscaped: Bool
    }

    init(start: Int, end: Int, plan: WindowsFieldPlan) {
        index = start
        self.end = end
        self.plan = plan
    }

    mutating func event(_ bytes: Span<UInt8>, into sink: inout FieldSink) -> Bool {
        skipSpace(bytes)
        guard index < end, bytes[index] == UInt8(ascii: "{"),
            value(bytes, WindowsFieldPlan.Name(element: ByteRange(start: index, count: 0)), depth: 0, into: &sink)
        else { return false }
        skipSpace(bytes)
        return index == end
    }

    /// A value of the element `name`.
    private mutating func value(
        _ bytes: Span<UInt8>, _ name: WindowsFieldPlan.Name, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        skipSpace(bytes)
        guard index < end, depth < WindowsFormat.maximumDepth else { return false }
        switch bytes[index] {
        case UInt8(ascii: "{"): return element(bytes, name, depth: depth, into: &sink)
        case UInt8(ascii: "["):
            index += 1
            if take(UInt8(ascii: "]"), bytes) { return true }
            repeat {
                guard value(bytes, name, depth: depth + 1, into: &sink) else { return false }
            } while take(UInt8(ascii: ","), bytes)
            return take(UInt8(ascii: "]"), bytes)
        default:
            guard let text = scalar(bytes) else { return false }
            add(bytes, name, text, into: &sink)
            return true
        }
    }

    private mutating func element(
        _ bytes: Span<UInt8>, _ name: WindowsFieldPlan.Name, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        guard take(UInt8(ascii: "{"), bytes) else { return false }
        if take(UInt8(ascii: "}"), bytes) { return true }
        var name = name
        var own: Text?
        repeat {
            guard let key = string(bytes), take(UInt8(ascii: ":"), bytes) else { return false }
            if bytes.isText("#text", key.range) {
                guard let text = scalar(bytes) else { return false }
                own = text
            } else if bytes.isText("#attributes", key.range) {
                guard attributes(bytes, &name, depth: depth + 1, into: &sink) else { return false }
            } else if key.range.count > 1, bytes[Int(key.range.start)] == UInt8(ascii: "@") {
                let attribute = ByteRange(start: Int(key.range.start) + 1, count: Int(key.range.count) - 1)
                guard self.attribute(bytes, &name, attribute, depth: depth, into: &sink) else { return false }
            } else {
                guard value(bytes, WindowsFieldPlan.Name(element: key.range), depth: depth + 1, into: &sink) else { return false }
            }
        } while take(UInt8(ascii: ","), bytes)
        // Only now: the attribute that names a `Data` element may stand behind its text.
        if let own { add(bytes, name, own, into: &sink) }
        return take(UInt8(ascii: "}"), bytes)
    }

    private mutating func attributes(
        _ bytes: Span<UInt8>, _ name: inout WindowsFieldPlan.Name, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        guard depth < WindowsFormat.maximumDepth, take(UInt8(ascii: "{"), bytes) else { return false }
        if take(UInt8(ascii: "}"), bytes) { return true }
        repeat {
            guard let key = string(bytes), take(UInt8(ascii: ":"), bytes),
                attribute(bytes, &name, key.range, depth: depth, into: &sink)
            else { return false }
        } while take(UInt8(ascii: ","), bytes)
        return take(UInt8(ascii: "}"), bytes)
    }

    /// Either the name of a `Data` element, or a field called by element and attribute.
    private mutating func attribute(
        _ bytes: Span<UInt8>, _ name: inout WindowsFieldPlan.Name, _ key: ByteRange, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        skipSpace(bytes)
        guard index < end, bytes[index] != UInt8(ascii: "{"), bytes[index] != UInt8(ascii: "[") else {
            return value(bytes, WindowsFieldPlan.Name(element: key), depth: depth + 1, into: &sink)
        }
        guard let text = scalar(bytes) else { return false }
        if bytes.isText("Data", name.element), bytes.isText("Name", key) {
            name = WindowsFieldPlan.Name(element: text.range)
        } else {
            if bytes.isText("TimeCreated", name.element), bytes.isText("SystemTime", key) { time = text.range }
            add(bytes, WindowsFieldPlan.Name(element: name.element, attribute: key), text, into: &sink)
        }
        return true
    }

    // MARK: Fields

    private mutating func add(
        _ bytes: Span<UInt8>, _ name: WindowsFieldPlan.Name, _ text: Text, into sink: inout FieldSink
    ) {
        // `null` is no value; a string "null" is one.
        if bytes.isText("null", text.range), bytes[Int(text.range.start) - 1] != UInt8(ascii: "\"") { return }
        guard let field = plan.field(name, bytes) else { return }
        if field == .timestamp, time == nil { time = text.range }
        sink.insert(field, text.range, isEscaped: text.isEscaped)
        if let copy = plan.copies[field], sink.range(of: copy) == nil {
            // Not marked a second time: undoing a value's escapes moves every field that names the same bytes.
            sink.insert(copy, text.range, isEscaped: false)
        }
        if let entries = plan.lists[field] { split(bytes, text, entries, into: &sink) }
    }

    /// `SHA1=…,IMPHASH=…`: every part to its own field.
    private func split(_ bytes: Span<UInt8>, _ text: Text, _ entries: [WindowsFieldPlan.Entry], into sink: inout FieldSink) {
        var start = Int(text.range.start)
        while start < text.range.end {
            let comma = bytes.firstIndex(of: UInt8(ascii: ","), from: start, to: text.range.end) ?? text.range.end
            if let equals = bytes.firstIndex(of: UInt8(ascii: "="), from: start, to: comma) {
                let name = (start..<equals).map { bytes[$0] &- 0x41 < 26 ? bytes[$0] | 0x20 : bytes[$0] }
                if let entry = entries.first(where: { $0.name == name }) {
                    sink.insert(
                        entry.field, ByteRange(start: equals + 1, count: comma - equals - 1), isEscaped: text.isEscaped)
                }
            }
            start = comma + 1
        }
    }

    // MARK: Tokens

    /// A string, or the text of a number or word.
    private mutating func scalar(_ bytes: Span<UInt8>) -> Text? {
        skipSpace(bytes)
        guard index < end else { return nil }
        if bytes[index] == UInt8(ascii: "\"") { return string(bytes) }
        let start = index
        while index < end, !isDelimiter(bytes[index]) { index += 1 }
        return index > start ? Text(range: ByteRange(start: start, count: index - start), isEscaped: false) : nil
    }

    private func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "\""), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// The inside of the string that begins here.
    private mutating func string(_ bytes: Span<UInt8>) -> Text? {
        guard take(UInt8(ascii: "\""), bytes) else { return nil }
        let start = index
        var isEscaped = false
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                return Text(range: ByteRange(start: start, count: index - 1 - start), isEscaped: isEscaped)
            }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                index += 1
            }
            index += 1
        }
        index = end
        return nil
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < end, bytes[index] <= 0x20 { index += 1 }
    }

    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard index < end, bytes[index] == byte else { return false }
        index += 1
        return true
    }
}

extension FieldSink {
    /// Adds a value beside those that the field has already: elements of one name may stand apart in an event.
    fileprivate mutating func insert(_ field: FieldID, _ range: ByteRange, isEscaped: Bool) {
        if self.range(of: field) != nil {
            return addFurther(field, Int(range.start), range.end, isEscaped: isEscaped)
        }
        if isEscaped { escaped.append(values.count) }
        add(field, range)
    }
}

extension Span<UInt8> {
    fileprivate func isText(_ text: StaticString, _ range: ByteRange) -> Bool {
        guard Int(range.count) == text.utf8CodeUnitCount else { return false }
        return hasPrefix(text, from: Int(range.start), to: range.end)
    }
}

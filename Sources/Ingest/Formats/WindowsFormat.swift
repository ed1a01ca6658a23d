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
        let time = scanner.time.flatMap { JSONFormat.timestamp(bytes, $0, &sink.recentTime) }
        return ParsedLine(time: time, logSource: plan.origin(sink, bytes))
    }

    /// Whether a line is one of Windows' events: its own keys, not those inside of what it reports, name an event id and the
    /// channel or the provider.
    static func isEvent(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        // Nearly every other line is passed over by its first byte or by this search.
        guard !line.isEmpty, bytes[line.lowerBound] == UInt8(ascii: "{"),
            bytes.firstIndex(of: "EventID\"", from: line.lowerBound, to: line.upperBound) != nil
        else { return false }
        // By depth: whether the keys there are the event's own.
        var isOwn = [true, true, false, false]
        var (depth, index, hasID, hasOrigin) = (0, line.lowerBound, false, false)
        while index < line.upperBound {
            switch bytes[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if bytes[index] == UInt8(ascii: "["), depth < isOwn.count { isOwn[depth] = false }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let start = index + 1
                index = start
                while index < line.upperBound, bytes[index] != UInt8(ascii: "\"") {
                    index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                guard depth >= 1, depth < isOwn.count, isOwn[depth], index + 1 < line.upperBound else { break }
                var colon = index + 1
                while colon < line.upperBound, bytes[colon] <= 0x20 { colon += 1 }
                guard colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else { break }
                let key = ByteRange(start: start, count: index - start)
                if bytes.isText("EventID", key) {
                    hasID = true
                } else if originKeys.contains(where: { bytes.isText($0, key) }) {
                    hasOrigin = true
                }
                if hasID, hasOrigin { return true }
                if depth + 1 < isOwn.count { isOwn[depth + 1] = bytes.isText("Event", key) || bytes.isText("System", key) }
            default: break
            }
            index += 1
        }
        return false
    }

    private static let originKeys: [StaticString] = ["Channel", "Provider", "ProviderName", "Provider_Name", "SourceName"]
}

/// Walks one event. The bytes are passed along rather than held, so that this stays an ordinary value.
private struct WindowsEventScanner {
    private let end: Int
    private let plan: WindowsFieldPlan
    private var index: Int
    /// `System.TimeCreated`'s attribute, or what flat objects have for it.
    private var ownTime: ByteRange?
    /// Sysmon's own word for it.
    private var reportedTime: ByteRange?
    var time: ByteRange? { ownTime ?? reportedTime }
    /// The fields below 2,048 that the event has, by number.
    private var seen = InlineArray<32, UInt64>(repeating: 0)

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
            } else if key.range.count > 1, bytes[Int(key.range.start)] == UInt8(ascii: "@"), name.element.count > 0 {
                // The event itself has none: a flat object's `@timestamp` is its own name.
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
            if bytes.isText("TimeCreated", name.element), bytes.isText("SystemTime", key) { ownTime = text.range }
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
        let isElement = name.attribute.count == 0
        if isElement { noteTime(bytes, name.element, text.range) }
        guard let field = isElement ? sink.windowsNames.field(name.element, bytes, plan) : plan.field(name, bytes) else { return }
        if field == .timestamp, ownTime == nil { ownTime = text.range }
        insert(field, text.range, isEscaped: text.isEscaped, into: &sink)
        guard plan.goesFurther(field) else { return }
        if let copy = plan.copies[field], sink.range(of: copy) == nil {
            // Not marked a second time: undoing a value's escapes moves every field that names the same bytes.
            insert(copy, text.range, isEscaped: false, into: &sink)
        }
        if let entries = plan.lists[field] { split(bytes, text, entries, into: &sink) }
    }

    /// The names that exporters give the time of an event where they make an element of it; the first of them counts.
    @inline(__always)
    private mutating func noteTime(_ bytes: Span<UInt8>, _ name: ByteRange, _ value: ByteRange) {
        switch name.count {
        case 7: if bytes.isText("UtcTime", name), reportedTime == nil { reportedTime = value }
        case 9: if bytes.isText("EventTime", name), ownTime == nil { ownTime = value }
        case 10: if bytes.isText("SystemTime", name), ownTime == nil { ownTime = value }
        case 11: if bytes.isText("TimeCreated", name), ownTime == nil { ownTime = value }
        default: break
        }
    }

    /// Adds a value beside those that the field has already: elements of one name may stand apart in an event.
    private mutating func insert(_ field: FieldID, _ range: ByteRange, isEscaped: Bool, into sink: inout FieldSink) {
        let (word, bit) = (Int(field.rawValue) / 64, UInt64(1) << UInt64(field.rawValue % 64))
        // Fields beyond the set are sought among the event's.
        let isSeen = word < seen.count ? seen[word] & bit != 0 : sink.range(of: field) != nil
        if isSeen { return sink.addFurther(field, Int(range.start), range.end, isEscaped: isEscaped) }
        if word < seen.count { seen[word] |= bit }
        if isEscaped { sink.escaped.append(sink.values.count) }
        sink.add(field, range)
    }

    /// `SHA1=…,IMPHASH=…`: every part to its own field.
    private mutating func split(
        _ bytes: Span<UInt8>, _ text: Text, _ entries: [WindowsFieldPlan.Entry], into sink: inout FieldSink
    ) {
        var start = Int(text.range.start)
        while start < text.range.end {
            let comma = bytes.firstIndex(of: UInt8(ascii: ","), from: start, to: text.range.end) ?? text.range.end
            if let equals = bytes.firstIndex(of: UInt8(ascii: "="), from: start, to: comma) {
                if let entry = entries.first(where: { bytes.isText($0.name, start..<equals) }) {
                    insert(
                        entry.field, ByteRange(start: equals + 1, count: comma - equals - 1), isEscaped: text.isEscaped,
                        into: &sink)
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
        while index < end, !isDelimiter(bytes[index]) { index &+= 1 }
        return index > start ? Text(range: ByteRange(start: start, count: index - start), isEscaped: false) : nil
    }

    @inline(__always)
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
        while let found = bytes.firstIndex(of: UInt8(ascii: "\""), or: UInt8(ascii: "\\"), from: index, to: end) {
            if bytes[found] == UInt8(ascii: "\"") {
                index = found + 1
                return Text(range: ByteRange(start: start, count: found - start), isEscaped: isEscaped)
            }
            isEscaped = true
            index = found + 2
        }
        index = end
        return nil
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < end, bytes[index] <= 0x20 { index += 1 }
    }

    /// Programs that write one object a line put no white space between its parts.
    @inline(__always)
    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard index < end else { return false }
        let next = bytes[index]
        if next == byte {
            index &+= 1
            return true
        }
        return next <= 0x20 && takeBehindSpace(byte, bytes)
    }

    private mutating func takeBehindSpace(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard index < end, bytes[index] == byte else { return false }
        index &+= 1
        return true
    }
}

extension Span<UInt8> {
    fileprivate func isText(_ text: StaticString, _ range: ByteRange) -> Bool {
        guard Int(range.count) == text.utf8CodeUnitCount else { return false }
        return hasPrefix(text, from: Int(range.start), to: range.end)
    }

    /// Whether the range is this text, which has no capital letters, whatever the case of its own.
    fileprivate func isText(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count == text.count else { return false }
        for offset in text.indices {
            let byte = self[range.lowerBound + offset]
            guard text[offset] == (byte &- 0x41 < 26 ? byte | 0x20 : byte) else { return false }
        }
        return true
    }
}

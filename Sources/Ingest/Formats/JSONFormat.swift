import Events

/// One JSON object per line: the wanted keys become fields, all else is passed over.
///
/// A scanner, not a validator: it accepts some texts that RFC 8259 does not, but what it reads it reads as JSON says.
/// Values are taken where they stand; strings with escapes are marked, to be decoded before any rule sees them.
enum JSONFormat {
    static let maximumDepth = 32

    static func parse(
        _ bytes: Span<UInt8>, _ line: ByteRange, plan: JSONFieldPlan, into sink: inout FieldSink
    ) -> ParsedLine? {
        var scanner = JSONScanner(start: Int(line.start), end: line.end)
        guard scanner.object(bytes, plan, hash: JSONFieldPlan.hashSeed, depth: 0, into: &sink), scanner.isAtEnd(bytes) else {
            return nil
        }
        let time = sink.range(of: .timestamp).flatMap { timestamp(bytes, $0.bounds) }
        let target = sink.range(of: .urlOriginal)
        if let target, sink.range(of: .decodedURL) == nil {
            sink.addDerived(bytes, target)
        }
        if target == nil, sink.range(of: .sourceIP) == nil, let message = sink.range(of: .message) {
            if let program = sink.range(of: .processName), bytes.hasPrefix("sshd", from: Int(program.start), to: program.end) {
                // journald's entries: what sshd says is in the message.
                SSHDMessage.parse(bytes, message.bounds, into: &sink)
                return ParsedLine(time: time, logSource: .sshd)
            }
            FreeText.addEntities(bytes, message.bounds, into: &sink)
        }
        let category = sink.range(of: .eventCategory)
        let isAuthentication = category.map { bytes.hasPrefix("authentication", from: Int($0.start), to: $0.end) } ?? false
        return ParsedLine(time: time, logSource: .application(isRequest: target != nil, isAuthentication: isAuthentication))
    }

    /// RFC 3339 text, the combined log's date, or seconds, milliseconds, microseconds or nanoseconds since 1970.
    private static func timestamp(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
        guard !range.isEmpty else { return nil }
        if let time = Timestamp(iso8601: bytes.extracting(range), assumedOffsetSeconds: 0) { return time }
        let point = bytes.firstIndex(of: UInt8(ascii: "."), from: range.lowerBound, to: range.upperBound) ?? range.upperBound
        guard let whole = bytes.decimal(from: range.lowerBound, to: point) else { return nil }
        if point < range.upperBound {
            var scanner = DigitScanner(bytes.extracting(point + 1..<range.upperBound))
            let fraction = scanner.fraction() ?? 0
            guard whole < 9_000_000_000 else { return Timestamp(nanoseconds: Int64(whole) &* 1_000_000) }
            return Timestamp(seconds: Int64(whole)).advanced(byNanoseconds: Int64(fraction))
        }
        switch whole {
        case ..<9_000_000_000: return Timestamp(seconds: Int64(whole))
        case ..<9_000_000_000_000: return Timestamp(nanoseconds: Int64(whole) * 1_000_000)
        case ..<9_000_000_000_000_000: return Timestamp(nanoseconds: Int64(whole) * 1_000)
        default: return Timestamp(nanoseconds: Int64(whole))
        }
    }
}

extension FieldSink {
    /// What `addRequestTarget` adds beside the target itself, which a JSON line has already named; and the other texts
    /// that a client writes itself.
    fileprivate mutating func addDerived(_ bytes: Span<UInt8>, _ target: ByteRange) {
        let (start, end) = (Int(target.start), target.end)
        let pathEnd = bytes.firstIndex(of: UInt8(ascii: "?"), from: start, to: end) ?? end
        if range(of: .urlPath) == nil { add(.urlPath, start, pathEnd) }
        if pathEnd < end, range(of: .urlQuery) == nil { add(.urlQuery, pathEnd + 1, end) }
        add(.decodedURL, start, end)
        add(.decodedPath, start, pathEnd)
        addDecodedRequest()
    }
}

/// Walks one object. The bytes are passed along rather than held, so that this stays an ordinary value.
private struct JSONScanner {
    let end: Int
    var index: Int
    /// The keys on the way to the value at hand, for comparing paths whose hashes agree.
    var path = InlineArray<32, ByteRange>(repeating: ByteRange(start: 0, count: 0))

    init(start: Int, end: Int) {
        self.end = end
        index = start
    }

    /// Only white space is left.
    func isAtEnd(_ bytes: Span<UInt8>) -> Bool {
        for position in index..<end where bytes[position] > 0x20 { return false }
        return true
    }

    mutating func object(_ bytes: Span<UInt8>, _ plan: JSONFieldPlan, hash: UInt64, depth: Int, into sink: inout FieldSink)
        -> Bool
    {
        guard depth < JSONFormat.maximumDepth, take(UInt8(ascii: "{"), bytes) else { return false }
        if take(UInt8(ascii: "}"), bytes) { return true }
        repeat {
            guard let key = string(bytes) else { return false }
            var keyHash = depth == 0 ? hash : JSONFieldPlan.extend(hash, UInt8(ascii: "."))
            for position in key.start..<key.end { keyHash = JSONFieldPlan.extend(keyHash, bytes[position]) }
            path[depth] = ByteRange(start: key.start, count: key.end - key.start)
            guard take(UInt8(ascii: ":"), bytes), value(bytes, plan, hash: keyHash, depth: depth, into: &sink) else {
                return false
            }
        } while take(UInt8(ascii: ","), bytes)
        return take(UInt8(ascii: "}"), bytes)
    }

    private mutating func value(_ bytes: Span<UInt8>, _ plan: JSONFieldPlan, hash: UInt64, depth: Int, into sink: inout FieldSink)
        -> Bool
    {
        skipSpace(bytes)
        guard index < end else { return false }
        switch bytes[index] {
        case UInt8(ascii: "{"):
            return object(bytes, plan, hash: hash, depth: depth + 1, into: &sink)
        case UInt8(ascii: "["):
            guard depth + 1 < JSONFormat.maximumDepth else { return false }
            index += 1
            if take(UInt8(ascii: "]"), bytes) { return true }
            repeat {
                guard arrayElement(bytes, plan, hash: hash, depth: depth, into: &sink) else { return false }
            } while take(UInt8(ascii: ","), bytes)
            return take(UInt8(ascii: "]"), bytes)
        case UInt8(ascii: "\""):
            guard let text = string(bytes) else { return false }
            add(bytes, text.start, text.end, isEscaped: text.isEscaped, plan, hash, depth, into: &sink)
            return true
        default:
            let start = index
            while index < end, bytes[index] > 0x20, bytes[index] != UInt8(ascii: ","), bytes[index] != UInt8(ascii: "}"),
                bytes[index] != UInt8(ascii: "]"), bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: ":")
            { index += 1 }
            guard index > start else { return false }
            if !bytes.hasPrefix("null", from: start, to: index) {
                add(bytes, start, index, isEscaped: false, plan, hash, depth, into: &sink)
            }
            return true
        }
    }

    /// An element counts as a value of its array's key. Arrays in arrays are read the same way, to the same depth limit.
    private mutating func arrayElement(
        _ bytes: Span<UInt8>, _ plan: JSONFieldPlan, hash: UInt64, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        skipSpace(bytes)
        guard index < end else { return false }
        if bytes[index] == UInt8(ascii: "[") {
            // Depth is counted by the key path, which an array does not lengthen: nested arrays are passed over instead.
            return skipNestedArray(bytes)
        }
        return value(bytes, plan, hash: hash, depth: depth, into: &sink)
    }

    private mutating func skipNestedArray(_ bytes: Span<UInt8>) -> Bool {
        var open = 0
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: "["): open += 1
            case UInt8(ascii: "]"):
                open -= 1
                if open == 0 {
                    index += 1
                    return true
                }
            case UInt8(ascii: "\""):
                guard string(bytes) != nil else { return false }
                continue
            default: break
            }
            index += 1
        }
        return false
    }

    private func add(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, isEscaped: Bool, _ plan: JSONFieldPlan, _ hash: UInt64, _ depth: Int,
        into sink: inout FieldSink
    ) {
        guard let field = plan.field(hash: hash, isEqual: { isPath($0, bytes, depth: depth) }) else { return }
        if let previous = sink.values.last, previous.field != field, sink.range(of: field) != nil { return }
        if isEscaped { sink.escaped.append(sink.values.count) }
        sink.add(field, start, end)
    }

    private func isPath(_ name: [UInt8], _ bytes: Span<UInt8>, depth: Int) -> Bool {
        var position = 0
        for level in 0...depth {
            if level > 0 {
                guard position < name.count, name[position] == UInt8(ascii: ".") else { return false }
                position += 1
            }
            for index in path[level].bounds {
                guard position < name.count, name[position] == bytes[index] else { return false }
                position += 1
            }
        }
        return position == name.count
    }

    /// The inside of the string that begins here.
    private mutating func string(_ bytes: Span<UInt8>) -> (start: Int, end: Int, isEscaped: Bool)? {
        guard take(UInt8(ascii: "\""), bytes) else { return nil }
        let start = index
        var isEscaped = false
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                index += 1
                return (start, index - 1, isEscaped)
            }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                index += 1
            }
            index += 1
        }
        index = min(index, end)
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

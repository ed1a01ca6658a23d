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
        sink.keys.beginLine()
        guard scanner.line(bytes, plan, into: &sink) else { return nil }
        let time = time(bytes, into: &sink)
        sink.readRequestLine(bytes)
        let target = sink.range(of: .urlOriginal) ?? sink.addTargetOfParts(bytes)
        if let target, sink.range(of: .decodedURL) == nil {
            sink.addDerived(bytes, target)
        }
        if target == nil, sink.range(of: .sourceIP) == nil, let message = sink.range(of: .message) {
            if let program = sink.range(of: .processName), bytes.hasPrefix("sshd", from: Int(program.start), to: program.end) {
                // journald's entries: what sshd says is in the message.
                let start = sink.values.count
                SSHDMessage.parse(bytes, message.bounds, into: &sink)
                sink.mergeRepeated(from: start)
                return ParsedLine(time: time, logSource: .sshd)
            }
            sink.addMissingEntities(bytes, message.bounds)
        }
        let category = sink.range(of: .eventCategory)
        let isAuthentication = category.map { bytes.hasPrefix("authentication", from: Int($0.start), to: $0.end) } ?? false
        return ParsedLine(time: time, logSource: .application(isRequest: target != nil, isAuthentication: isAuthentication))
    }

    private static func time(_ bytes: Span<UInt8>, into sink: inout FieldSink) -> Timestamp? {
        guard let range = sink.range(of: .timestamp) else { return nil }
        if !sink.escaped.isEmpty,
            sink.escaped.contains(where: { sink.values[$0].field == .timestamp && sink.values[$0].range == range })
        {
            // `2026-03-01T10:00:00\u002B00:00`: some encoders escape the plus sign.
            sink.scratch.removeAll(keepingCapacity: true)
            JSONStringDecoder.append(bytes, range.bounds, to: &sink.scratch)
            return timestamp(sink.scratch.span, 0..<sink.scratch.count)
        }
        return timestamp(bytes, range, &sink.recentTime)
    }

    /// Likewise, where the text is mostly one of the day of the line before.
    static func timestamp(_ bytes: Span<UInt8>, _ range: ByteRange, _ recent: inout RecentTime) -> Timestamp? {
        if let time = recent.iso8601(bytes, range.bounds) { return time }
        let time = timestamp(bytes, range.bounds)
        if let time { recent.remember(iso8601: bytes, range.bounds, time) }
        return time
    }

    /// Reads the keys of `plan` and nothing else; false when the text is no object.
    static func scan(_ bytes: Span<UInt8>, _ line: ByteRange, plan: JSONFieldPlan, into sink: inout FieldSink) -> Bool {
        var scanner = JSONScanner(start: Int(line.start), end: line.end)
        sink.keys.beginLine()
        return scanner.line(bytes, plan, into: &sink)
    }

    /// RFC 3339 text, the combined log's date, or seconds, milliseconds, microseconds or nanoseconds since 1970.
    static func timestamp(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
        guard !range.isEmpty else { return nil }
        let text = bytes.extracting(range)
        if let time = Timestamp(iso8601: text, assumedOffsetSeconds: 0) ?? CombinedFormat.time(text) { return time }
        let point = bytes.firstIndex(of: UInt8(ascii: "."), from: range.lowerBound, to: range.upperBound) ?? range.upperBound
        guard let whole = bytes.decimal(from: range.lowerBound, to: point) else { return nil }
        var scanner = DigitScanner(bytes.extracting(min(point + 1, range.upperBound)..<range.upperBound))
        let fraction = scanner.fraction() ?? 0
        // In nanoseconds: the unit is told by the size, which for each of them spans the years 1970 to 2255.
        let unit =
            switch whole {
            case ..<9_000_000_000: 1_000_000_000
            case ..<9_000_000_000_000: 1_000_000
            case ..<9_000_000_000_000_000: 1_000
            default: 1
            }
        return Timestamp(nanoseconds: Int64(whole * unit)).advanced(byNanoseconds: Int64(fraction / (1_000_000_000 / unit)))
    }
}

extension FieldSink {
    /// The parts of a request line (nginx' `$request`), where the line does not name them by themselves. What is none of a request that
    /// was answered is kept, as of an access line; elsewhere `request` may be anything.
    fileprivate mutating func readRequestLine(_ bytes: Span<UInt8>) {
        guard let index = index(of: .requestLine) else { return }
        let line = values[index].range
        let isEscaped = escaped.contains(index)
        let parts = range(of: .urlOriginal) == nil ? CombinedFormat.request(bytes, line.bounds) : nil
        if parts == nil, line.count > 1, range(of: .urlOriginal) == nil, range(of: .statusCode) != nil { return }
        remove(at: index)
        guard let parts else { return }
        // What follows from the target follows it when it is decoded.
        if isEscaped { escaped.append(values.count) }
        add(.urlOriginal, parts.methodEnd + 1, parts.targetEnd)
        if range(of: .requestMethod) == nil { add(.requestMethod, Int(line.start), parts.methodEnd) }
        if parts.version < line.end, range(of: .httpVersion) == nil { add(.httpVersion, parts.version, line.end) }
    }

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

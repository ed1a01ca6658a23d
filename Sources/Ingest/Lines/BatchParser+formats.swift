import Events

/// How a line is told to be of a format.
extension BatchParser {
    mutating func recognise(_ bytes: Span<UInt8>, _ range: ByteRange, reference: Timestamp) -> ParsedLine? {
        guard format == .auto else { return read(as: format, bytes, range, reference) }
        if WindowsFormat.isEvent(bytes, range.bounds), let parsed = attempt(.windows, bytes, range, reference) {
            recognised = .windows
            return parsed
        }
        // A format that tells itself apart from all others is tried first where the last line had it.
        if let recognised, recognised == .json || recognised == .combined,
            let parsed = attempt(recognised, bytes, range, reference)
        {
            return parsed
        }
        for candidate in [LogFormat.json, .combined] where candidate != recognised {
            if let parsed = attempt(candidate, bytes, range, reference) {
                recognised = candidate
                return parsed
            }
        }
        if let parsed = matcher.readLine(bytes, range.bounds, only: nil, reference: reference, into: &sink) {
            recognised = matcher.lastFormat.map { .named($0) }
            return parsed
        }
        for candidate in [LogFormat.syslog, .keyValue, .text] {
            if let parsed = attempt(candidate, bytes, range, reference) {
                recognised = candidate
                return parsed
            }
        }
        return nil
    }

    mutating func attempt(
        _ format: LogFormat, _ bytes: Span<UInt8>, _ range: ByteRange, _ reference: Timestamp
    ) -> ParsedLine? {
        var parsed: ParsedLine?
        switch format {
        case .combined: parsed = CombinedFormat.parse(bytes, range, into: &sink)
        case .json:
            parsed = JSONFormat.parse(bytes, range, plan: plan, into: &sink)
            if parsed != nil { refineJSON(bytes, range, reference, &parsed) }
        case .sshd, .syslog:
            parsed = SyslogFormat.parse(bytes, range, plan: plan, matcher: &matcher, reference: reference, into: &sink)
            // Of the other programs' lines nothing more is asked there.
            if format == .sshd {
                parsed?.certainty = .known
                if parsed == nil { parsed = bareSSHD(bytes, range) }
            }
            removeScratchFields()
        case .keyValue:
            parsed = KeyValueFormat.parse(bytes, range, plan: plan, into: &sink)
            if parsed != nil { refineKeyValue(bytes, range, reference, &parsed) }
            if parsed != nil, parsed?.time == nil { parsed?.time = SyslogFormat.time(bytes, range.bounds, reference: reference) }
        case .text:
            parsed = TextFormat.parse(bytes, range, plan: plan, reference: reference, into: &sink)
            if self.format == .text { parsed?.certainty = .known }
            removeScratchFields()
        case .windows:
            parsed = WindowsFormat.parse(bytes, range, plan: plan.windows, into: &sink)
            removeScratchFields()
        case .named(let name): parsed = attempt(named: name, bytes, range, reference)
        case .auto: parsed = nil
        }
        if parsed == nil { sink.removeAll() }
        return parsed
    }

    /// A line of a format that somebody has named: access lines may also come through syslog.
    mutating func read(
        as format: LogFormat, _ bytes: Span<UInt8>, _ range: ByteRange, _ reference: Timestamp
    ) -> ParsedLine? {
        if let parsed = attempt(format, bytes, range, reference) { return parsed }
        guard format == .combined, let parsed = attempt(.syslog, bytes, range, reference) else { return nil }
        if parsed.logSource == .webserver { return parsed }
        sink.removeAll()
        return nil
    }

    /// What `sshd -e` and `sshd -E` write: the message alone, without a time.
    private mutating func bareSSHD(_ bytes: Span<UInt8>, _ range: ByteRange) -> ParsedLine? {
        sink.removeAll()
        SSHDMessage.parse(bytes, range.bounds, into: &sink)
        let isKnown = sink.values.count > sink.first
        sink.add(.message, range)
        return ParsedLine(time: nil, logSource: .sshd, certainty: isKnown ? .known : .plain)
    }

    /// Keys by which formats are told are in the plan of all lines, and no rule has a place for them.
    mutating func removeScratchFields() {
        if !matcher.isEmpty { sink.removeFields(from: matcher.formats.keyedIndex.firstScratchField) }
    }

    /// A format of the rules folder: as its own file has it, behind syslog's header, or as JSON or pairs.
    mutating func attempt(
        named name: String, _ bytes: Span<UInt8>, _ range: ByteRange, _ reference: Timestamp
    ) -> ParsedLine? {
        guard let number = matcher.formats.number(of: name) else { return attempt(.text, bytes, range, reference) }
        if matcher.formats.formats[number].keyed != nil {
            for format in [LogFormat.json, .keyValue] {
                guard var parsed = attempt(format, bytes, range, reference) else { continue }
                matcher.refine(as: number, bytes, &parsed, reference: reference, into: &sink) { plan, keyed in
                    guard format == .keyValue else { return JSONFormat.scan(bytes, range, plan: plan, into: &keyed) }
                    let start = KeyValueFormat.start(bytes, range.bounds) ?? Int(range.start)
                    return KeyValueFormat.scan(bytes, start..<range.end, plan: plan, into: &keyed) > 0
                }
                ClientAddress.normalise(bytes, &sink)
                return parsed
            }
        }
        if let parsed = matcher.readLine(bytes, range.bounds, only: number, reference: reference, into: &sink) { return parsed }
        // A program may log its requests the way all servers do.
        for format in [LogFormat.combined, .syslog, .text] {
            if let parsed = attempt(format, bytes, range, reference) { return parsed }
        }
        return nil
    }

    /// What the line's format makes of its keys, and what its program says in its message.
    @inline(__always)
    private mutating func refineJSON(
        _ bytes: Span<UInt8>, _ range: ByteRange, _ reference: Timestamp, _ parsed: inout ParsedLine?
    ) {
        guard var line = parsed, !matcher.isEmpty else { return }
        matcher.refine(bytes, &line, reference: reference, into: &sink) { plan, keyed in
            JSONFormat.scan(bytes, range, plan: plan, into: &keyed)
        }
        ClientAddress.normalise(bytes, &sink)
        if !matcher.hasReadMessage, sink.range(of: .urlOriginal) == nil, sink.range(of: .eventCategory) == nil,
            let message = sink.range(of: .message)
        {
            let program = sink.range(of: .processName)?.bounds
            if let inner = matcher.readMessage(bytes, message.bounds, program: program, reference: reference, into: &sink) {
                line.logSource = inner.logSource
                line.time = line.time ?? inner.time
            }
        }
        parsed = line
    }

    private mutating func refineKeyValue(
        _ bytes: Span<UInt8>, _ range: ByteRange, _ reference: Timestamp, _ parsed: inout ParsedLine?
    ) {
        guard var line = parsed, !matcher.isEmpty else { return }
        let start = KeyValueFormat.start(bytes, range.bounds) ?? Int(range.start)
        matcher.refine(bytes, &line, reference: reference, into: &sink) { plan, keyed in
            KeyValueFormat.scan(bytes, start..<range.end, plan: plan, into: &keyed) > 0
        }
        ClientAddress.normalise(bytes, &sink)
        parsed = line
    }
}

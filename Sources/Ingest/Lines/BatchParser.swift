package import Events

/// Turns the lines of one source into events.
///
/// Owned by one source; keeps what a format needs from line to line, and the counts of what became of the lines.
package struct BatchParser: Sendable {
    package let format: LogFormat
    package private(set) var counters: SourceCounters
    /// The format that the last parsed line had.
    package private(set) var recognised: LogFormat?
    /// The newest event time seen, which a line without one is given.
    package private(set) var lastTime: Timestamp?
    package private(set) var unparsedSamples: [String] = []
    package private(set) var plainSamples: [String] = []

    private var plan: JSONFieldPlan
    private let proxies: TrustedProxies
    private var matcher: FormatMatcher
    private var sink = FieldSink()
    private var scratch = DecoderScratch()
    private var escaped: [EscapedField] = []
    /// Positions of events whose decoded fields differ from the raw ones.
    private var encoded: [Int] = []
    private var soleAddress = SoleAddress()
    private var unwrapped: [ContainerLine.Inner?] = []
    private var receivedFormat = LogFormat.auto
    private var receivedFormatName: [UInt8] = []

    /// How far ahead of the present a line's time may lie; a time beyond it counts as none. A day: clocks and zones differ.
    package static let maximumSecondsAhead: Int64 = 86_400

    /// How many unparsed lines are kept to be looked at, and how much of each.
    package static let maximumSamples = 5
    package static let maximumSampleBytes = 300

    /// - Parameters:
    ///   - formats: the formats of the rules folder, beside those that are built in.
    ///   - proxies: whose word about the client's address is taken.
    package init(
        format: LogFormat, plan: JSONFieldPlan, formats: FormatSet = .none, proxies: TrustedProxies = .none,
        counters: SourceCounters = SourceCounters(), lastTime: Timestamp? = nil
    ) {
        self.format = format
        self.plan = formats.names.isEmpty ? plan : formats.plan
        self.proxies = proxies
        matcher = FormatMatcher(formats)
        self.counters = counters
        self.lastTime = lastTime
    }

    /// From the next line on, fields and formats are those of another rule set. To be called between batches.
    package mutating func use(_ formats: FormatSet) {
        plan = formats.plan
        matcher = FormatMatcher(formats)
        receivedFormatName.removeAll()
        receivedFormat = .auto
        // It remembers which keys were fields of the old rules.
        sink = FieldSink()
    }

    /// The same for another file, as if nothing had been read.
    func renewed(lastTime: Timestamp?) -> BatchParser {
        var parser = self
        parser.counters = SourceCounters()
        parser.lastTime = lastTime
        parser.recognised = nil
        parser.unparsedSamples = []
        parser.plainSamples = []
        parser.soleAddress = SoleAddress()
        return parser
    }

    package mutating func countRotation() { counters.rotations += 1 }
    package mutating func countTruncation() { counters.truncations += 1 }
    package mutating func countGap() { counters.gaps += 1 }
    package mutating func countDamaged() { counters.damaged += 1 }

    /// Fills the batch's events and fields from its lines.
    ///
    /// - Parameters:
    ///   - consumed: by how much the source's position moved on: what `LineAssembler.offset` grew by.
    ///   - reference: the present as far as this source goes: dates without a year are resolved against it, and
    ///     a line without any date before the first dated one is given it.
    package mutating func parse(_ lines: [RawLine], of batch: inout EventBatch, consumed: Int64, reference: Timestamp) {
        counters.bytes += Int(consumed)
        // The arrays are filled apart from the batch while its bytes are borrowed, and then put back: no copies.
        var events: [EventRecord] = []
        swap(&events, &batch.events)
        swap(&sink.values, &batch.fields)
        escaped.removeAll(keepingCapacity: true)
        encoded.removeAll(keepingCapacity: true)
        matcher.constantsStart = batch.bytes.count
        batch.bytes += matcher.formats.constantBytes
        // Before the bytes are borrowed: what Docker wrapped is decoded behind them.
        unwrapped.removeAll(keepingCapacity: true)
        for line in lines { unwrapped.append(ContainerLine.unwrap(line.range, in: &batch.bytes, scratch: &sink.scratch)) }
        do {
            let bytes = batch.bytes.span
            let isPlain = TextCheck.isPlain(bytes, 0..<bytes.count)
            for index in lines.indices {
                parse(lines[index], unwrapped[index], bytes: bytes, isPlain: isPlain, reference: reference, events: &events)
            }
        }
        swap(&events, &batch.events)
        swap(&sink.values, &batch.fields)
        for place in escaped { unescape(place, &batch) }
        for event in encoded { decodeRequest(batch.events[event], &batch) }
    }

    /// - Parameter isPlain: the whole batch is ASCII without a NUL.
    private mutating func parse(
        _ line: RawLine, _ wrapped: ContainerLine.Inner?, bytes: Span<UInt8>, isPlain: Bool, reference: Timestamp,
        events: inout [EventRecord]
    ) {
        sink.beginLine()
        counters.lines += 1
        if line.isOverlong { counters.overlong += 1 }
        if line.isPartial { counters.partial += 1 }
        if !isPlain {
            let text = TextCheck.check(bytes, line.range.bounds)
            if !text.isUTF8 { counters.invalidUTF8 += 1 }
            if text.containsNUL { counters.containingNUL += 1 }
        }
        if isBlank(bytes, line.range) {
            counters.blank += 1
            return
        }
        let inner = wrapped ?? ContainerLine.unwrapPrefix(bytes, line.range)
        var parsed: ParsedLine?
        if let envelope = inner?.envelope {
            parsed = readReceived(bytes, line.range, envelope)
        } else {
            parsed = recognise(bytes, inner?.range ?? line.range, reference: reference)
        }
        if let inner {
            if parsed?.time == nil { parsed?.time = inner.time }
            // The runtime's wrapper has been read, whatever the program's own words mean.
            if parsed == nil, let time = inner.time {
                sink.add(.message, Int(inner.range.start), inner.range.end)
                parsed = ParsedLine(
                    time: time, logSource: .application,
                    certainty: LineBeginning.isKnown(bytes, inner.range.bounds) ? .broken : .plain)
            }
        }
        if parsed != nil, !proxies.isEmpty {
            let text = inner?.range ?? line.range
            ClientAddress.correct(bytes, text.bounds, proxies: proxies, &sink)
        }
        // A forged date far ahead would make everything that follows look late.
        if let time = parsed?.time, time > reference.advanced(bySeconds: BatchParser.maximumSecondsAhead) { parsed?.time = nil }
        count(bytes, inner?.range ?? line.range, parsed?.certainty)
        if let parsed {
            if let time = parsed.time {
                lastTime = max(lastTime ?? time, time)
            } else {
                counters.undated += 1
            }
            if !soleAddress.isSettled, let address = sink.range(of: .sourceIP) { soleAddress.note(bytes, address.bounds) }
            counters.fromOnePrivateAddress = soleAddress.warning
        } else {
            sink.add(.message, Int(line.range.start), line.range.end)
            FreeText.addEntities(bytes, line.range.bounds, into: &sink)
        }
        if parsed != nil { addDecodedLine(bytes, line.range) }
        if !sink.escaped.isEmpty {
            for index in sink.escaped { escaped.append(EscapedField(event: events.count, field: index)) }
            encoded.append(events.count)
        } else if isEncoded(bytes) {
            encoded.append(events.count)
        }
        events.append(
            EventRecord(
                line: line.range, firstField: sink.first, fieldCount: sink.values.count - sink.first,
                time: parsed?.time ?? lastTime ?? reference, hasOwnTime: parsed?.time != nil,
                logSource: parsed?.logSource ?? .unknown, offset: line.offset, lineNumber: line.number))
    }

    /// The line with its escapes decoded, where rules have keywords and it hides words from them.
    private mutating func addDecodedLine(_ bytes: Span<UInt8>, _ line: ByteRange) {
        guard let field = plan.decodedLine, hidesWords(bytes, line.bounds) else { return }
        sink.escaped.append(sink.values.count)
        sink.add(field, line)
    }

    /// Whether a JSON line has other escapes than those of quotes and backslashes, which keywords are sought with as they are.
    private func hidesWords(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        guard bytes.hasPrefix("{", from: line.lowerBound, to: line.upperBound) else { return false }
        var start = line.lowerBound
        while start + 1 < line.upperBound,
            let found = bytes.firstIndex(of: UInt8(ascii: "\\"), from: start, to: line.upperBound - 1)
        {
            let next = bytes[found + 1]
            if next != UInt8(ascii: "\\"), next != UInt8(ascii: "\"") { return true }
            start = found + 2
        }
        return false
    }

    /// What a receiver took: the message as its own format has it, and beside it what the sender said about it.
    ///
    /// Times are held against the moment of reception, not the present, so that a backlog is read as it would have been then.
    private mutating func readReceived(
        _ bytes: Span<UInt8>, _ line: ByteRange, _ envelope: ReceivedLine.Envelope
    ) -> ParsedLine? {
        var parsed = readReceivedMessage(bytes, envelope)
        if parsed != nil {
            // What the message has said is not said again: the first value of a field counts.
            _ = JSONFormat.scan(bytes, line, plan: plan, into: &sink)
            removeScratchFields()
        } else {
            recognised = .json
            parsed = attempt(.json, bytes, line, envelope.received)
            parsed?.time = nil
            if isPlainText {
                parsed?.certainty = LineBeginning.isKnown(bytes, envelope.message.bounds) ? .broken : .plain
            }
        }
        if let time = parsed?.time, !ReceivedLines.isPlausible(time, received: envelope.received) {
            counters.undated += 1
            parsed?.time = nil
        }
        if parsed?.time == nil { parsed?.time = envelope.time }
        return parsed
    }

    /// Whether nothing is known of the line at hand but who said it and what its words name.
    private var isPlainText: Bool {
        for index in sink.first..<sink.values.count {
            let field = sink.values[index].field
            guard field.rawValue < 64, FieldSink.bit(field) & BatchParser.plainFields != 0 else { return false }
        }
        return true
    }

    private static let plainFields: UInt64 = [
        FieldID.message, .hostName, .urlDomain, .processName, .processID, .logLevel, .timestamp, .sourceIP, .userName,
    ].reduce(0) { $0 | FieldSink.bit($1) }

    private mutating func readReceivedMessage(_ bytes: Span<UInt8>, _ envelope: ReceivedLine.Envelope) -> ParsedLine? {
        let range = envelope.message
        let named = receivedFormat(bytes, envelope.format)
        if named != .auto {
            recognised = named
            return attempt(named, bytes, range, envelope.received)
        }
        // Formats that would take any text are left out: what the sender said says more than they would.
        for candidate in [LogFormat.json, .combined] {
            if let parsed = attempt(candidate, bytes, range, envelope.received) {
                recognised = candidate
                return parsed
            }
        }
        if let parsed = matcher.readLine(bytes, range.bounds, only: nil, reference: envelope.received, into: &sink) {
            recognised = matcher.lastFormat.map { .named($0) }
            return parsed
        }
        for candidate in [LogFormat.syslog, .keyValue] {
            if let parsed = attempt(candidate, bytes, range, envelope.received) {
                recognised = candidate
                return parsed
            }
        }
        return nil
    }

    /// The format that a name in an envelope stands for; `auto` where there is none of that name.
    private mutating func receivedFormat(_ bytes: Span<UInt8>, _ range: ByteRange) -> LogFormat {
        guard !bytes.equals(receivedFormatName, range) else { return receivedFormat }
        receivedFormatName = range.bounds.map { bytes[$0] }
        let format = LogFormat(rawValue: String(decoding: receivedFormatName, as: UTF8.self)) ?? .auto
        receivedFormat = format.isKnown(in: matcher.formats) && format != .windows ? format : .auto
        return receivedFormat
    }

    private static let decodedFields =
        FieldSink.bit(.decodedRequest) | FieldSink.bit(.decodedURL) | FieldSink.bit(.decodedPath)

    /// Whether any decoded field of the line at hand differs from the raw text it names so far; most requests have none.
    private func isEncoded(_ bytes: Span<UInt8>) -> Bool {
        guard sink.mayHold(BatchParser.decodedFields) else { return false }
        var plain: ByteRange?
        for index in sink.first..<sink.values.count {
            let value = sink.values[index]
            switch value.field {
            case .decodedURL:
                if RequestDecoder.isNeeded(bytes, value.range.bounds, plusIsSpace: true) { return true }
                plain = value.range
            case .decodedPath:
                // What begins where the plain target begins and ends before it is a part of it.
                if let plain, plain.start == value.range.start, plain.count >= value.range.count { continue }
                if RequestDecoder.isNeeded(bytes, value.range.bounds, plusIsSpace: true) { return true }
            case .decodedRequest:
                if plain == value.range { continue }
                if RequestDecoder.isNeeded(bytes, value.range.bounds, plusIsSpace: false) { return true }
            default: continue
            }
        }
        return false
    }

    /// A field whose text holds JSON escapes, by its places in the batch.
    private struct EscapedField: Sendable {
        var event: Int
        var field: Int
    }

    private func isBlank(_ bytes: Span<UInt8>, _ range: ByteRange) -> Bool {
        for index in range.bounds where bytes[index] > 0x20 { return false }
        return true
    }

    private mutating func recognise(_ bytes: Span<UInt8>, _ range: ByteRange, reference: Timestamp) -> ParsedLine? {
        guard format == .auto else { return attempt(format, bytes, range, reference) }
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

    private mutating func attempt(
        _ format: LogFormat, _ bytes: Span<UInt8>, _ range: ByteRange, _ reference: Timestamp
    ) -> ParsedLine? {
        var parsed: ParsedLine?
        switch format {
        case .combined:
            parsed = CombinedFormat.parse(bytes, range, into: &sink)
            if parsed == nil, self.format == .combined { parsed = behindSyslog(.webserver, bytes, range, reference) }
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

    /// A line of the format that came through syslog.
    private mutating func behindSyslog(
        _ logSource: LogSourceID, _ bytes: Span<UInt8>, _ range: ByteRange, _ reference: Timestamp
    ) -> ParsedLine? {
        sink.removeAll()
        let parsed = SyslogFormat.parse(bytes, range, plan: plan, matcher: &matcher, reference: reference, into: &sink)
        removeScratchFields()
        return parsed?.logSource == logSource ? parsed : nil
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
    private mutating func removeScratchFields() {
        if !matcher.isEmpty { sink.removeFields(from: matcher.formats.keyedIndex.firstScratchField) }
    }

    /// A format of the rules folder: as its own file has it, behind syslog's header, or as JSON or pairs.
    private mutating func attempt(
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

    /// - Parameter text: the line, without the wrapper of a container or a receiver.
    private mutating func count(_ bytes: Span<UInt8>, _ text: ByteRange, _ certainty: ParsedLine.Certainty?) {
        switch certainty {
        case .known: counters.parsed += 1
        case .plain:
            counters.parsed += 1
            counters.plain += 1
            // Of a source that has nothing else, not every line is worth a copy.
            if counters.plain <= BatchParser.maximumSamples || counters.plain.isMultiple(of: 64) {
                BatchParser.keep(bytes, text, in: &plainSamples)
            }
        case .broken, nil:
            counters.unparsed += 1
            BatchParser.keep(bytes, text, in: &unparsedSamples)
        }
    }

    private static func keep(_ bytes: Span<UInt8>, _ text: ByteRange, in samples: inout [String]) {
        if samples.count == maximumSamples { samples.removeFirst() }
        samples.append(String(decoding: text.bounds.prefix(maximumSampleBytes).map { bytes[$0] }, as: UTF8.self))
    }

    private mutating func unescape(_ place: EscapedField, _ batch: inout EventBatch) {
        let start = batch.bytes.count
        let range = batch.fields[place.field].range
        sink.scratch.removeAll(keepingCapacity: true)
        JSONStringDecoder.append(batch.bytes.span, range.bounds, to: &sink.scratch)
        batch.bytes.append(contentsOf: sink.scratch)
        let decoded = ByteRange(start: start, count: batch.bytes.count - start)
        // Fields derived from the escaped text (path, query, decoded forms) name parts of it: they follow it.
        let mark = batch.bytes.span.firstIndex(of: UInt8(ascii: "?"), from: start, to: decoded.end) ?? decoded.end
        for index in batch.events[place.event].fields {
            let value = batch.fields[index]
            guard value.range.start == range.start || value.range.end == range.end else { continue }
            if value.range == range {
                batch.fields[index].range = decoded
            } else if value.range.start == range.start, value.field == .urlPath || value.field == .decodedPath {
                batch.fields[index].range = ByteRange(start: start, count: mark - start)
            } else if value.range.end == range.end, value.range.start > range.start, value.field == .urlQuery {
                let query = min(mark + 1, decoded.end)
                batch.fields[index].range = ByteRange(start: query, count: decoded.end - query)
            }
        }
    }

    /// Points the decoded fields of an event at their decoded text where that differs from the raw one.
    private mutating func decodeRequest(_ event: EventRecord, _ batch: inout EventBatch) {
        var target: (raw: ByteRange, decoded: ByteRange)?
        for index in event.fields {
            let value = batch.fields[index]
            switch value.field {
            case .decodedURL, .decodedPath:
                guard RequestDecoder.isNeeded(batch.bytes.span, value.range.bounds, plusIsSpace: true) else { continue }
                let decoded = RequestDecoder.decode(value.range, in: &batch.bytes, scratch: &scratch, plusIsSpace: true)
                if value.field == .decodedURL { target = (value.range, decoded) }
                batch.fields[index].range = decoded
            case .decodedRequest:
                if let target, target.raw == value.range {
                    batch.fields[index].range = target.decoded
                } else if RequestDecoder.isNeeded(batch.bytes.span, value.range.bounds, plusIsSpace: false) {
                    batch.fields[index].range = RequestDecoder.decode(
                        value.range, in: &batch.bytes, scratch: &scratch, plusIsSpace: false)
                }
            default: continue
            }
        }
    }
}

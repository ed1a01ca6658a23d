package import Events

/// Turns the lines of one source into events.
///
/// Owned by one source; keeps what a format needs from line to line, and the counts of what became of the lines.
package struct BatchParser: Sendable {
    package let format: LogFormat
    package internal(set) var counters: SourceCounters
    /// The format that the last parsed line had.
    package internal(set) var recognised: LogFormat?
    /// The newest event time seen, which a line without one is given.
    package internal(set) var lastTime: Timestamp?
    package internal(set) var unparsedSamples: [String] = []
    package internal(set) var plainSamples: [String] = []

    var plan: JSONFieldPlan
    let proxies: TrustedProxies
    var matcher: FormatMatcher
    var sink = FieldSink()
    var scratch = DecoderScratch()
    var escaped: [EscapedField] = []
    /// Positions of events whose decoded fields differ from the raw ones.
    var encoded: [Int] = []
    /// Positions of events whose target is still to be made of its path and its query.
    var split: [Int] = []
    var soleAddress = SoleAddress()
    var unwrapped: [ContainerLine.Inner?] = []
    var receivedFormat = LogFormat.auto
    var receivedFormatName: [UInt8] = []

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
        split.removeAll(keepingCapacity: true)
        matcher.constantsStart = batch.bytes.count
        batch.bytes += matcher.formats.constantBytes
        // Before the bytes are borrowed: what Docker or journald wrapped is decoded behind them.
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
        for event in split { joinTarget(batch.events[event], &batch) }
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
        var whole = line.range
        if let wrapped, wrapped.isWholeLine { whole = wrapped.range }
        var containsNUL = line.followsNUL
        if !isPlain {
            let text = TextCheck.check(bytes, whole.bounds)
            if !text.isUTF8 { counters.invalidUTF8 += 1 }
            if text.containsNUL { containsNUL = true }
        }
        if containsNUL { counters.containingNUL += 1 }
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
        if parsed != nil { addDecodedLine(bytes, whole, isRewritten: whole != line.range) }
        for index in sink.escaped { escaped.append(EscapedField(event: events.count, field: index)) }
        if sink.isTargetSplit { split.append(events.count) }
        if !sink.escaped.isEmpty || sink.isTargetSplit || isEncoded(bytes) { encoded.append(events.count) }
        events.append(
            EventRecord(
                line: line.range, firstField: sink.first, fieldCount: sink.values.count - sink.first,
                time: parsed?.time ?? lastTime ?? reference, hasOwnTime: parsed?.time != nil,
                logSource: parsed?.logSource ?? .unknown, offset: line.offset, lineNumber: line.number))
    }

    /// A field whose text holds JSON escapes, by its places in the batch.
    struct EscapedField: Sendable {
        var event: Int
        var field: Int
    }

    private func isBlank(_ bytes: Span<UInt8>, _ range: ByteRange) -> Bool {
        for index in range.bounds where bytes[index] > 0x20 { return false }
        return true
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

}

import Events

/// What receivers took.
extension BatchParser {
    /// What a receiver took: the message as its own format has it, and beside it what the sender said about it.
    ///
    /// Times are held against the moment of reception, not the present, so that a backlog is read as it would have been then.
    mutating func readReceived(
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
            return read(as: named, bytes, range, envelope.received)
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
}

import Events

/// What lines say once their escapes and encodings are undone.
extension BatchParser {
    /// The line with its escapes decoded, where rules have keywords.
    @inline(__always)
    mutating func addDecodedLine(_ bytes: Span<UInt8>, _ line: ByteRange, isRewritten: Bool) {
        guard let field = plan.decodedLine, bytes.hasPrefix("{", from: Int(line.start), to: line.end),
            isRewritten || bytes.firstIndex(of: UInt8(ascii: "\\"), from: Int(line.start), to: line.end) != nil
        else { return }
        sink.escaped.append(sink.values.count)
        sink.add(field, line)
    }

    private static let decodedFields =
        FieldSink.bit(.decodedRequest) | FieldSink.bit(.decodedURL) | FieldSink.bit(.decodedPath)

    /// Whether any decoded field of the line at hand differs from the raw text it names so far; most requests have none.
    @inline(__always)
    func isEncoded(_ bytes: Span<UInt8>) -> Bool {
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

    mutating func unescape(_ place: EscapedField, _ batch: inout EventBatch) {
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

    /// A target of a path and a query that were logged apart, for all that is said of a whole target.
    mutating func joinTarget(_ event: EventRecord, _ batch: inout EventBatch) {
        guard let path = event.fields.first(where: { batch.fields[$0].field == .urlPath }).map({ batch.fields[$0].range }),
            let query = event.fields.first(where: { batch.fields[$0].field == .urlQuery }).map({ batch.fields[$0].range }),
            query.count > 0
        else { return }
        sink.scratch.removeAll(keepingCapacity: true)
        sink.scratch.append(contentsOf: batch.bytes[path.bounds])
        if batch.bytes[Int(query.start)] != UInt8(ascii: "?") { sink.scratch.append(UInt8(ascii: "?")) }
        sink.scratch.append(contentsOf: batch.bytes[query.bounds])
        let target = ByteRange(start: batch.bytes.count, count: sink.scratch.count)
        batch.bytes.append(contentsOf: sink.scratch)
        for index in event.fields where batch.fields[index].range == path {
            switch batch.fields[index].field {
            case .urlOriginal, .decodedURL, .decodedRequest: batch.fields[index].range = target
            default: continue
            }
        }
    }

    /// Points the decoded fields of an event at their decoded text where that differs from the raw one.
    mutating func decodeRequest(_ event: EventRecord, _ batch: inout EventBatch) {
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

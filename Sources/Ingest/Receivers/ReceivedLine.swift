import Events

/// A line of a receiver's spool whose message is a line of some program's log: see `ReceivedLines`, which writes it.
enum ReceivedLine {
    struct Envelope: Sendable {
        /// The message, decoded behind the other bytes of the batch.
        var message: ByteRange
        /// The name of its format.
        var format: ByteRange
        var received: Timestamp
        /// When the sender says it happened; when it was received, where that is not said.
        var time: Timestamp
    }

    /// `nil` when the line is none.
    static func unwrap(_ line: ByteRange, in bytes: inout [UInt8], scratch: inout [UInt8]) -> Envelope? {
        guard let parts = parts(bytes.span, line) else { return nil }
        let start = bytes.count
        scratch.removeAll(keepingCapacity: true)
        JSONStringDecoder.append(bytes.span, parts.text, to: &scratch)
        bytes.append(contentsOf: scratch)
        var envelope = parts.envelope
        envelope.message = ByteRange(start: start, count: bytes.count - start)
        return envelope
    }

    private static func parts(_ bytes: Span<UInt8>, _ line: ByteRange) -> (text: Range<Int>, envelope: Envelope)? {
        let end = line.end
        guard bytes.hasPrefix(ReceivedLines.wrapper, from: Int(line.start), to: end) else { return nil }
        let name = Int(line.start) + ReceivedLines.wrapper.utf8CodeUnitCount
        guard let nameEnd = bytes.firstIndex(of: UInt8(ascii: "\""), from: name, to: min(end, name + 64)),
            let (received, afterReceived) = number(bytes, after: "\",\"event.ingested\":", from: nameEnd, to: end),
            bytes.hasPrefix(",\"message\":\"", from: afterReceived, to: end)
        else { return nil }
        let text = afterReceived + 12
        var index = text
        while index < end, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        guard index < end else { return nil }
        // What the sender claimed and was not believed stands in between.
        let created = number(bytes, after: "\",\"event.created\":", from: index, to: end)
        let time =
            created.map { number(bytes, after: ",\"@timestamp\":", from: $0.end, to: end) }
            ?? number(bytes, after: "\",\"@timestamp\":", from: index, to: end)
        return (
            text..<index,
            Envelope(
                message: line, format: ByteRange(start: name, count: nameEnd - name), received: received,
                time: time?.value ?? received)
        )
    }

    private static func number(
        _ bytes: Span<UInt8>, after key: StaticString, from start: Int, to end: Int
    ) -> (value: Timestamp, end: Int)? {
        guard bytes.hasPrefix(key, from: start, to: end) else { return nil }
        let first = start + key.utf8CodeUnitCount
        var last = first
        while last < end, bytes[last] &- 0x30 <= 9 { last += 1 }
        guard let value = bytes.decimal(from: first, to: last) else { return nil }
        return (Timestamp(nanoseconds: Int64(value)), last)
    }
}

import Events

/// Lines posted as a body: one event each, JSON objects (NDJSON) or the lines of any log.
package enum EventLines {
    /// A line that is no JSON object is refused by itself, and the sender told which was the first.
    package static func decode(ndjson bytes: Span<UInt8>, into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        try forEachLine(bytes) { (number, line, record) throws(ReceiverRefusal) in
            do throws(ReceiverRefusal) {
                guard bytes.isObject(try JSONCursor.check(bytes, line)) else {
                    throw .malformed("it is no JSON object")
                }
            } catch {
                return lines.reject("line \(number): \(error.reason)")
            }
            guard line.count <= ReceivedRecord.maximumMessageBytes else {
                return lines.reject("line \(number): it is longer than \(ReceivedRecord.maximumMessageBytes) bytes")
            }
            record.setMessage(bytes, line)
            try lines.append(line: record, format: lines.format == .auto ? .json : nil)
        }
    }

    package static func decode(text bytes: Span<UInt8>, into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        try forEachLine(bytes) { (_, line, record) throws(ReceiverRefusal) in
            record.setMessage(bytes, line)
            try lines.append(line: record)
        }
    }

    private static func forEachLine(
        _ bytes: Span<UInt8>, _ body: (_ number: Int, Range<Int>, inout ReceivedRecord) throws(ReceiverRefusal) -> Void
    ) throws(ReceiverRefusal) {
        var record = ReceivedRecord()
        var start = 0
        var number = 0
        while start < bytes.count {
            let feed = bytes.firstIndex(of: 0x0A, from: start, to: bytes.count)
            var end = feed ?? bytes.count
            let next = end + 1
            number += 1
            while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
            if end > start {
                record.reset()
                try body(number, start..<end, &record)
            }
            start = next
        }
    }
}

import Events

/// The wrappers that container runtimes put around a program's own lines.
///
/// * Docker's `json-file`: `{"log":"…\n","stream":"stdout","time":"…"}`; the text inside is decoded.
/// * CRI (containerd, CRI-O): `2026-03-01T10:00:00.123456789Z stdout F …`.
/// * Compose's prefix: `web-1  | …`.
/// * The envelope of what came over a network: `ReceivedLine`.
/// * journald's entries whose message is no text: `JournaldLine`.
///
/// Parts of a line that a runtime has cut up are joined before they are unwrapped: `PartialLines`.
enum ContainerLine {
    struct Inner: Sendable {
        var range: ByteRange
        var time: Timestamp?
        /// Of a receiver's spool.
        var envelope: ReceivedLine.Envelope?
        /// It is the whole line, written anew.
        var isWholeLine = false
    }

    /// The text inside a wrapper that is JSON, decoded behind the other bytes of the batch; `nil` when the line has none.
    static func unwrap(_ line: ByteRange, in bytes: inout [UInt8], scratch: inout [UInt8]) -> Inner? {
        if let envelope = ReceivedLine.unwrap(line, in: &bytes, scratch: &scratch) {
            return Inner(range: envelope.message, time: envelope.time, envelope: envelope)
        }
        if let entry = JournaldLine.unwrap(line, in: &bytes, scratch: &scratch) { return Inner(range: entry, isWholeLine: true) }
        return unwrapDocker(line, in: &bytes, scratch: &scratch)
    }

    /// Where a container's program wrote.
    enum Stream: Sendable {
        case output, error
    }

    /// What a runtime has put into one line of its log: a program's whole line, or a part of it.
    struct Part: Sendable {
        var stream: Stream
        /// The last part, or all there is.
        var isLast: Bool
        /// The program's text as it stands in the log, Docker's with its escapes.
        var text: Range<Int>
        /// Where the wrapper ends.
        var end: Int
        /// Where CRI's `P` or `F` stands.
        var tag: Int?
    }

    /// How a line is wrapped; `nil` for one that no runtime wrote. Costs a few comparisons for any other line.
    static func part(_ bytes: Span<UInt8>, _ line: ByteRange) -> Part? {
        let (start, end) = (Int(line.start), line.end)
        guard end - start > 24 else { return nil }
        if bytes[start] == UInt8(ascii: "{") { return dockerPart(bytes, start, end) }
        // A CRI line begins with its time: 2026-03-01T…
        guard bytes[start] &- 0x30 <= 9, bytes[start + 4] == UInt8(ascii: "-"), bytes[start + 10] == UInt8(ascii: "T"),
            let space = bytes.firstIndex(of: 0x20, from: start, to: min(end, start + 64))
        else { return nil }
        let isError = bytes.hasPrefix(" stderr ", from: space, to: end)
        guard isError || bytes.hasPrefix(" stdout ", from: space, to: end) else { return nil }
        let tag = space + 8
        guard tag + 2 <= end, bytes[tag] == UInt8(ascii: "F") || bytes[tag] == UInt8(ascii: "P"), bytes[tag + 1] == 0x20 else {
            return nil
        }
        return Part(
            stream: isError ? .error : .output, isLast: bytes[tag] == UInt8(ascii: "F"), text: tag + 2..<end, end: end, tag: tag)
    }

    private static func dockerPart(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Part? {
        // The wrapper's own keys follow the text, in which a quotation mark is escaped: the last such place is theirs.
        guard bytes.hasPrefix("{\"log\":\"", from: start, to: end),
            let close = bytes.lastIndex(of: "\",\"stream\":\"std", from: start + 8, to: end)
        else { return nil }
        let isError = bytes.hasPrefix("\",\"stream\":\"stderr\"", from: close, to: end)
        var isLast = false
        if close - start >= 10, bytes[close - 1] == UInt8(ascii: "n") {
            var backslashes = 0
            while bytes[close - 2 - backslashes] == UInt8(ascii: "\\") { backslashes += 1 }
            isLast = !backslashes.isMultiple(of: 2)
        }
        return Part(stream: isError ? .error : .output, isLast: isLast, text: start + 8..<close, end: end, tag: nil)
    }

    /// The text inside Docker's wrapper, decoded behind the other bytes of the batch; `nil` when the line has none.
    static func unwrapDocker(_ line: ByteRange, in bytes: inout [UInt8], scratch: inout [UInt8]) -> Inner? {
        guard let place = dockerText(bytes.span, line) else { return nil }
        let start = bytes.count
        scratch.removeAll(keepingCapacity: true)
        JSONStringDecoder.append(bytes.span, place.text, to: &scratch)
        bytes.append(contentsOf: scratch)
        var end = bytes.count
        while end > start, bytes[end - 1] == 0x0A || bytes[end - 1] == 0x0D { end -= 1 }
        return Inner(range: ByteRange(start: start, count: end - start), time: place.time)
    }

    private static func dockerText(_ bytes: Span<UInt8>, _ line: ByteRange) -> (text: Range<Int>, time: Timestamp?)? {
        let (start, end) = (Int(line.start), line.end)
        guard bytes.hasPrefix("{\"log\":\"", from: start, to: end) else { return nil }
        var index = start + 8
        let first = index
        while index < end, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        guard index < end, bytes.hasPrefix("\",\"stream\":\"std", from: index, to: end) else { return nil }
        // The runtime's own keys follow: the last `"time":"` is its.
        var time: Timestamp?
        if let key = bytes.lastIndex(of: "\"time\":\"", from: index, to: end),
            let close = bytes.firstIndex(of: UInt8(ascii: "\""), from: key + 8, to: end)
        {
            time = Timestamp(iso8601: bytes.extracting(key + 8..<close), assumedOffsetSeconds: 0)
        }
        return (first..<index, time)
    }

    /// The text behind CRI's or Compose's prefix.
    static func unwrapPrefix(_ bytes: Span<UInt8>, _ line: ByteRange) -> Inner? {
        let (start, end) = (Int(line.start), line.end)
        guard let space = bytes.firstIndex(of: 0x20, from: start, to: min(end, start + 64)) else { return nil }
        for stream: StaticString in [" stdout ", " stderr "] where bytes.hasPrefix(stream, from: space, to: end) {
            let tag = space + 8
            guard tag + 2 <= end, bytes[tag] == UInt8(ascii: "F") || bytes[tag] == UInt8(ascii: "P"), bytes[tag + 1] == 0x20,
                let time = Timestamp(iso8601: bytes.extracting(start..<space), assumedOffsetSeconds: 0)
            else { return nil }
            return Inner(range: ByteRange(start: tag + 2, count: end - tag - 2), time: time)
        }
        var bar = space
        while bar < end, bytes[bar] == 0x20 { bar += 1 }
        guard bar - space >= 1, bytes.hasPrefix("| ", from: bar, to: end), isContainerName(bytes, start, space) else {
            return nil
        }
        return Inner(range: ByteRange(start: bar + 2, count: end - bar - 2), time: nil)
    }

    private static func isContainerName(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        for index in start..<end {
            let byte = bytes[index]
            guard byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26 || "_.-".utf8.contains(byte) else { return false }
        }
        return end > start && (bytes[start] | 0x20) &- 0x61 < 26
    }
}

import Events

/// The wrappers that container runtimes put around a program's own lines.
///
/// * Docker's `json-file`: `{"log":"…\n","stream":"stdout","time":"…"}`; the text inside is decoded.
/// * CRI (containerd, CRI-O): `2026-03-01T10:00:00.123456789Z stdout F …`.
/// * Compose's prefix: `web-1  | …`.
///
/// Parts of a line that a runtime has cut up are joined before they come here.
enum ContainerLine {
    struct Inner: Sendable {
        var range: ByteRange
        var time: Timestamp?
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

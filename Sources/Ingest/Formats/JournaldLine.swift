import Events

/// journald's entries as `journalctl --output=json` writes them: a message with a byte that cannot be printed, or is no UTF-8, is an array
/// of its bytes as numbers there. One such byte in an account's name would hide what the message says from every rule.
enum JournaldLine {
    /// The line with its message as a text, behind the other bytes of the batch; `nil` for any other line.
    ///
    /// For all but journald's lines it costs a look at four bytes.
    static func unwrap(_ line: ByteRange, in bytes: inout [UInt8], scratch: inout [UInt8]) -> ByteRange? {
        guard rewrite(bytes.span, line, into: &scratch) else { return nil }
        let start = bytes.count
        bytes.append(contentsOf: scratch)
        return ByteRange(start: start, count: bytes.count - start)
    }

    private static func rewrite(_ bytes: Span<UInt8>, _ line: ByteRange, into text: inout [UInt8]) -> Bool {
        let (start, end) = (Int(line.start), line.end)
        // Its keys stand in any order; all of them are written in capitals and underscores.
        guard end - start > 24, bytes[start] == UInt8(ascii: "{"), bytes[start + 1] == UInt8(ascii: "\""),
            isOfKey(bytes[start + 2]), isOfKey(bytes[start + 3]), let open = messageArray(bytes, start, end),
            bytes.firstIndex(of: "\"__REALTIME_TIMESTAMP\"", from: start, to: end) != nil
                || bytes.firstIndex(of: "\"__CURSOR\"", from: start, to: end) != nil
        else { return false }
        text.removeAll(keepingCapacity: true)
        for index in start..<open { text.append(bytes[index]) }
        text.append(UInt8(ascii: "\""))
        guard let close = appendText(bytes, from: open + 1, to: end, to: &text) else { return false }
        text.append(UInt8(ascii: "\""))
        // Of an over-long line the end is missing.
        if close == end { text.append(UInt8(ascii: "}")) }
        for index in close..<end { text.append(bytes[index]) }
        return true
    }

    private static func isOfKey(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 || byte == UInt8(ascii: "_") }

    /// Where the array of the message begins. Within a text the quotation marks around the key would be escaped.
    private static func messageArray(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var from = start
        while let open = bytes.firstIndex(of: UInt8(ascii: "["), from: from, to: end) {
            let colon = skipSpace(bytes, before: open, start)
            if colon > start, bytes[colon - 1] == UInt8(ascii: ":") {
                let key = skipSpace(bytes, before: colon - 1, start) - 9
                if key > start, bytes.hasPrefix("\"MESSAGE\"", from: key, to: end) { return open }
            }
            from = open + 1
        }
        return nil
    }

    private static func skipSpace(_ bytes: Span<UInt8>, before end: Int, _ start: Int) -> Int {
        var index = end
        while index > start, bytes[index - 1] <= 0x20 { index -= 1 }
        return index
    }

    /// Appends the bytes that the numbers stand for, with quotation marks and backslashes escaped, as in a JSON text.
    ///
    /// - Returns: the place behind the array, `end` where it is cut off; `nil` when it holds anything but bytes.
    private static func appendText(_ bytes: Span<UInt8>, from start: Int, to end: Int, to text: inout [UInt8]) -> Int? {
        var index = start
        while index < end {
            let byte = bytes[index]
            if byte == UInt8(ascii: "]") { return index + 1 }
            guard byte > 0x20, byte != UInt8(ascii: ",") else {
                index += 1
                continue
            }
            let first = index
            var value = 0
            while index < end, index - first < 4, bytes[index] &- 0x30 <= 9 {
                value = value * 10 + Int(bytes[index] &- 0x30)
                index += 1
            }
            guard index > first, value <= 255 else { return nil }
            // More digits may have stood behind a cut.
            guard index < end else { return end }
            let decoded = UInt8(value)
            if decoded == UInt8(ascii: "\"") || decoded == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
            text.append(decoded)
        }
        return end
    }
}

import Events

/// Lines that begin as those of a format do which tells itself apart from all others, for where that format has not read them.
enum LineBeginning {
    /// An access log's client and date, or a JSON object's first key.
    static func isKnown(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Bool {
        let text = FormatMatcher.trimmed(bytes, line)
        guard text.count > 2 else { return false }
        if bytes[text.lowerBound] == UInt8(ascii: "{") { return bytes[text.lowerBound + 1] == UInt8(ascii: "\"") }
        return isAccess(bytes, text)
    }

    private static func isAccess(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Bool {
        let end = min(text.upperBound, text.lowerBound + 512)
        guard let first = bytes.firstIndex(of: 0x20, from: text.lowerBound, to: end) else { return false }
        if IPAddress(bytes.extracting(text.lowerBound..<first)) == nil {
            // The virtual host in front of the client.
            guard let second = bytes.firstIndex(of: 0x20, from: first + 1, to: end),
                IPAddress(bytes.extracting(first + 1..<second)) != nil
            else { return false }
        }
        guard let open = bytes.firstIndex(of: " [", from: first, to: end), end - open >= 22 else { return false }
        return CombinedFormat.time(bytes.extracting(open + 2..<open + 22)) != nil
    }
}

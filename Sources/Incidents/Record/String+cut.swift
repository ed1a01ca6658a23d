extension String {
    /// How many bytes it takes as canonical JSON (RFC 8785 §3.2.2.2), without the quotes.
    var jsonByteCount: Int { utf8.reduce(0) { $0 + String.jsonByteCount($1) } }

    /// The longest beginning that takes at most `limit` bytes as JSON; an ellipsis follows where something is missing.
    ///
    /// Counted as JSON because a control character takes six bytes there, and logs of attacks are full of them.
    package func cut(toJSONBytes limit: Int) -> String {
        var count = 0
        var end = utf8.startIndex
        while end < utf8.endIndex {
            count += String.jsonByteCount(utf8[end])
            if count > limit { break }
            utf8.formIndex(after: &end)
        }
        guard end < utf8.endIndex else { return self }
        while end > startIndex, String.Index(end, within: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end]) + "…"
    }

    private static func jsonByteCount(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: 2
        case ..<0x20: 6
        default: 1
        }
    }
}

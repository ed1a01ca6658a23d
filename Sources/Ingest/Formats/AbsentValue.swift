import Events

/// How logs write that there is nothing where a value would stand.
enum AbsentValue {
    /// Nothing, or a dash.
    @inline(__always)
    static func isBlank(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        end <= start || (end &- start == 1 && bytes[start] == UInt8(ascii: "-"))
    }

    /// Likewise, and for an account two dashes or `false` without quotes, as Nextcloud writes where nobody is signed in.
    static func isAbsent(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ field: FieldID) -> Bool {
        if isBlank(bytes, start, end) { return true }
        guard field == .userName else { return false }
        switch end - start {
        case 2: return bytes.hasPrefix("--", from: start, to: end)
        case 5: return bytes.hasPrefix("false", from: start, to: end) && isBare(bytes, start)
        default: return false
        }
    }

    /// Whether what begins here is the value of a key and no text in quotes: somebody may have that name.
    private static func isBare(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        var index = start - 1
        while index > 0, bytes[index] == 0x20 { index -= 1 }
        return index >= 0 && (bytes[index] == UInt8(ascii: ":") || bytes[index] == UInt8(ascii: "="))
    }
}

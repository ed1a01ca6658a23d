/// One element of a `Forwarded` header (RFC 7239 §4) as it stands in a log: a quotation mark is `"` by itself, `\x22` where
/// nginx wrote it, `\"` or `\u0022` where Apache or JSON did.
enum ForwardedElement {
    /// Where the last element of `start..<end` begins: behind the last comma outside of quotes.
    ///
    /// Counted from the right, since what stands there the proxies wrote: a quotation mark that a client left open further
    /// left changes nothing.
    static func start(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var isInside = false
        var index = end
        while index > start {
            if let mark = mark(bytes, from: start, endingAt: index) {
                if !mark.isEscaped { isInside.toggle() }
                index = mark.start
            } else if bytes[index - 1] == UInt8(ascii: ","), !isInside {
                return index
            } else {
                index -= 1
            }
        }
        return start
    }

    /// The values of the parameter `for`: more than one say nothing that is sure.
    static func clients(_ bytes: Span<UInt8>, _ element: Range<Int>) -> (count: Int, last: Range<Int>) {
        var count = 0
        var last = element
        var end = element.upperBound
        while end >= element.lowerBound {
            var isInside = false
            var start = end
            while start > element.lowerBound {
                if let mark = mark(bytes, from: element.lowerBound, endingAt: start) {
                    if !mark.isEscaped { isInside.toggle() }
                    start = mark.start
                } else if bytes[start - 1] == UInt8(ascii: ";"), !isInside {
                    break
                } else {
                    start -= 1
                }
            }
            if let value = client(bytes, start..<end) {
                count += 1
                last = value
            }
            end = start - 1
        }
        return (count, last)
    }

    /// What stands behind `for=` at the beginning of a pair.
    private static func client(_ bytes: Span<UInt8>, _ pair: Range<Int>) -> Range<Int>? {
        var index = pair.lowerBound
        while index < pair.upperBound, bytes[index] <= 0x20 { index += 1 }
        guard pair.upperBound - index > 3, bytes[index] | 0x20 == UInt8(ascii: "f"), bytes[index + 1] | 0x20 == UInt8(ascii: "o"),
            bytes[index + 2] | 0x20 == UInt8(ascii: "r"), bytes[index + 3] == UInt8(ascii: "=")
        else { return nil }
        return index + 4..<pair.upperBound
    }

    /// Without white space and quotation marks at its ends.
    static func unquoted(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, bytes[start] <= 0x20 { start += 1 }
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        guard start < end, bytes[start] == UInt8(ascii: "\"") || bytes[start] == UInt8(ascii: "\\") else { return start..<end }
        for length in [1, 2, 4, 6] where end - start >= 2 * length {
            guard let first = mark(bytes, from: start, endingAt: start + length), first.start == start,
                let last = mark(bytes, from: start + length, endingAt: end)
            else { continue }
            return start + length..<last.start
        }
        return start..<end
    }

    private struct Mark {
        var start: Int
        /// A part of quoted text, with a backslash in front (RFC 9110 §5.6.4).
        var isEscaped: Bool
    }

    /// The quotation mark that ends at `end`.
    private static func mark(_ bytes: Span<UInt8>, from start: Int, endingAt end: Int) -> Mark? {
        switch bytes[end - 1] {
        case UInt8(ascii: "\""):
            let backslashes = backslashes(bytes, from: start, endingAt: end - 1)
            // One is the log's own; what is left of them it has doubled.
            guard !backslashes.isMultiple(of: 2) else { return Mark(start: end - 1, isEscaped: false) }
            return Mark(start: end - 2, isEscaped: !(backslashes / 2).isMultiple(of: 2))
        case UInt8(ascii: "2"):
            if end - start >= 4, bytes.hasPrefix("\\x22", from: end - 4, to: end) {
                var place = end - 4
                var count = 0
                while place - start >= 4,
                    bytes.hasPrefix("\\x5C", from: place - 4, to: place) || bytes.hasPrefix("\\x5c", from: place - 4, to: place)
                {
                    place -= 4
                    count += 1
                }
                return Mark(start: end - 4, isEscaped: !count.isMultiple(of: 2))
            }
            guard end - start >= 6, bytes.hasPrefix("\\u0022", from: end - 6, to: end) else { return nil }
            let backslashes = backslashes(bytes, from: start, endingAt: end - 6)
            return Mark(start: end - 6, isEscaped: !(backslashes / 2).isMultiple(of: 2))
        default: return nil
        }
    }

    private static func backslashes(_ bytes: Span<UInt8>, from start: Int, endingAt end: Int) -> Int {
        var index = end
        while index > start, bytes[index - 1] == UInt8(ascii: "\\") { index -= 1 }
        return end - index
    }
}

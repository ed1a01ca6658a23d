import Events

/// What a capture took: the value, and where the line goes on.
struct Capture {
    var value: Range<Int>
    var next: Int
}

extension CaptureKind {
    /// A name or a path longer than this is cut by nobody: the pattern does not match.
    private static var maximumWordBytes: Int { 8_192 }

    /// Takes the capture that begins at `start`; `nil` when there is none.
    ///
    /// Not for gaps, whose end the matcher finds, nor for times. Looks at each byte once.
    func take(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, before literal: ByteRange?, _ literals: Span<UInt8>) -> Capture? {
        guard start < end else { return nil }
        switch self {
        case .word: return CaptureKind.word(bytes, start, end, literal, literals)
        case .ip:
            let isPortBehind = literal.map { literals[Int($0.start)] == UInt8(ascii: ":") } ?? false
            return CaptureKind.address(bytes, start, end, isPortBehind: isPortBehind)
        case .clients:
            var index = start
            while index < end, hexadecimalValue(bytes[index]) != nil || ".:, ".utf8.contains(bytes[index]) { index += 1 }
            while index > start, " ,".utf8.contains(bytes[index - 1]) { index -= 1 }
            return AddressText.client(bytes, start..<index).map { Capture(value: $0, next: index) }
        case .int:
            var index = start
            while index < end, index - start < 18, bytes[index] &- 0x30 <= 9 { index += 1 }
            return index > start ? Capture(value: start..<index, next: index) : nil
        case .number:
            var index = bytes[start] == UInt8(ascii: "-") ? start + 1 : start
            let first = index
            while index < end, index - start < 40,
                bytes[index] &- 0x30 <= 9 || (bytes[index] == UInt8(ascii: ".") && index > first)
            {
                index += 1
            }
            return index > first ? Capture(value: start..<index, next: index) : nil
        case .quoted: return CaptureKind.quoted(bytes, start, end)
        case .text, .cell, .until, .rest, .time: return nil
        }
    }

    private static func word(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ literal: ByteRange?, _ literals: Span<UInt8>
    ) -> Capture? {
        let limit = min(end, start + maximumWordBytes)
        var index = start
        while index < limit, bytes[index] > 0x20 {
            if let literal, bytes.hasPrefix(literals, literal, from: index, to: end) { break }
            index += 1
        }
        return index > start ? Capture(value: start..<index, next: index) : nil
    }

    private static func quoted(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Capture? {
        let quote = bytes[start]
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
        let limit = min(end, start + maximumWordBytes)
        var index = start + 1
        while index < limit, bytes[index] != quote { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return index < limit ? Capture(value: start + 1..<index, next: index + 1) : nil
    }

    private static func address(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, isPortBehind: Bool) -> Capture? {
        let isBracketed = bytes[start] == UInt8(ascii: "[")
        let first = isBracketed ? start + 1 : start
        let limit = min(end, first + 64)
        var last = first
        var lastPoint = -1
        while last < limit,
            hexadecimalValue(bytes[last]) != nil || bytes[last] == UInt8(ascii: ".") || bytes[last] == UInt8(ascii: ":")
        {
            if bytes[last] == UInt8(ascii: ".") { lastPoint = last }
            last += 1
        }
        if isBracketed {
            // A zone (RFC 4007 §11) is no part of what identifies the other side.
            var close = last
            if close < limit, bytes[close] == UInt8(ascii: "%") {
                while close < limit, bytes[close] != UInt8(ascii: "]") { close += 1 }
            }
            guard close < end, bytes[close] == UInt8(ascii: "]") else { return nil }
            return checked(bytes, first, last, next: close + 1)
        }
        while last > first, bytes[last - 1] == UInt8(ascii: ".") { last -= 1 }
        if lastPoint >= last { lastPoint = bytes.lastIndex(of: UInt8(ascii: "."), from: first, to: last) ?? -1 }
        if lastPoint >= 0 {
            // `192.0.2.1:50122`, `::ffff:192.0.2.1:50122`: a dotted quad ends an address.
            last = bytes.firstIndex(of: UInt8(ascii: ":"), from: lastPoint, to: last) ?? last
            return checked(bytes, first, last, next: last)
        }
        if isPortBehind {
            while last > first, bytes[last - 1] == UInt8(ascii: ":") { last -= 1 }
            guard let colon = bytes.lastIndex(of: UInt8(ascii: ":"), from: first, to: last) else { return nil }
            // Without a port the whole run is the address, and the colon is the message's.
            return checked(bytes, first, colon, next: colon) ?? checked(bytes, first, last, next: last)
        }
        if last - first > 2, bytes[last - 1] == UInt8(ascii: ":"), bytes[last - 2] != UInt8(ascii: ":") { last -= 1 }
        return checked(bytes, first, last, next: last)
    }

    private static func checked(_ bytes: Span<UInt8>, _ first: Int, _ last: Int, next: Int) -> Capture? {
        guard last - first >= 2, IPAddress(bytes.extracting(first..<last)) != nil else { return nil }
        if last - first > 7,
            bytes.hasPrefix("::ffff:", from: first, to: last) || bytes.hasPrefix("::FFFF:", from: first, to: last),
            bytes.firstIndex(of: UInt8(ascii: "."), from: first, to: last) != nil
        {
            return Capture(value: first + 7..<last, next: next)
        }
        return Capture(value: first..<last, next: next)
    }
}

extension Span where Element == UInt8 {
    /// Whether `literal`, a range of `literals`, stands at `start`.
    @inline(__always)
    func hasPrefix(_ literals: Span<UInt8>, _ literal: ByteRange, from start: Int, to end: Int) -> Bool {
        guard end - start >= Int(literal.count), literal.count == 0 || self[start] == literals[Int(literal.start)] else {
            return false
        }
        for offset in 0..<Int(literal.count) where self[start + offset] != literals[Int(literal.start) + offset] { return false }
        return true
    }
}

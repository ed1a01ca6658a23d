extension IPAddress {
    /// Reads a dotted quad or RFC 4291 §2.2 text; a zone (`%eth0`) is ignored; `nil` for anything else.
    ///
    /// Leading zeros in a dotted quad are refused: programs disagree whether they mean octal.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 2, bytes.count <= 64 else { return nil }
        if let address = IPAddress.dottedQuad(bytes, from: 0, to: bytes.count) {
            self.init(v4: address)
            return
        }
        for index in 0..<bytes.count where bytes[index] == UInt8(ascii: ":") {
            self.init(v6Text: bytes)
            return
        }
        return nil
    }

    /// Whether the text is a dotted quad.
    package static func isDottedQuad(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        dottedQuad(bytes, from: range.lowerBound, to: range.upperBound) != nil
    }

    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let address = IPAddress(bytes.span) else { return nil }
        self = address
    }

    private static func dottedQuad(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> UInt32? {
        var address: UInt32 = 0
        var index = start
        for part in 0..<4 {
            if part > 0 {
                guard index < end, bytes[index] == UInt8(ascii: ".") else { return nil }
                index += 1
            }
            let first = index
            var value: UInt32 = 0
            while index < end, bytes[index] &- 0x30 <= 9, index - first < 3 {
                value = value * 10 + UInt32(bytes[index] &- 0x30)
                index += 1
            }
            guard index > first, value <= 255, index - first == 1 || bytes[first] != 0x30 else { return nil }
            address = address << 8 | value
        }
        return index == end ? address : nil
    }

    private init?(v6Text bytes: Span<UInt8>) {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap = -1
        var index = 0
        var end = bytes.count
        for position in 0..<bytes.count where bytes[position] == UInt8(ascii: "%") {
            end = position
            break
        }
        if end >= 2, bytes[0] == UInt8(ascii: ":") {
            guard bytes[1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            index = 2
        }
        while index < end {
            guard count < 8 else { return nil }
            let first = index
            var value: UInt32 = 0
            while index < end, index - first < 4, let digit = hexadecimalValue(bytes[index]) {
                value = value << 4 | UInt32(digit)
                index += 1
            }
            guard index > first else { return nil }
            if index < end, bytes[index] == UInt8(ascii: ".") {
                guard count <= 6, let tail = IPAddress.dottedQuad(bytes, from: first, to: end) else { return nil }
                groups[count] = UInt16(tail >> 16)
                groups[count + 1] = UInt16(truncatingIfNeeded: tail)
                count += 2
                index = end
                break
            }
            groups[count] = UInt16(value)
            count += 1
            if index == end { break }
            guard bytes[index] == UInt8(ascii: ":") else { return nil }
            index += 1
            if index < end, bytes[index] == UInt8(ascii: ":") {
                guard gap < 0 else { return nil }
                gap = count
                index += 1
            } else if index == end {
                return nil
            }
        }
        guard gap >= 0 ? count < 8 : count == 8 else { return nil }
        var halves = InlineArray<2, UInt64>(repeating: 0)
        let moved = gap >= 0 ? count - gap : 0
        for position in 0..<8 {
            let group: UInt16
            if gap < 0 || position < gap {
                group = groups[position]
            } else if position >= 8 - moved {
                group = groups[position - (8 - count)]
            } else {
                group = 0
            }
            halves[position / 4] = halves[position / 4] << 16 | UInt64(group)
        }
        self.init(high: halves[0], low: halves[1])
    }
}

extension IPAddress: CustomStringConvertible {
    /// A dotted quad, or RFC 5952 text.
    package var description: String {
        if isV4 {
            let address = UInt32(truncatingIfNeeded: low)
            return "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> (48 - 16 * UInt64($0 % 4))) }
        // RFC 5952 §4.2: the longest run of two or more zero groups becomes "::", the first of equals.
        var best = 0..<0
        var start = 0
        while start < 8 {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = end
        }
        let text = { (range: Range<Int>) in range.map { String(groups[$0], radix: 16) }.joined(separator: ":") }
        return best.isEmpty ? text(0..<8) : text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
    }
}

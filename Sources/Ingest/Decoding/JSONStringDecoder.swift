import Events

/// Undoes JSON's escapes (RFC 8259 §7).
enum JSONStringDecoder {
    /// Appends the decoded form of `text[range]`. A lone surrogate becomes U+FFFD; an unknown escape stays as it is.
    static func append(_ text: Span<UInt8>, _ range: Range<Int>, to bytes: inout [UInt8]) {
        precondition(range.lowerBound >= 0 && range.upperBound <= text.count)
        // What is decoded is no longer than what stands there. Eight bytes more, because words are written whole.
        bytes.append(addingCapacity: range.count + 8) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, count in
                count = unsafe decode(text, range, into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    /// - Parameter output: room for eight bytes more than the range has.
    /// - Returns: how many bytes were written.
    private static func decode(_ text: Span<UInt8>, _ range: Range<Int>, into output: UnsafeMutableRawBufferPointer) -> Int {
        let backslash = ByteWord.repeating(UInt8(ascii: "\\"))
        let end = range.upperBound
        var index = range.lowerBound
        var count = 0
        func put(_ byte: UInt8) {
            unsafe output[count] = byte
            count &+= 1
        }
        while index < end {
            // All up to the next escape as it is. Of a word that holds one, the rest is written over.
            if end &- index >= 8 {
                let word = text.word(uncheckedAt: index)
                unsafe output.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt64.self)
                let found = ByteWord.zeros(word ^ backslash)
                let plain = found == 0 ? 8 : found.trailingZeroBitCount / 8
                index &+= plain
                count &+= plain
                if found == 0 { continue }
            } else if text[index] != UInt8(ascii: "\\") {
                put(text[index])
                index &+= 1
                continue
            }
            guard index &+ 1 < end else {
                put(text[index])
                break
            }
            let escape = text[index &+ 1]
            index &+= 2
            switch escape {
            case UInt8(ascii: "n"): put(0x0A)
            case UInt8(ascii: "t"): put(0x09)
            case UInt8(ascii: "r"): put(0x0D)
            case UInt8(ascii: "b"): put(0x08)
            case UInt8(ascii: "f"): put(0x0C)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): put(escape)
            case UInt8(ascii: "u"):
                guard let unit = unit(text, &index, end) else {
                    put(UInt8(ascii: "\\"))
                    put(escape)
                    continue
                }
                if let encoded = UTF8.encode(Unicode.Scalar(unit) ?? "\u{FFFD}") { for byte in encoded { put(byte) } }
            default:
                put(UInt8(ascii: "\\"))
                put(escape)
            }
        }
        return count
    }

    /// The code point whose four digits stand at `index`, or whose two surrogates do; `nil` where no digits stand.
    private static func unit(_ text: Span<UInt8>, _ index: inout Int, _ end: Int) -> UInt32? {
        guard let unit = HexadecimalDigits.value(text, at: index, count: 4, limit: end) else { return nil }
        index += 4
        if unit >> 10 == 0x36, index + 1 < end, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u"),
            let low = HexadecimalDigits.value(text, at: index + 2, count: 4, limit: end), low >> 10 == 0x37
        {
            index += 6
            return 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
        }
        return unit
    }
}

enum HexadecimalDigits {
    /// The number that `count` hexadecimal digits at `index` spell; `nil` where there are not so many.
    static func value(_ bytes: [UInt8], at index: Int, count: Int, limit: Int) -> UInt32? {
        value(bytes.span, at: index, count: count, limit: limit)
    }

    static func value(_ bytes: Span<UInt8>, at index: Int, count: Int, limit: Int) -> UInt32? {
        guard index + count <= limit else { return nil }
        var value: UInt32 = 0
        for position in index..<index + count {
            guard let digit = Events.hexadecimalValue(bytes[position]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}

extension [UInt8] {
    /// Appends a code point as UTF-8; a surrogate or a number past U+10FFFF becomes U+FFFD.
    mutating func append(scalar value: UInt32) {
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        if let units = UTF8.encode(scalar) { append(contentsOf: units) }
    }
}

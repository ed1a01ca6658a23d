import Events

/// Undoes JSON's escapes (RFC 8259 §7).
enum JSONStringDecoder {
    /// Appends the decoded form of `text[range]`. A lone surrogate becomes U+FFFD; an unknown escape stays as it is.
    static func append(_ text: Span<UInt8>, _ range: Range<Int>, to bytes: inout [UInt8]) {
        var index = range.lowerBound
        while index < range.upperBound {
            // All up to the next escape as it is.
            var plain = text.firstIndex(of: UInt8(ascii: "\\"), from: index, to: range.upperBound) ?? range.upperBound
            if plain + 1 == range.upperBound { plain += 1 }
            if plain > index {
                unsafe text.extracting(index..<plain).withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
                index = plain
                continue
            }
            let escape = text[index + 1]
            index += 2
            switch escape {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(escape)
            case UInt8(ascii: "u"):
                guard var unit = HexadecimalDigits.value(text, at: index, count: 4, limit: range.upperBound) else {
                    bytes.append(UInt8(ascii: "\\"))
                    bytes.append(escape)
                    continue
                }
                index += 4
                if unit >> 10 == 0x36, index + 1 < range.upperBound, text[index] == UInt8(ascii: "\\"),
                    text[index + 1] == UInt8(ascii: "u"),
                    let low = HexadecimalDigits.value(text, at: index + 2, count: 4, limit: range.upperBound), low >> 10 == 0x37
                {
                    unit = 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
                    index += 6
                }
                bytes.append(scalar: unit)
            default:
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(escape)
            }
        }
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

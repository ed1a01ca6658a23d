/// Whether a line is text.
enum TextCheck {
    struct Result {
        var isUTF8 = true
        var containsNUL = false
    }

    /// Whether the bytes are all ASCII, without a NUL: then no line among them needs to be looked at alone.
    static func isPlain(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        plainPrefix(bytes, range) == range.upperBound
    }

    /// Where the first sixteen bytes stand that hold a NUL or one above ASCII, or the last few bytes.
    private static func plainPrefix(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        var index = range.lowerBound
        // The loads stay in the range, which lies in the span.
        while range.upperBound &- index >= 64 {
            var marks = SIMD16<UInt8>(repeating: 0)
            for part in 0..<4 {
                let chunk = unsafe bytes.bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: index &+ part &* 16, as: SIMD16<UInt8>.self)
                // The top bit is set above ASCII, and, once one is taken away, in a NUL.
                marks |= chunk | (chunk &- SIMD16<UInt8>(repeating: 1))
            }
            let words = unsafe unsafeBitCast(marks, to: SIMD2<UInt64>.self)
            guard (words[0] | words[1]) & 0x8080_8080_8080_8080 == 0 else { break }
            index &+= 64
        }
        while range.upperBound &- index >= 8 {
            let word = bytes.word(uncheckedAt: index)
            guard (word | ByteWord.zeros(word)) & 0x8080_8080_8080_8080 == 0 else { break }
            index &+= 8
        }
        while index < range.upperBound, bytes[index] &- 1 < 0x7F { index &+= 1 }
        return index
    }

    static func check(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Result {
        var result = Result()
        var index = plainPrefix(bytes, range)
        while index < range.upperBound {
            let byte = bytes[index]
            if byte < 0x80 {
                if byte == 0 { result.containsNUL = true }
                index += 1
            } else if let length = sequenceLength(bytes, at: index, end: range.upperBound) {
                index += length
                // A letter or a sign beyond ASCII is mostly one among many of ASCII.
                if index < range.upperBound, bytes[index] < 0x80 { index = plainPrefix(bytes, index..<range.upperBound) }
            } else {
                result.isUTF8 = false
                index += 1
            }
        }
        return result
    }

    /// The length of the well-formed sequence at `index` (Unicode 15, table 3-7); `nil` where there is none.
    private static func sequenceLength(_ bytes: Span<UInt8>, at index: Int, end: Int) -> Int? {
        let first = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0:
            length = 3
            second = 0xA0...0xBF
        case 0xED:
            length = 3
            second = 0x80...0x9F
        case 0xE1...0xEF: length = 3
        case 0xF0:
            length = 4
            second = 0x90...0xBF
        case 0xF4:
            length = 4
            second = 0x80...0x8F
        case 0xF1...0xF3: length = 4
        default: return nil
        }
        guard index + length <= end, second.contains(bytes[index + 1]) else { return nil }
        for position in index + 2..<max(index + 2, index + length) where bytes[position] >> 6 != 2 { return nil }
        return length
    }
}

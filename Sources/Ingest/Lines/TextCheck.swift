/// Whether a line is text.
enum TextCheck {
    struct Result {
        var isUTF8 = true
        var containsNUL = false
    }

    static func check(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Result {
        var result = Result()
        let raw = unsafe bytes.bytes
        var index = range.lowerBound
        // Eight ASCII bytes without a NUL at a time: nearly every line is nothing else.
        while index + 8 <= range.upperBound {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if word & 0x8080_8080_8080_8080 != 0 || zeros != 0 { break }
            index += 8
        }
        while index < range.upperBound {
            let byte = bytes[index]
            if byte < 0x80 {
                if byte == 0 { result.containsNUL = true }
                index += 1
            } else if let length = sequenceLength(bytes, at: index, end: range.upperBound) {
                index += length
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

/// Reads a number from bytes for comparisons.
enum DecimalNumber {
    /// Longer text is no number.
    static let maximumBytes = 40

    private static let powersOfTen: InlineArray<16, Double> = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    /// What `Double(String)` reads; plain decimals without a detour over a `String`.
    static func value(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        guard !range.isEmpty, range.count <= maximumBytes else { return nil }
        var index = range.lowerBound
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var digits: Int64 = 0
        var count = 0
        var point: Int?
        while index < range.upperBound {
            let byte = bytes[index]
            if byte &- 0x30 < 10 {
                digits = digits &* 10 &+ Int64(byte - 0x30)
                count += 1
            } else if byte == UInt8(ascii: "."), point == nil, count > 0 {
                point = count
            } else {
                return general(bytes, range)
            }
            index += 1
        }
        // Up to 15 digits, both the integer and the power of ten are exact, and so the quotient is rounded once.
        guard count > 0, count <= 15, point != count else { return general(bytes, range) }
        let value = Double(digits) / powersOfTen[count - (point ?? count)]
        return isNegative ? -value : value
    }

    /// Exponents, hexadecimal, infinities and what is no number.
    private static func general(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        Double(String(decoding: range.map { bytes[$0] }, as: UTF8.self))
    }
}

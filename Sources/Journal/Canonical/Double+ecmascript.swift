extension Double {
    /// A finite number as ECMAScript's `Number::toString` prints it (RFC 8785 §3.2.2.3).
    ///
    /// Swift's `description` has the same digits: the shortest that read back as this value and, of those, the nearest. Only where
    /// the point stands and when the exponent appears differ.
    package var ecmaScriptDescription: String {
        if self == 0 { return "0" }
        var digits: [UInt8] = []
        var exponent = 0
        var pointAt: Int?
        let text = Array(magnitude.description.utf8)
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: ".") {
                pointAt = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        // The value is 0.d₁d₂d₃… × 10^point.
        var point = (pointAt ?? digits.count) + exponent
        let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(leadingZeros)
        point -= leadingZeros
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }

        let sign = self < 0 ? "-" : ""
        let zero = UInt8(ascii: "0")
        var output: [UInt8]
        switch point {
        case digits.count...21 where point >= digits.count:
            output = digits + Array(repeating: zero, count: point - digits.count)
        case 1...21:
            output = digits[..<point] + [UInt8(ascii: ".")] + digits[point...]
        case -5...0:
            output = Array("0.".utf8) + Array(repeating: zero, count: -point) + digits
        default:
            output = [digits[0]]
            if digits.count > 1 { output += [UInt8(ascii: ".")] + digits[1...] }
            output += Array("e\(point > 0 ? "+" : "-")\((point - 1).magnitude)".utf8)
        }
        return sign + String(decoding: output, as: UTF8.self)
    }
}

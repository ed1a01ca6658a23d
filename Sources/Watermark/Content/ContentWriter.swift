/// Writes operands of content streams.
enum ContentWriter {
    /// A literal string with what has to be escaped, escaped (ISO 32000-1 §7.3.4.2).
    static func append(string: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "("))
        for byte in string {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: ")"))
    }

    /// Fixed point with at most four places and no exponent, which content streams do not know. `value` is clamped to ±10⁹.
    static func append(number value: Double, to output: inout [UInt8]) {
        let clamped = min(max(value, -1e9), 1e9)
        var scaled = Int64((clamped * 10_000).rounded())
        if scaled < 0 {
            output.append(UInt8(ascii: "-"))
            scaled = -scaled
        }
        output.append(contentsOf: String(scaled / 10_000).utf8)
        var fraction = scaled % 10_000
        guard fraction > 0 else { return }
        output.append(UInt8(ascii: "."))
        var place: Int64 = 1000
        while fraction > 0 {
            output.append(UInt8(0x30 + fraction / place))
            fraction %= place
            place /= 10
        }
    }
}

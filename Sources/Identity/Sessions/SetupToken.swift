/// The one-time token that the first visit needs, written so that a person can type it: 130 random bits in Crockford's Base32.
package enum SetupToken {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    /// 26 × 5 bits.
    private static let length = 26

    /// `7G2KD-…`: groups of five, the last one of one.
    package static func generate(from randomness: Randomness) -> String {
        let bytes = randomness.bytes(length)
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if index > 0, index % 5 == 0 { text += "-" }
            text.unicodeScalars.append(Unicode.Scalar(alphabet[Int(byte & 31)]))
        }
        return text
    }

    /// Takes what people make of it when they copy it by hand: case, spaces, dashes, `O` for `0`, `I` and `L` for `1`.
    package static func secret(typed text: String) -> SecretToken {
        var canonical = ""
        for scalar in text.unicodeScalars.prefix(200) {
            switch scalar {
            case " ", "-", "\t", "\r", "\n": continue
            case "o", "O": canonical += "0"
            case "i", "I", "l", "L": canonical += "1"
            default: canonical += scalar.properties.uppercaseMapping
            }
        }
        return SecretToken(text: canonical)
    }
}

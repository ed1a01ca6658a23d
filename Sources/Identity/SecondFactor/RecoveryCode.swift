/// What gets somebody in once without their authenticator: 80 random bits, so that the stored hash needs to be neither slow nor salted.
package enum RecoveryCode {
    package static let count = 10
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// `XXXX-XXXX-XXXX-XXXX`, in Crockford's Base32.
    static func generate(from randomness: Randomness) -> String {
        var text = ""
        for (index, byte) in randomness.bytes(16).enumerated() {
            if index > 0, index % 4 == 0 { text += "-" }
            text.unicodeScalars.append(Unicode.Scalar(alphabet[Int(byte & 31)]))
        }
        return text
    }

    /// Takes what people make of it when they copy it by hand.
    static func secret(typed text: String) -> SecretToken { SetupToken.secret(typed: text) }
}

/// RFC 4648 section 6, without padding: what authenticator apps take by hand.
enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text = ""
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.unicodeScalars.append(Unicode.Scalar(alphabet[Int(buffer >> UInt32(bits) & 31)]))
            }
            buffer &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { text.unicodeScalars.append(Unicode.Scalar(alphabet[Int(buffer << UInt32(5 - bits) & 31)])) }
        return text
    }
}

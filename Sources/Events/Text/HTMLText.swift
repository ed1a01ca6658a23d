/// What others wrote, as HTML: safe as element text and inside quoted attributes, and honest to the eye.
///
/// Unicode scalars count here, as in an HTML parser, and not characters: `"` followed by a combining mark is one `Character` that equals no
/// quote, and a log line would break out of its attribute.
///
/// Control characters and those that reorder or hide text (bidirectional overrides, zero-width space) are shown as `\x1b` or `\u{202e}`:
/// a line must not look like another one to the person who reads it at night.
package enum HTMLText {
    package static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: needsCare) else { return text }
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count + text.utf8.count / 8)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n", "\t": escaped.unicodeScalars.append(scalar)
            case "\r": escaped += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                escaped += (scalar.value < 0x10 ? "\\x0" : "\\x") + String(scalar.value, radix: 16)
            case _ where deceives(scalar):
                escaped += "\\u{\(String(scalar.value, radix: 16))}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Anything above ASCII may be one of the deceiving scalars.
    private static func needsCare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        case UInt8(ascii: "\n"), UInt8(ascii: "\t"): false
        default: byte < 0x20 || byte >= 0x7f
        }
    }

    private static func deceives(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x80...0x9f: true  // C1 controls
        case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true  // bidirectional controls
        case 0x200b, 0x2028, 0x2029, 0x2060...0x2064, 0xfeff: true  // invisible, or a line break to some
        case 0xe0000...0xe007f: true  // tags: invisible ASCII
        default: false
        }
    }
}

import Journal

/// How values are put into a command so that none of them can become more than a value.
struct CommandForm {
    var kind: Command.Kind

    typealias Value = (String) throws -> String

    struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    func text(_ text: String, _ value: Value) throws -> String {
        switch kind {
        case .bash, .ssh: try ShellText.substitute(in: text, value)
        case .httpAPI, .openC2: try VariableUse.substitute(in: text) { Self.percentEncoded(try value($0)) } ?? text
        case .manual, .sigma, .yara, .elastic, .kestrel, .jupyter, .calderaCommand, .powershell:
            try VariableUse.substitute(in: text, value) ?? text
        }
    }

    func headers(_ headers: [String: [String]], _ value: Value) throws -> [String: [String]] {
        try headers.mapValues { lines in
            try lines.map { line in
                let text = try VariableUse.substitute(in: line, value) ?? line
                // RFC 9110 §5.5: a line break would begin another field.
                guard !text.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
                    throw Refusal(description: "a value for an HTTP field has control characters")
                }
                return text
            }
        }
    }

    /// In a body that is JSON, a value stays inside the string it stands in.
    func content(_ content: [UInt8], _ value: Value) throws -> [UInt8] {
        let text = String(decoding: content, as: UTF8.self)
        guard !VariableUse.all(in: text).isEmpty else { return content }
        let first = text.utf8.first { !" \t\r\n".utf8.contains($0) }
        let isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        let substituted = try VariableUse.substitute(in: text) { name in
            let plain = try value(name)
            return isJSON ? String(JSONValue.string(plain).description.dropFirst().dropLast()) : plain
        }
        return Array((substituted ?? text).utf8)
    }

    /// RFC 3986 §2.3: everything but unreserved characters.
    static func percentEncoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}

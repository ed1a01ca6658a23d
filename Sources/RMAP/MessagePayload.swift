/// The text that carries an OpenPGP message in RMAP.
///
/// Clients disagree on what it is; all that are known are read, and each is answered in its own form:
/// base64 of an armoured message, base64 of the lines of an armour, those lines themselves with line breaks and checksum, or without.
package struct MessagePayload: Sendable, Equatable {
    package enum Form: String, Sendable, CaseIterable {
        case armoured, encodedArmoured, encodedBody, bodyLines, body
    }

    package var form: Form
    /// The message, binary.
    package var message: [UInt8]

    /// Messages of the protocol are below 3,000 bytes with the largest keys that are in use; longer ones are not looked at.
    package static let mostBytes = 16_384

    private static let begin = "-----BEGIN PGP MESSAGE-----"
    private static let end = "-----END PGP MESSAGE-----"

    package init(form: Form, message: [UInt8]) {
        self.form = form
        self.message = message
    }

    /// Nil where the text is none of the forms, or too long.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.mostBytes else { return nil }
        if let message = Self.unarmour(text) {
            self.init(form: .armoured, message: message)
            return
        }
        let hasLines = text.utf8.contains(0x0A)
        guard let outer = Self.decodeBody(text), let first = outer.first else { return nil }
        // Packets of OpenPGP begin with a byte above 127 (RFC 4880 §4.2); text does not.
        if first & 0x80 != 0 {
            self.init(form: hasLines ? .bodyLines : .body, message: outer)
            return
        }
        guard let inner = String(validating: outer, as: UTF8.self) else { return nil }
        if let message = Self.unarmour(inner) {
            self.init(form: .encodedArmoured, message: message)
        } else if let message = Self.decodeBody(inner), let first = message.first, first & 0x80 != 0 {
            self.init(form: .encodedBody, message: message)
        } else {
            return nil
        }
    }

    package var text: String {
        switch form {
        case .armoured: armour
        case .encodedArmoured: Base64.encode(Array(armour.utf8))
        case .encodedBody: Base64.encode(Array(lines.utf8))
        case .bodyLines: lines
        case .body: Base64.encode(message)
        }
    }

    private var armour: String { "\(Self.begin)\n\n\(lines)\n\(Self.end)\n" }

    /// Lines of 64 characters, then the checksum (RFC 4880 §6.1).
    private var lines: String {
        var lines: [Substring] = []
        var rest = Base64.encode(message)[...]
        while !rest.isEmpty {
            lines.append(rest.prefix(64))
            rest = rest.dropFirst(64)
        }
        let sum = Self.checksum(message)
        let checksum = Base64.encode([UInt8(sum >> 16 & 0xFF), UInt8(sum >> 8 & 0xFF), UInt8(sum & 0xFF)])
        return lines.joined(separator: "\n") + "\n=" + checksum
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xB7_04CE
        for byte in bytes {
            sum ^= UInt32(byte) << 16
            for _ in 0..<8 {
                sum <<= 1
                if sum & 0x100_0000 != 0 { sum ^= 0x186_4CFB }
            }
        }
        return sum & 0xFF_FFFF
    }

    private static func unarmour(_ text: String) -> [UInt8]? {
        // Carriage return and line feed are one character.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { $0.trimmed }
        guard let start = lines.firstIndex(of: begin), let stop = lines[start...].firstIndex(of: end) else { return nil }
        // Headers end at the first empty line.
        guard let blank = lines[start..<stop].firstIndex(of: "") else { return nil }
        return decodeBody(lines[blank..<stop].joined(separator: "\n"))
    }

    /// The base64 of an armour. Its checksum is passed over: messages have a better one inside.
    private static func decodeBody(_ text: String) -> [UInt8]? {
        var characters: [UInt8] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmed
            if line.utf8.count == 5, line.utf8.first == UInt8(ascii: "=") { continue }
            characters += line.utf8
        }
        return Base64.decode(characters)
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        var rest = Substring(self)
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        return String(rest)
    }
}

/// RFC 4648 §4, strictly.
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                output.append(index <= group.count ? digits[Int(value >> UInt32(18 - 6 * index)) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard !text.isEmpty, text.count % 4 == 0 else { return nil }
        let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var output: [UInt8] = []
        var value: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.dropLast(padding) {
            let digit: UInt8
            switch character {
            case 0x41...0x5A: digit = character - 0x41
            case 0x61...0x7A: digit = character - 0x61 + 26
            case 0x30...0x39: digit = character - 0x30 + 52
            case 0x2B: digit = 62
            case 0x2F: digit = 63
            default: return nil
            }
            value = value << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                output.append(UInt8(value >> bits & 0xFF))
            }
            value &= 1 << bits - 1
        }
        return output
    }
}

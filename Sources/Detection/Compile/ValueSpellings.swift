/// `windash`: the characters that Windows programs take for a dash, and the slash.
enum WindowsDash {
    private static let forms: [Character] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"]

    /// Every way to write the text with each of its option marks in each form. An option mark is one that begins a word
    /// and does not end one: `-x`, `/x`, but not `a-x` or `C:/ `.
    static func spellings(_ text: String) throws(ValueCompiler.Failure) -> [String] {
        var texts = [""]
        var previous: Character?
        for index in text.indices {
            let character = text[index]
            let following = text.index(after: index)
            let isMark =
                forms.contains(character) && !(previous.map(isWord) ?? false) && following < text.endIndex
                && isWord(text[following])
            let options = isMark ? forms : [character]
            guard texts.count * options.count <= ValueCompiler.maximumSpellings else {
                throw ValueCompiler.Failure(reason: "'\(text)' has too many dashes for 'windash': five are the most")
            }
            texts = texts.flatMap { text in options.map { text + String($0) } }
            previous = character
        }
        return texts
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_"
    }
}

/// `expand`: names between percent signs; `\%` is a plain percent sign.
enum Placeholders {
    struct Part {
        var text: String
        var isPlaceholder: Bool
    }

    static func parts(_ text: String) throws(ValueCompiler.Failure) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "\\", rest.first == "\\" {
                // A backslash, which escapes nothing behind it.
                rest.removeFirst()
                plain.append("\\\\")
                continue
            }
            if character == "\\", rest.first == "%" {
                rest.removeFirst()
                plain.append("%")
                continue
            }
            if character == "%", let end = rest.firstIndex(of: "%"), end > rest.startIndex,
                rest[..<end].allSatisfy({ $0.isLetter || $0.isNumber || "_-.".contains($0) })
            {
                parts.append(Part(text: plain, isPlaceholder: false))
                parts.append(Part(text: String(rest[..<end]), isPlaceholder: true))
                plain = ""
                rest = rest[rest.index(after: end)...]
                continue
            }
            plain.append(character)
        }
        parts.append(Part(text: plain, isPlaceholder: false))
        return parts.filter { $0.isPlaceholder || !$0.text.isEmpty || parts.count == 1 }
    }
}

/// Base64 (RFC 4648 §4) of what an attacker may have encoded.
enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let second = index + 1 < bytes.count ? bytes[index + 1] : 0
            let third = index + 2 < bytes.count ? bytes[index + 2] : 0
            let word = UInt32(bytes[index]) << 16 | UInt32(second) << 8 | UInt32(third)
            for shift in [18, 12, 6, 0] { result.append(alphabet[Int(word >> UInt32(shift) & 63)]) }
            index += 3
        }
        let padding = (3 - bytes.count % 3) % 3
        for position in 0..<padding { result[result.count - 1 - position] = UInt8(ascii: "=") }
        return result
    }

    /// What is certain of the three ways the bytes can lie in a longer encoded text.
    static func offsets(_ bytes: [UInt8]) -> [[UInt8]] {
        [0, 2, 3].enumerated().map { offset, start in
            let padded = [UInt8](repeating: 0x20, count: offset) + bytes
            let end = [0, 3, 2][padded.count % 3]
            return Array(encode(padded).dropFirst(start).dropLast(end))
        }
    }
}

/// Splits a content stream or a CMap into tokens, one pass, no allocation but for decoded strings.
///
/// Takes any bytes: what is malformed becomes a keyword, which interpreters ignore, so that a rewritten stream keeps it as it was.
package struct ContentTokenizer: ~Escapable {
    private let bytes: Span<UInt8>
    package private(set) var position: Int
    private let end: Int

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// Reads only `range` of the bytes; ranges that do not fit are clamped.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>, in range: Range<Int>) {
        self.bytes = bytes
        end = min(max(range.upperBound, 0), bytes.count)
        position = min(max(range.lowerBound, 0), end)
    }

    package mutating func next() -> ContentToken? {
        skipBlanks()
        guard position < end else { return nil }
        let start = position
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "("):
            skipLiteral()
            return token(.string, from: start)
        case UInt8(ascii: "<"):
            if position + 1 < end, bytes[position + 1] == UInt8(ascii: "<") {
                position += 2
                return token(.dictionaryStart, from: start)
            }
            while position < end, bytes[position] != UInt8(ascii: ">") { position += 1 }
            position = min(position + 1, end)
            return token(.string, from: start)
        case UInt8(ascii: ">"):
            let double = position + 1 < end && bytes[position + 1] == UInt8(ascii: ">")
            position += double ? 2 : 1
            return token(double ? .dictionaryEnd : .keyword, from: start)
        case UInt8(ascii: "["):
            position += 1
            return token(.arrayStart, from: start)
        case UInt8(ascii: "]"):
            position += 1
            return token(.arrayEnd, from: start)
        case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ")"):
            position += 1
            return token(.keyword, from: start)
        case UInt8(ascii: "/"):
            position += 1
            skipRegular()
            return token(.name, from: start)
        default:
            skipRegular()
            if let value = number(start..<position) { return token(.number(value), from: start) }
            if position - start == 2, bytes[start] == UInt8(ascii: "B"), bytes[start + 1] == UInt8(ascii: "I") {
                skipInlineImage()
                return token(.inlineImage, from: start)
            }
            return token(.keyword, from: start)
        }
    }

    private func token(_ kind: ContentToken.Kind, from start: Int) -> ContentToken {
        ContentToken(kind: kind, range: start..<position)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 || byte == 0x0C || byte == 0
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "/"), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    private mutating func skipBlanks() {
        while position < end {
            let byte = bytes[position]
            if Self.isBlank(byte) {
                position += 1
            } else if byte == UInt8(ascii: "%") {
                while position < end, bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
            } else {
                return
            }
        }
    }

    private mutating func skipRegular() {
        while position < end, !Self.isBlank(bytes[position]), !Self.isDelimiter(bytes[position]) { position += 1 }
    }

    private mutating func skipLiteral() {
        var depth = 0
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\\"): position += 1
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            default: break
            }
            position += 1
            if depth == 0 { break }
        }
        position = min(position, end)
    }

    /// Image data may hold any bytes: the end is `EI` between blanks, followed by nothing or by text (as other readers find it).
    private mutating func skipInlineImage() {
        while position + 1 < end {
            if bytes[position] == UInt8(ascii: "E"), bytes[position + 1] == UInt8(ascii: "I"),
                Self.isBlank(bytes[position - 1]),
                position + 2 >= end || Self.isBlank(bytes[position + 2]), looksLikeText(after: position + 2)
            {
                position += 2
                return
            }
            position += 1
        }
        position = end
    }

    private func looksLikeText(after start: Int) -> Bool {
        for index in start..<max(start, min(start + 16, end)) {
            let byte = bytes[index]
            if !Self.isBlank(byte), byte < 0x20 || byte > 0x7E { return false }
        }
        return true
    }

    private func number(_ range: Range<Int>) -> Double? {
        var index = range.lowerBound
        var sign = 1.0
        guard index < range.upperBound else { return nil }
        if bytes[index] == UInt8(ascii: "-") {
            sign = -1
            index += 1
        } else if bytes[index] == UInt8(ascii: "+") {
            index += 1
        }
        var value = 0.0
        var scale = 0.0
        var digits = 0
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == UInt8(ascii: "."), scale == 0 {
                scale = 1
            } else if byte >= 0x30, byte <= 0x39 {
                digits += 1
                if scale == 0 {
                    value = value * 10 + Double(byte - 0x30)
                } else {
                    scale /= 10
                    value += Double(byte - 0x30) * scale
                }
            } else {
                return nil
            }
            index += 1
        }
        return digits > 0 && value.isFinite ? sign * value : nil
    }

    /// The bytes that a string token stands for.
    package func string(_ range: Range<Int>) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count, !range.isEmpty else { return [] }
        return bytes[range.lowerBound] == UInt8(ascii: "<") ? hexadecimal(range) : literal(range)
    }

    private func hexadecimal(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count / 2)
        var high: UInt8?
        for index in range {
            guard let digit = Self.hexadecimalDigit(bytes[index]) else { continue }
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        if let high { result.append(high << 4) }
        return result
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private func literal(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound + 1
        var depth = 1
        while index < range.upperBound {
            var byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                depth -= 1
                if depth == 0 { return result }
            case 0x0D:
                // An end of line is one line feed, however it was written (§7.3.4.2).
                if index < range.upperBound, bytes[index] == 0x0A { index += 1 }
                byte = 0x0A
            case UInt8(ascii: "\\"):
                guard index < range.upperBound else { return result }
                byte = bytes[index]
                index += 1
                switch byte {
                case UInt8(ascii: "n"): byte = 0x0A
                case UInt8(ascii: "r"): byte = 0x0D
                case UInt8(ascii: "t"): byte = 0x09
                case UInt8(ascii: "b"): byte = 0x08
                case UInt8(ascii: "f"): byte = 0x0C
                case 0x0D:
                    if index < range.upperBound, bytes[index] == 0x0A { index += 1 }
                    continue
                case 0x0A: continue
                case 0x30...0x37:
                    var value = Int(byte - 0x30)
                    var digits = 1
                    while digits < 3, index < range.upperBound, bytes[index] >= 0x30, bytes[index] <= 0x37 {
                        value = value * 8 + Int(bytes[index] - 0x30)
                        index += 1
                        digits += 1
                    }
                    byte = UInt8(truncatingIfNeeded: value)
                default: break
                }
            default: break
            }
            result.append(byte)
        }
        return result
    }
}

extension RegexParser {
    /// What an escape stands for, wherever it is written.
    enum Escaped {
        case unit(UInt32)
        /// `\xHH` from 0x80 up: a scalar, and the stray byte of that value.
        case byte(UInt8)
        case set(UnitSet)
    }

    /// What follows a backslash at `start`, outside a class.
    mutating func parseEscape(from start: Int) throws(RegexError) -> Piece? {
        switch peek {
        case "b": return parseLook(.wordBoundary)
        case "B": return parseLook(.notWordBoundary)
        case "A": return parseLook(.textStart)
        case "Z": return parseLook(.textEndOrFinalNewline)
        case "z": return parseLook(.textEnd)
        case "Q": return try parseQuotation()
        default: break
        }
        switch try parseEscaped(from: start) {
        case .unit(let unit): return literal(unit)
        case .byte(let byte): return literal(Self.set(byte))
        case .set(let set): return Piece(node: .set(set), states: 1)
        }
    }

    private mutating func parseLook(_ kind: RegexLook) -> Piece {
        position += 1
        return look(kind)
    }

    /// `\Q…\E`. A repeat after it belongs to its last character.
    private mutating func parseQuotation() throws(RegexError) -> Piece? {
        position += 1
        var parts: [Piece] = []
        while let scalar = next() {
            if scalar == "\\", take("E") { break }
            parts.append(literal(scalar.value))
        }
        guard let last = parts.popLast() else { return nil }
        let repeated = try parseRepeat(of: last, from: position)
        let nodes = parts.map(\.node) + [repeated.node]
        return Piece(node: RegexNode(concatenation: nodes), states: parts.count + repeated.states)
    }

    /// The escapes that mean the same inside and outside a class; the reading position is after the backslash.
    mutating func parseEscaped(from start: Int) throws(RegexError) -> Escaped {
        guard let scalar = next() else { throw error(.badEscape, from: start) }
        switch scalar {
        case "d": return .set(.digits)
        case "D": return .set(UnitSet.digits.inverted)
        case "w": return .set(.word)
        case "W": return .set(UnitSet.word.inverted)
        case "s": return .set(.space)
        case "S": return .set(UnitSet.space.inverted)
        case "t": return .unit(0x09)
        case "n": return .unit(0x0A)
        case "v": return .unit(0x0B)
        case "f": return .unit(0x0C)
        case "r": return .unit(0x0D)
        case "a": return .unit(0x07)
        case "e": return .unit(0x1B)
        case "x":
            if take("{") {
                let unit = try parseScalar(digits: 1...8, from: start)
                guard take("}") else { throw error(.badEscape, from: start) }
                return .unit(unit)
            }
            let unit = try parseScalar(digits: 2...2, from: start)
            return unit < 0x80 ? .unit(unit) : .byte(UInt8(unit))
        case "u": return .unit(try parseScalar(digits: 4...4, from: start))
        case "0":
            // At most two further octal digits; \0 alone is NUL.
            var unit: UInt32 = 0
            for _ in 0..<2 {
                guard let digit = peek, ("0"..."7").contains(digit) else { break }
                unit = unit * 8 + (digit.value - 0x30)
                position += 1
            }
            return .unit(unit)
        case "1"..."9", "k":
            throw error(.backReference, from: start)
        case "g":
            // \g<name> and \g'name' call a group; \g{1} and \g1 refer back.
            throw error(peek == "<" || peek == "'" ? .recursion : .backReference, from: start)
        case "A"..."Z", "a"..."z":
            throw error(.badEscape, from: start)
        default:
            return .unit(scalar.value)
        }
    }

    /// A scalar in hexadecimal digits; surrogates and values beyond U+10FFFF are refused.
    private mutating func parseScalar(digits: ClosedRange<Int>, from start: Int) throws(RegexError) -> UInt32 {
        var value: UInt32 = 0
        var count = 0
        while count < digits.upperBound, let digit = peek, digit.isASCII,
            let nibble = Character(digit).hexDigitValue
        {
            value = value << 4 | UInt32(nibble)
            count += 1
            position += 1
        }
        guard digits.contains(count), Unicode.Scalar(value) != nil else { throw error(.badEscape, from: start) }
        return value
    }

    static func set(_ byte: UInt8) -> UnitSet {
        UnitSet(UInt32(byte)).union(UnitSet(UnitSet.raw(byte)))
    }
}

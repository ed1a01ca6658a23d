extension RegexParser {
    /// Applies the repeat that follows a piece, if there is one. Lazy forms have the same language.
    mutating func parseRepeat(of piece: Piece, from start: Int) throws(RegexError) -> Piece {
        let sign = position
        guard let (minimum, maximum) = try parseSign() else { return piece }
        if take("+") { throw error(.possessiveRepeat, from: sign) }
        _ = take("?")
        let second = position
        if try parseSign() != nil { throw error(.repeatOfRepeat, from: second) }

        // States: the copies that must be there, then one copy and one fork for each that may be. No product can
        // overflow, because both factors are bounded by the limit already.
        let required = minimum * piece.states
        let optional = (maximum.map { $0 - minimum } ?? (minimum == 0 ? 1 : 0)) * (piece.states + 1)
        let states = required + optional + (maximum == nil && minimum > 0 ? 1 : 0)
        guard states <= BoundedRegex.maximumStates else { throw error(.tooLarge, from: start) }
        if maximum == 0 { return Piece(node: .empty, states: 0) }
        // A repeat of nothing is nothing; it must not become a loop without units.
        if piece.node.isEmpty { return piece }
        if minimum == 1, maximum == 1 { return piece }
        return Piece(node: .repetition(piece.node, minimum: minimum, maximum: maximum), states: states)
    }

    /// `*`, `+`, `?` or counts in braces.
    private mutating func parseSign() throws(RegexError) -> (minimum: Int, maximum: Int?)? {
        switch peek {
        case "*":
            position += 1
            return (0, nil)
        case "+":
            position += 1
            return (1, nil)
        case "?":
            position += 1
            return (0, 1)
        case "{":
            return try parseCounts()
        default:
            return nil
        }
    }

    /// `{n}`, `{n,}` or `{n,m}`; any other brace is a literal, and is not consumed. `{,m}` is refused, because some
    /// engines read it as a repeat and others as text.
    mutating func parseCounts() throws(RegexError) -> (minimum: Int, maximum: Int?)? {
        let start = position
        guard take("{") else { return nil }
        let first = parseNumber()
        let comma = take(",")
        let second = comma ? parseNumber() : nil
        guard take("}"), first != nil || comma else {
            position = start
            return nil
        }
        guard let minimum = first else { throw error(.badRepeat, from: start) }
        let maximum = comma ? second : minimum
        guard minimum <= BoundedRegex.maximumStates, (maximum ?? 0) <= BoundedRegex.maximumStates else {
            throw error(.tooLarge, from: start)
        }
        guard maximum ?? minimum >= minimum else { throw error(.badRepeat, from: start) }
        return (minimum, maximum)
    }

    /// A decimal number; it stops growing when it is too large for any repeat.
    private mutating func parseNumber() -> Int? {
        var number: Int?
        while let digit = peek, ("0"..."9").contains(digit) {
            number = min((number ?? 0) * 10 + Int(digit.value - 0x30), 1_000_000)
            position += 1
        }
        return number
    }
}

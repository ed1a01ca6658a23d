extension RegexParser {
    /// What follows an opening parenthesis at `start`.
    mutating func parseGroup(from start: Int) throws(RegexError) -> Piece? {
        let outer = options
        if let next = peek, next == "*", let letter = peek(1), letter.properties.isAlphabetic {
            skip(past: ")")
            throw error(.verb, from: start)
        }
        if take("?"), try !parseGroupKind(from: start) { return nil }
        depth += 1
        guard depth <= BoundedRegex.maximumDepth else { throw error(.tooDeep, from: start) }
        let piece = try parseAlternation()
        depth -= 1
        guard take(")") else { throw RegexError(.unbalancedGroup, at: offset(start), construct: "(") }
        options = outer
        return piece
    }

    /// Reads what stands after `(?`. Returns false when there is no body: a comment, or flags up to the group's end.
    private mutating func parseGroupKind(from start: Int) throws(RegexError) -> Bool {
        guard let kind = next() else { throw error(.badGroup, from: start) }
        switch kind {
        case ":", "|":  // `(?|` only renumbers captures
            return true
        case "#":
            skip(past: ")")
            guard scalars[position - 1] == ")" else { throw error(.unbalancedGroup, from: start) }
            return false
        case "=", "!":
            throw error(.lookAround, from: start)
        case ">":
            throw error(.atomicGroup, from: start)
        case "(":
            throw error(.conditional, from: start)
        case "R", "&", "+", "0"..."9":
            skip(past: ")")
            throw error(.recursion, from: start)
        case "-" where peek.map { ("0"..."9").contains($0) } ?? false:
            skip(past: ")")
            throw error(.recursion, from: start)
        case "<":
            if take("=") || take("!") { throw error(.lookAround, from: start) }
            try parseName(until: ">", from: start)
            return true
        case "'":
            try parseName(until: "'", from: start)
            return true
        case "P":
            if take("<") {
                try parseName(until: ">", from: start)
                return true
            }
            let code: RegexError.Code = peek == "=" ? .backReference : peek == ">" ? .recursion : .badGroup
            skip(past: ")")
            throw error(code, from: start)
        default:
            position -= 1
            return try parseFlags(from: start)
        }
    }

    private mutating func parseName(until end: Unicode.Scalar, from start: Int) throws(RegexError) {
        let first = position
        while let scalar = peek, scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
            position += 1
        }
        guard position > first, !("0"..."9").contains(scalars[first]), take(end) else {
            throw error(.badGroup, from: start)
        }
    }

    /// `i`, `m`, `s`, taken back after `-`; then `:` and a body, or `)` for the rest of the group that stands around.
    private mutating func parseFlags(from start: Int) throws(RegexError) -> Bool {
        var changed = options
        var on = true
        while let scalar = next() {
            let flag: BoundedRegex.Options
            switch scalar {
            case "i": flag = .caseInsensitive
            case "m": flag = .multiline
            case "s": flag = .dotMatchesNewline
            case "-" where on:
                on = false
                continue
            case ":", ")":
                options = changed
                return scalar == ":"
            default:
                throw error(scalar.properties.isAlphabetic ? .badFlag : .badGroup, from: start)
            }
            if on { changed.insert(flag) } else { changed.remove(flag) }
        }
        throw error(.badGroup, from: start)
    }

    /// Moves past the next `end`, or to the end of the pattern.
    private mutating func skip(past end: Unicode.Scalar) {
        while let scalar = next(), scalar != end {}
    }
}

extension Condition {
    /// Brackets nested deeper than this are refused; the parser recurses once per level.
    static let depthLimit = 32
    /// In bytes.
    static let lengthLimit = 8_192

    /// Reads a pattern. Both `[__x__:value = 'a']`, which is STIX, and the bare `__x__:value == 'a'`, which CACAO's examples use.
    package init(parsing text: String) throws(ConditionError) {
        guard text.utf8.count <= Self.lengthLimit else {
            throw ConditionError(offset: Self.lengthLimit, reason: "the condition is longer than \(Self.lengthLimit) bytes")
        }
        var parser = ConditionParser(tokens: try ConditionToken.all(in: text))
        self = try parser.pattern()
    }
}

/// Recursive descent over tokens: pattern = observation {(AND|OR) observation}; comparisons bind as STIX has it, AND before OR.
private struct ConditionParser {
    let tokens: [ConditionToken]
    var index = 0
    var depth = 0

    init(tokens: [ConditionToken]) {
        self.tokens = tokens
    }

    mutating func pattern() throws(ConditionError) -> Condition {
        let condition = try either()
        guard index == tokens.count else { throw refused("nothing can stand here") }
        return condition
    }

    private mutating func either() throws(ConditionError) -> Condition {
        var left = try both()
        while take(word: "OR") { left = .or(left, try both()) }
        return left
    }

    private mutating func both() throws(ConditionError) -> Condition {
        var left = try primary()
        while take(word: "AND") { left = .and(left, try primary()) }
        return left
    }

    private mutating func primary() throws(ConditionError) -> Condition {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Condition.depthLimit else {
            throw refused("brackets are nested deeper than \(Condition.depthLimit) levels")
        }
        if take(symbol: "[") { return try closed(by: "]") }
        if take(symbol: "(") { return try closed(by: ")") }
        let isNegated = take(word: "NOT")
        if take(word: "EXISTS") { return .exists(try path(), isNegated: isNegated) }
        return try comparison(isNegated: isNegated)
    }

    private mutating func closed(by bracket: String) throws(ConditionError) -> Condition {
        let condition = try either()
        guard take(symbol: bracket) else { throw refused("\"\(bracket)\" is missing") }
        return condition
    }

    private mutating func path() throws(ConditionError) -> Condition.Path {
        guard case .path(let name, let members)? = current?.kind else {
            throw refused("a variable is needed here, written __name__:value")
        }
        index += 1
        return Condition.Path(variable: name, members: members)
    }

    private mutating func comparison(isNegated first: Bool) throws(ConditionError) -> Condition {
        let path = try path()
        let isNegated = take(word: "NOT") != first
        guard let token = current else { throw refused("an operator is needed here") }
        let operation: Condition.Operation
        switch token.kind {
        case .symbol("="), .symbol("=="): operation = .equal
        case .symbol("!="), .symbol("<>"): operation = .notEqual
        case .symbol(let text):
            guard let known = Condition.Operation(rawValue: text) else { throw refused("\"\(text)\" is not an operator") }
            operation = known
        case .word("MATCHES"): throw refused("MATCHES is not supported; LIKE with % and _ is")
        case .word(let text):
            guard let known = Condition.Operation(rawValue: text) else { throw refused("\"\(text)\" is not an operator") }
            operation = known
        default: throw refused("an operator is needed here")
        }
        index += 1
        let operands = operation == .isIn ? try list() : [try operand()]
        return .comparison(
            Condition.Comparison(path: path, isNegated: isNegated, operation: operation, operands: operands))
    }

    private mutating func list() throws(ConditionError) -> [Condition.Operand] {
        guard take(symbol: "(") else { throw refused("IN needs a list in brackets") }
        var operands = [try operand()]
        while take(symbol: ",") { operands.append(try operand()) }
        guard take(symbol: ")") else { throw refused("\")\" is missing") }
        return operands
    }

    private mutating func operand() throws(ConditionError) -> Condition.Operand {
        defer { index += 1 }
        switch current?.kind {
        case .text(let text): return .text(text)
        case .number(let number): return .number(number)
        case .word("true"), .word("TRUE"): return .bool(true)
        case .word("false"), .word("FALSE"): return .bool(false)
        case .path(let name, let members): return .path(Condition.Path(variable: name, members: members))
        default: throw refused("a value is needed here: 'text', a number, true or false")
        }
    }

    private var current: ConditionToken? { index < tokens.count ? tokens[index] : nil }

    private mutating func take(word: String) -> Bool {
        guard case .word(word)? = current?.kind else { return false }
        index += 1
        return true
    }

    private mutating func take(symbol: String) -> Bool {
        guard case .symbol(symbol)? = current?.kind else { return false }
        index += 1
        return true
    }

    private func refused(_ reason: String) -> ConditionError {
        let sequences = ["FOLLOWEDBY", "WITHIN", "REPEATS", "START", "STOP"]
        if case .word(let word)? = current?.kind, sequences.contains(word) {
            return ConditionError(
                offset: offset, reason: "\(word) speaks of several observations; a workflow's condition sees one, its variables")
        }
        return ConditionError(offset: offset, reason: reason)
    }

    private var offset: Int { current?.offset ?? tokens.last.map { $0.offset + 1 } ?? 0 }
}

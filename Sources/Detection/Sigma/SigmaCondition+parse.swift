/// Reads the condition grammar of Sigma 2.1: `or` binds loosest, then `and`, then `not`, then `1/all/any of`, then `( )`.
struct ConditionParser {
    struct Failure: Error {
        var reason: String
    }

    /// Conditions nest this deep at most: they are evaluated by recursion.
    static let maximumDepth = 64

    private var tokens: [Substring]
    private var index = 0

    static func parse(_ text: String) throws(Failure) -> SigmaCondition {
        if text.contains("|") {
            throw Failure(reason: "aggregations after '|' are Sigma 1; write a correlation document instead")
        }
        var parser = ConditionParser(tokens: tokenize(text))
        guard !parser.tokens.isEmpty else { throw Failure(reason: "the condition is empty") }
        let condition = try parser.disjunction(depth: 0)
        if let rest = parser.peek { throw Failure(reason: "'\(rest)' does not belong there in condition '\(text)'") }
        return condition
    }

    private static func tokenize(_ text: String) -> [Substring] {
        var tokens: [Substring] = []
        var start: String.Index?
        for index in text.indices {
            let character = text[index]
            if character.isWhitespace || character == "(" || character == ")" {
                if let first = start { tokens.append(text[first..<index]) }
                start = nil
                if !character.isWhitespace { tokens.append(text[index...index]) }
            } else if start == nil {
                start = index
            }
        }
        if let start { tokens.append(text[start...]) }
        return tokens
    }

    private init(tokens: [Substring]) {
        self.tokens = tokens
    }

    private var peek: Substring? { index < tokens.count ? tokens[index] : nil }

    private mutating func take(_ word: String) -> Bool {
        guard let next = peek, next.lowercased() == word else { return false }
        index += 1
        return true
    }

    private mutating func disjunction(depth: Int) throws(Failure) -> SigmaCondition {
        guard depth < ConditionParser.maximumDepth else {
            throw Failure(reason: "the condition nests more than \(ConditionParser.maximumDepth) deep")
        }
        var parts = [try conjunction(depth: depth)]
        while take("or") { parts.append(try conjunction(depth: depth)) }
        return parts.count == 1 ? parts[0] : .or(parts)
    }

    private mutating func conjunction(depth: Int) throws(Failure) -> SigmaCondition {
        var parts = [try negation(depth: depth)]
        while take("and") { parts.append(try negation(depth: depth)) }
        return parts.count == 1 ? parts[0] : .and(parts)
    }

    private mutating func negation(depth: Int) throws(Failure) -> SigmaCondition {
        guard depth < ConditionParser.maximumDepth else {
            throw Failure(reason: "the condition nests more than \(ConditionParser.maximumDepth) deep")
        }
        if take("not") { return .not(try negation(depth: depth + 1)) }
        if take("(") {
            let inner = try disjunction(depth: depth + 1)
            guard take(")") else { throw Failure(reason: "a '(' is not closed") }
            return inner
        }
        guard let word = peek else { throw Failure(reason: "the condition ends where a search-identifier is expected") }
        index += 1
        let lowered = word.lowercased()
        if ["1", "all", "any"].contains(lowered), take("of") {
            guard let pattern = peek else { throw Failure(reason: "'\(word) of' names nothing") }
            index += 1
            return .quantified(all: lowered == "all", pattern: String(pattern))
        }
        if ["and", "or", ")", "of"].contains(lowered) {
            throw Failure(reason: "'\(word)' stands where a search-identifier is expected")
        }
        return .search(String(word))
    }
}

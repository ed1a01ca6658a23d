import Events

/// Things of which at least one must occur in an event for a rule to match: what makes a rule a candidate.
///
/// Literals are found by one automaton per field. Where a regular expression has none worth looking for, it stands for
/// itself, and all such expressions of a field are tried together, as one.
struct Witness: Sendable {
    struct Literal: Hashable, Sendable {
        var subject: Predicate.Subject
        /// In lower case.
        var bytes: [UInt8]
    }

    /// A regular expression by its index.
    struct Pattern: Hashable, Sendable {
        var subject: Predicate.Subject
        var regex: Int
    }

    /// Shorter literals occur in nearly every line: a regular expression is tried itself rather than looked for by them.
    static let minimumLiteralBytes = 3

    private(set) var literals: Set<Literal> = []
    private(set) var patterns: Set<Pattern> = []

    /// How seldom the rule becomes a candidate, roughly: the shortest literal decides, each further one costs a little, and
    /// a regular expression costs a scan.
    private var selectivity: Double {
        let shortest = literals.map(\.bytes.count).min() ?? 12
        return Double(min(shortest, 12)) - Double(literals.count) * 0.02 - (patterns.isEmpty ? 0 : 8)
    }

    /// The best set for `expression`; `nil` when it can match without any of what can be looked for.
    ///
    /// - Parameter requiredLiterals: `BoundedRegex.searchableLiterals` of the regular expression at an index.
    static func find(_ expression: Expression, requiredLiterals: (Int) -> [[UInt8]]) -> Witness? {
        switch expression {
        case .constant(let value): return value ? nil : Witness()
        case .not: return nil
        case .predicate(let predicate): return find(predicate, requiredLiterals)
        case .any(let parts):
            var union = Witness()
            for part in parts {
                guard let found = find(part, requiredLiterals: requiredLiterals) else { return nil }
                union.literals.formUnion(found.literals)
                union.patterns.formUnion(found.patterns)
            }
            return union
        case .all(let parts):
            let found = parts.compactMap { find($0, requiredLiterals: requiredLiterals) }
            return found.max { $0.selectivity < $1.selectivity }
        }
    }

    private static func find(_ predicate: Predicate, _ requiredLiterals: (Int) -> [[UInt8]]) -> Witness? {
        switch predicate.test {
        case .text(let pattern):
            let literal = pattern.longestLiteral
            return literal.isEmpty ? nil : Witness(literals: [Literal(subject: predicate.subject, bytes: literal)])
        case .regex(let index):
            let required = requiredLiterals(index)
            guard !required.isEmpty else { return Witness(patterns: [Pattern(subject: predicate.subject, regex: index)]) }
            return Witness(literals: Set(required.map { Literal(subject: predicate.subject, bytes: $0) }))
        default: return nil
        }
    }
}

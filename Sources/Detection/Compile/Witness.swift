import Events
import Foundation

/// Things of which at least one must occur in an event for a rule to match: what makes a rule a candidate.
///
/// Literals are found by one index per field. A regular expression is tried on the values in which its own literals stand,
/// and makes the rule a candidate only when it matches.
struct Witness: Sendable {
    struct Literal: Hashable, Sendable {
        var subject: Predicate.Subject
        var literal: LiteralIndex.Literal
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

    /// How often an event has one of them, roughly; see `LiteralRarity`.
    private(set) var frequency = 0.0

    /// Whether a rule is so seldom a candidate that the rest of its condition may be costly.
    var isRare: Bool { frequency < 1.0 / 256 }

    /// That of a regular expression with literals of its own, and of one without.
    private static let frequencyOfPattern = (searched: 1.0 / 512, bare: 1.0 / 32)

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
                union.frequency += found.frequency
            }
            return union
        case .all(let parts):
            let found = parts.compactMap { find($0, requiredLiterals: requiredLiterals) }
            return found.min { $0.frequency < $1.frequency }
        }
    }

    private static func find(_ predicate: Predicate, _ requiredLiterals: (Int) -> [[UInt8]]) -> Witness? {
        switch predicate.test {
        case .text(let pattern):
            guard let literal = pattern.rarestLiteral else { return nil }
            return Witness(
                literals: [Literal(subject: predicate.subject, literal: literal)],
                frequency: exp2(-LiteralRarity.bits(literal.bytes)))
        case .regex(let index):
            return Witness(
                patterns: [Pattern(subject: predicate.subject, regex: index)],
                frequency: requiredLiterals(index).isEmpty ? frequencyOfPattern.bare : frequencyOfPattern.searched)
        default: return nil
        }
    }
}

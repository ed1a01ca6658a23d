import Events
import Foundation

/// Things of which at least one must occur in an event for a rule to match: what makes a rule a candidate.
///
/// Literals are found by one index per field. A regular expression is tried on the values in which its own literals stand,
/// and makes the rule a candidate only when it matches. So does a number or an address that has to be in a range, or a field that has to be there.
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

    struct Bound: Hashable, Sendable {
        var field: FieldID
        var comparison: Comparison
        var number: Double
    }

    struct Block: Hashable, Sendable {
        var field: FieldID
        var block: AddressBlock
    }

    /// Shorter literals occur in nearly every line: a regular expression is tried itself rather than looked for by them.
    static let minimumLiteralBytes = 3

    private(set) var literals: Set<Literal> = []
    private(set) var patterns: Set<Pattern> = []
    private(set) var bounds: Set<Bound> = []
    private(set) var blocks: Set<Block> = []
    /// Fields that have to be there.
    private(set) var fields: Set<FieldID> = []

    /// How often an event has one of them, roughly; see `LiteralRarity`.
    private(set) var frequency = 0.0

    /// Whether a rule is a candidate seldom enough for the rest of its condition to be costly: running one expression on
    /// the candidates costs less than running it, together with others, on every value.
    var isRare: Bool { frequency < 1.0 / 4 }

    /// That of a number or an address in a range.
    private static let frequencyOfRange = 1.0 / 4
    private static let frequencyOfBlock = 1.0 / 16
    /// That of a field.
    private static let frequencyOfPresence = 1.0 / 2

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
                union.bounds.formUnion(found.bounds)
                union.blocks.formUnion(found.blocks)
                union.fields.formUnion(found.fields)
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
                frequency: exp2(-LiteralRarity.bits(literal)))
        case .regex(let index):
            return Witness(
                patterns: [Pattern(subject: predicate.subject, regex: index)],
                frequency: requiredLiterals(index).isEmpty ? frequencyOfPattern.bare : frequencyOfPattern.searched)
        case .compare(let comparison, let number):
            guard case .field(let field) = predicate.subject, comparison != .neq else { return nil }
            return Witness(
                bounds: [Bound(field: field, comparison: comparison, number: number)], frequency: frequencyOfRange)
        case .block(let block):
            guard case .field(let field) = predicate.subject else { return nil }
            return Witness(blocks: [Block(field: field, block: block)], frequency: frequencyOfBlock)
        case .exists(true):
            guard case .field(let field) = predicate.subject else { return nil }
            return Witness(fields: [field], frequency: frequencyOfPresence)
        case .exists(false), .isNull, .field, .timePart: return nil
        }
    }
}

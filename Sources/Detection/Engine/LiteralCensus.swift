package import Events

/// Counts how many of the rules' literals stand in events: what a benchmark has to show, since events in which nothing
/// stands prove nothing. Far slower than the engine, which looks for one literal of each rule.
package struct LiteralCensus {
    private let index: LiteralIndex
    /// How many different literals the rules need.
    package let literalCount: Int
    package private(set) var events = 0
    package private(set) var hits = 0
    private var seen: [Int]

    package init(_ ruleSet: RuleSet) {
        var literals: Set<[UInt8]> = []
        for rule in ruleSet.rules { LiteralCensus.collect(rule.expression, into: &literals) }
        let sorted = literals.sorted { $0.lexicographicallyPrecedes($1) }
        index = LiteralIndex(
            sorted.enumerated().map { (LiteralIndex.Literal(bytes: $1, anchor: .contains), Int32($0)) })
        literalCount = sorted.count
        seen = Array(repeating: 0, count: sorted.count)
    }

    /// The literals of what is asked for; what a rule excludes is not counted.
    private static func collect(_ expression: Expression, into literals: inout Set<[UInt8]>) {
        switch expression {
        case .constant, .not: break
        case .all(let parts), .any(let parts): for part in parts { collect(part, into: &literals) }
        case .predicate(let predicate):
            if case .text(let pattern) = predicate.test, let literal = pattern.rarestLiteral { literals.insert(literal.bytes) }
        }
    }

    /// Counts, for each event, the literals that stand in any of its fields.
    package mutating func count(_ batch: EventBatch) {
        let bytes = batch.bytes.span
        for event in batch.events {
            events += 1
            for field in event.fields {
                index.scan(bytes, batch.fields[field].range.bounds) { literal in
                    if seen[Int(literal)] != events {
                        seen[Int(literal)] = events
                        hits += 1
                    }
                }
            }
        }
    }
}

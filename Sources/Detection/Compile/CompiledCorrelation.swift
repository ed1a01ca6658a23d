import Events

/// Where matches of a rule, or findings of a correlation, are counted.
struct CorrelationFeed: Sendable, Hashable {
    /// An index into the rule set's correlations: always greater than that of a correlation that feeds it.
    var correlation: Int
    /// Which of its rules it is.
    var member: Int
}

/// A correlation rule, ready to run.
struct CompiledCorrelation: Sendable {
    enum Kind: Sendable, Hashable {
        case eventCount, valueCount, sum, average, median, absence
        case temporal, temporalOrdered
        case percentile(Double)
    }

    /// Where a member's events have a group-by field, or the field whose values are counted.
    struct MemberField: Sendable {
        var field: FieldID
        /// The place in the inner correlation's group key, for members that are correlations grouped by it.
        var component: Int?
    }

    struct Member: Sendable {
        var groupBy: [MemberField]
        var values: [MemberField]
    }

    /// Which members have matched, as an expression: bits by member.
    indirect enum Presence: Sendable, Hashable {
        case member(Int)
        case not(Presence)
        case all([Presence])
        case any([Presence])

        func holds(_ members: UInt64) -> Bool {
            switch self {
            case .member(let index): members >> UInt64(index) & 1 == 1
            case .not(let inner): !inner.holds(members)
            case .all(let parts): parts.allSatisfy { $0.holds(members) }
            case .any(let parts): parts.contains { $0.holds(members) }
            }
        }

        /// Members that make the condition true together, where none of the others is there.
        struct Choice: Sendable, Hashable {
            var wanted: UInt64 = 0
            var excluded: UInt64 = 0
        }

        static let maximumChoices = 1_024

        /// Each way to make the condition true; `nil` when there are more than `maximumChoices`.
        var choices: [Choice]? { choices(negated: false) }

        private func choices(negated: Bool) -> [Choice]? {
            switch self {
            case .member(let index):
                let bit = UInt64(1) << UInt64(index)
                return [negated ? Choice(excluded: bit) : Choice(wanted: bit)]
            case .not(let inner): return inner.choices(negated: !negated)
            case .all(let parts): return negated ? Presence.union(parts, negated) : Presence.product(parts, negated)
            case .any(let parts): return negated ? Presence.product(parts, negated) : Presence.union(parts, negated)
            }
        }

        private static func union(_ parts: [Presence], _ negated: Bool) -> [Choice]? {
            var found: Set<Choice> = []
            for part in parts {
                guard let choices = part.choices(negated: negated) else { return nil }
                found.formUnion(choices)
                guard found.count <= maximumChoices else { return nil }
            }
            return Array(found)
        }

        private static func product(_ parts: [Presence], _ negated: Bool) -> [Choice]? {
            var found: Set<Choice> = [Choice()]
            for part in parts {
                guard let choices = part.choices(negated: negated) else { return nil }
                found = Set(
                    found.flatMap { known in
                        choices.map { Choice(wanted: known.wanted | $0.wanted, excluded: known.excluded | $0.excluded) }
                    }.filter { $0.wanted & $0.excluded == 0 })
                guard found.count <= maximumChoices else { return nil }
            }
            return Array(found)
        }
    }

    var header: RuleHeader
    /// Over what decides what is counted, the pipelines and the definitions of the rules that it counts: what it remembers is worth something
    /// only under the same one.
    var definitionHash: String
    var kind: Kind
    var members: [Member]
    /// The group-by fields under the names that the rule gives them.
    var groupNames: [String]
    /// Nanoseconds.
    var timespan: Int64
    var bounds: [SigmaCorrelation.Bound]
    var presence: Presence?
    /// Of a condition about order: the rules of one of these have to come one after the other.
    var orders: [Presence.Choice] = []
    var clear: [SigmaCorrelation.Bound]
    /// Nanoseconds.
    var suppression: Int64
    /// Nanoseconds.
    var lateness: Int64
    var groupsMissing: Bool
    /// Grouped by `source.ip` or its prefix, or by the user: then all events of a group have the same.
    var isByAddress: Bool
    var isByUser: Bool
    var feeds: [CorrelationFeed] = []
    /// False where another correlation counts it without `generate`.
    var isReported = true

    /// Distinct values that a window keeps: what the conditions need to be exact, and enough to say how many.
    var distinctCapacity: Int {
        // Asked for with every value that is counted: nothing is put into an array for it.
        var needed = 1.0
        for bound in bounds { needed = max(needed, bound.value) }
        for bound in clear { needed = max(needed, bound.value) }
        return max(Int(min(needed, DocumentParser.maximumThreshold)) + 1, 4096)
    }

    var keepsAddresses: Bool { !isByAddress }

    /// Whether the group's value is one to report.
    func holds(_ value: Double) -> Bool { bounds.allSatisfy { $0.holds(value) } }

    /// Whether it is one at which a group that has fired may fire again.
    func clears(_ value: Double) -> Bool { clear.allSatisfy { $0.holds(value) } }
}

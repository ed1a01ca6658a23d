import Events

/// A detection rule, ready to run.
struct CompiledRule: Sendable {
    var header: RuleHeader
    var logSource: LogSource
    var expression: Expression
    /// The same, as the engine evaluates it: the root's place in `RuleSet.evaluation`.
    var root: Int32 = 0
    /// `nil` when the rule can match without any literal: then it is tried on every event of its log sources.
    var witness: Witness?
    /// The correlations that count it.
    var feeds: [Int] = []
    /// A match is a finding of its own: false for rules that are only counted.
    var isReported = true

    /// Whether events of this kind are any of the rule's business.
    func applies(to source: LogSource) -> Bool {
        logSource.categories.isSubset(of: source.categories)
            && (logSource.product == nil || logSource.product == source.product)
            && (logSource.service == nil || logSource.service == source.service)
    }
}

/// A correlation rule, ready to run.
struct CompiledCorrelation: Sendable {
    enum Kind: Sendable {
        case eventCount
        case valueCount(FieldID)
    }

    var header: RuleHeader
    var kind: Kind
    var groupBy: [FieldID]
    /// Nanoseconds.
    var timespan: Int64
    var conditions: [(comparison: Comparison, value: Double)]

    /// How many events, or distinct values, a window keeps: what the conditions need to be exact, and enough to show.
    var windowCapacity: Int {
        let needed = conditions.map(\.value).max() ?? 1
        return max(Int(min(needed, 100_000)) + 1, 64)
    }

    func holds(_ count: Int) -> Bool {
        conditions.allSatisfy { $0.comparison.holds(Double(count), $0.value) }
    }
}

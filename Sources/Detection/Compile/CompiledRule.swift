import Events

/// A detection rule, ready to run.
struct CompiledRule: Sendable {
    var header: RuleHeader
    /// Over the rule and the filters that concern it.
    var definitionHash: String
    var logSource: LogSource
    var expression: Expression
    /// The same, as the engine evaluates it: the root's place in `RuleSet.evaluation`.
    var root: Int32 = 0
    /// `nil` when the rule can match without any literal: then it is tried on every event of its log sources.
    var witness: Witness?
    /// The correlations that count it.
    var feeds: [CorrelationFeed] = []
    /// A match is a finding of its own: false for rules that are only counted.
    var isReported = true

    /// Whether events of this kind are any of the rule's business.
    func applies(to source: LogSource) -> Bool {
        logSource.categories.isSubset(of: source.categories)
            && (logSource.product == nil || logSource.product == source.product)
            && (logSource.service == nil || logSource.service == source.service)
    }
}

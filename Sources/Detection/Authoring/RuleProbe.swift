import Events

/// A rule once more, or a part of one: compiled into a set beside the rules, so that the same engine judges it.
struct RuleProbe {
    enum Part {
        /// With what filters and pipelines add to it.
        case whole(SigmaDetection, filters: [SigmaFilter])
        /// Read as the rule is, and nothing added.
        case search(SigmaSearch)
    }

    /// The rule's, with an id that no rule has.
    var header: RuleHeader
    var logSource: LogSource
    var part: Part
}

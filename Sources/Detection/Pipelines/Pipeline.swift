import Events

/// How rules written for another taxonomy are to be read, and how events of one kind tell their log source:
/// `rules/pipelines/*.yml`, described in `docs/rules.md`.
package struct Pipeline: Sendable {
    /// Over its document: rules mean something else under another pipeline.
    var hash = ""
    /// The rules that it concerns.
    var logSource = LogSource()
    /// A name in a rule to the fields that it stands for; a rule matches when any of them does.
    var fields: [String: [String]] = [:]
    /// Beginnings of names, and what stands there instead.
    var prefixes: [(from: String, to: String)] = []
    /// What is put around every name that nothing else maps.
    var addedPrefix = ""
    var addedSuffix = ""
    /// What the log source is instead, for routing.
    var newLogSource: LogSource?
    /// Values of placeholders: `%name%` in a value with `|expand`.
    var placeholders: [String: [SigmaValue]] = [:]
    /// What has to hold beside the rule's own condition, or must not.
    var conditions: [(search: SigmaSearch, isNegated: Bool)] = []
    /// Custom attributes: `vigie.category`, `vigie.hostile`, or keys that are only kept.
    var attributes: [String: String] = [:]
    /// Applied in order to the rules that this one concerns.
    var nested: [Pipeline] = []
    var events = PipelineEvents()

    /// Whether it speaks for rules of that log source.
    func applies(to rule: LogSource) -> Bool {
        rule.isWithin(logSource)
    }
}

/// What a pipeline says of events: see `EventTaxonomy`.
struct PipelineEvents: Sendable {
    struct Origin: Sendable {
        /// Fields and the values that they have.
        var conditions: [(field: String, values: [String])]
        var source: LogSource
    }

    var names: [String: String] = [:]
    var copies: [String: String] = [:]
    /// Fields that hold assignments, and the field for each name.
    var assignments: [String: [String: String]] = [:]
    var origins: [Origin] = []
}

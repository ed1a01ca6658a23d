import Events

/// What the pipelines make of the rules of one log source.
struct PipelineReading {
    private(set) var logSource: LogSource
    private var fields: [String: [String]] = [:]
    private var prefixes: [(from: String, to: String)] = []
    private var addedPrefix = ""
    private var addedSuffix = ""
    private(set) var placeholders: [String: [SigmaValue]] = [:]
    private(set) var conditions: [(search: SigmaSearch, isNegated: Bool)] = []
    private(set) var attributes: [String: String] = [:]

    init(logSource: LogSource) {
        self.logSource = logSource
    }

    /// What a rule means under the pipelines.
    init(of header: RuleHeader, _ logSource: LogSource, _ pipelines: [Pipeline]) {
        self.init(logSource: logSource)
        if header.taxonomy == RuleHeader.defaultTaxonomy { for pipeline in pipelines { apply(pipeline) } }
    }

    /// Takes up what the pipeline says, if it speaks for this log source. What was said first stays.
    mutating func apply(_ pipeline: Pipeline) {
        guard pipeline.applies(to: logSource) else { return }
        fields.merge(pipeline.fields) { first, _ in first }
        prefixes += pipeline.prefixes
        addedPrefix = pipeline.addedPrefix + addedPrefix
        addedSuffix += pipeline.addedSuffix
        placeholders.merge(pipeline.placeholders) { first, _ in first }
        conditions += pipeline.conditions
        attributes.merge(pipeline.attributes) { first, _ in first }
        if let changed = pipeline.newLogSource { logSource = changed }
        for nested in pipeline.nested { apply(nested) }
    }

    /// What names are mapped to.
    var targets: Set<String> { Set(fields.values.joined()) }

    /// Whether the name is what the pipelines make of one.
    func isTarget(_ name: String) -> Bool {
        let isAdded = !(addedPrefix.isEmpty && addedSuffix.isEmpty) && name.hasPrefix(addedPrefix) && name.hasSuffix(addedSuffix)
        return isAdded || fields[name] == nil && fields.values.contains { $0.contains(name) }
    }

    /// The fields that a rule means by `name`.
    func names(_ name: String) -> [String] {
        if let mapped = fields[name] { return mapped }
        if let prefix = prefixes.first(where: { name.hasPrefix($0.from) }) {
            return [prefix.to + name.dropFirst(prefix.from.count)]
        }
        return [addedPrefix + name + addedSuffix]
    }
}

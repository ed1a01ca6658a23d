package import Events

/// What the rules of a folder cover: techniques, tactics, requirements, log sources, fields; and what they leave out.
package struct RuleCoverage: Sendable {
    /// Something that rules are there for, with those rules.
    package struct Topic: Sendable {
        package var name: String
        package var rules: [RuleHeader]
    }

    package private(set) var techniques: [Topic]
    package private(set) var tactics: [Topic]
    package private(set) var requirements: [Topic]
    package private(set) var categories: [Topic]
    /// What rules look at, in words.
    package private(set) var logSources: [Topic]
    /// Log sources that formats give and no rule looks at.
    package private(set) var unwatchedSources: [String]
    package private(set) var withoutSamples: [RuleHeader]
    package private(set) var withoutTechnique: [RuleHeader]
    package private(set) var total: Int
    /// Fields that rules use, under the events' names, and no event recorded so far has; each with the rules that use it.
    package private(set) var unseenFields: [Topic]
    /// Events recorded.
    package private(set) var events = 0

    /// What events have to be parsed with.
    package let fields: FieldTable
    /// What the pipelines say of events.
    package let taxonomy: EventTaxonomy
    /// Every log source that events can come from.
    package let knownSources: LogSourceTable

    /// - Throws: `RuleProblem` where samples cannot be read.
    package init(_ folder: RuleFolder) throws(RuleProblem) {
        let ruleSet = RuleSet(sources: folder.rules, pipelines: folder.pipelines, logSources: folder.logSources)
        let headers = ruleSet.headers.map(\.header)
        fields = ruleSet.fields
        taxonomy = ruleSet.taxonomy
        knownSources = ruleSet.logSources
        total = headers.count
        techniques = RuleCoverage.topics(headers, \.techniques)
        tactics = RuleCoverage.topics(headers, \.tactics)
        requirements = RuleCoverage.topics(headers, \.requirements)
        categories = RuleCoverage.topics(headers) { [$0.category.rawValue] }
        logSources = RuleCoverage.topics(ruleSet.rules.map(\.header)) { [ruleSet.logSource(of: $0.id)?.words ?? ""] }
        withoutTechnique = headers.filter(\.techniques.isEmpty)
        var sampled: Set<String> = []
        for rule in folder.rules where try !folder.samples(of: rule).isEmpty { sampled.insert(rule.path) }
        withoutSamples = headers.filter { !sampled.contains($0.file) }
        unwatchedSources = (1..<ruleSet.logSources.count).map { ruleSet.logSources[LogSourceID(rawValue: UInt16($0))] }
            .filter { source in !ruleSet.rules.contains { $0.applies(to: source) && $0.logSource != LogSource() } }
            .map(\.words)
        unseenFields = RuleCoverage.fields(folder, loaded: Set(headers.map(\.id)))
    }

    /// Notes which fields events have.
    package mutating func record(_ batch: EventBatch) {
        events += batch.events.count
        let seen = Set(batch.fields.map { fields[$0.field] })
        unseenFields.removeAll { seen.contains($0.name) }
    }

    private static func topics(_ headers: [RuleHeader], _ names: (RuleHeader) -> [String]) -> [Topic] {
        var topics: [String: [RuleHeader]] = [:]
        for header in headers {
            for name in Set(names(header)) { topics[name, default: []].append(header) }
        }
        // By number where names have one: D2 before D10.
        return topics.map { Topic(name: $0.key, rules: $0.value.sorted { ($0.file, $0.line) < ($1.file, $1.line) }) }
            .sorted { ($0.name.count, $0.name) < ($1.name.count, $1.name) }
    }

    private static func fields(_ folder: RuleFolder, loaded: Set<String>) -> [Topic] {
        var used: [String: [RuleHeader]] = [:]
        for case .success(let document) in folder.rules.flatMap(SigmaParser.parse) where loaded.contains(document.header.id) {
            guard case .detection(let detection) = document.body else { continue }
            let reading = PipelineReading(of: document.header, detection.logSource, folder.pipelines)
            for field in Set(detection.searches.flatMap { $0.search.fields }.flatMap(reading.names)) {
                used[field, default: []].append(document.header)
            }
        }
        return used.map { Topic(name: $0.key, rules: $0.value) }.sorted { $0.name < $1.name }
    }
}

extension SigmaSearch {
    /// The fields that it looks at, as the rule calls them.
    fileprivate var fields: [String] {
        switch self {
        case .map(let items): items.map(\.field)
        case .anyOf(let parts): parts.flatMap(\.fields)
        case .keywords: []
        }
    }
}

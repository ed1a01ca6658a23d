package import Events

/// Rules, compiled: what an engine runs. Immutable; rules that do not parse are listed, the others run.
package struct RuleSet: Sendable {
    /// Every field that a rule or a format knows.
    package private(set) var fields = FieldTable()
    /// Every log source that events can come from.
    package let logSources: LogSourceTable
    /// What the pipelines say of events.
    package let taxonomy: EventTaxonomy
    /// Why rules were refused.
    package internal(set) var problems: [RuleProblem] = []

    /// Changes with the pipelines.
    package let pipelinesHash: String
    var rules: [CompiledRule] = []
    var correlations: [CompiledCorrelation] = []
    private(set) var regexes: [BoundedRegex] = []
    private(set) var evaluation = EvaluationTable()

    package init(sources: [RuleSource], pipelines: [Pipeline] = [], logSources: LogSourceTable = LogSourceTable()) {
        var cache = RuleCache(keeps: false)
        self.init(sources: sources, pipelines: pipelines, logSources: logSources, cache: &cache)
    }

    /// - Parameter cache: what was parsed before; what is parsed now is added.
    init(
        sources: [RuleSource], pipelines: [Pipeline] = [], logSources: LogSourceTable = LogSourceTable(), cache: inout RuleCache
    ) {
        let documents = RuleDocuments(sources, cache: &cache)
        self.init(documents: documents, pipelines: pipelines, logSources: logSources, literals: &cache.literals)
    }

    /// - Parameter probes: parts of rules, which come after the rules.
    init(
        documents: RuleDocuments, probes: [RuleProbe] = [], pipelines: [Pipeline],
        logSources: LogSourceTable = LogSourceTable()
    ) {
        var literals = RegexLiteralMemory()
        self.init(documents: documents, probes: probes, pipelines: pipelines, logSources: logSources, literals: &literals)
    }

    private init(
        documents: RuleDocuments, probes: [RuleProbe] = [], pipelines: [Pipeline], logSources: LogSourceTable,
        literals: inout RegexLiteralMemory
    ) {
        // In their order: the first one to name a field decides.
        pipelinesHash = RuleHash.combine(pipelines.enumerated().map { "\($0.offset) \($0.element.hash)" })
        var table = logSources
        var fields = FieldTable()
        taxonomy = EventTaxonomy(pipelines, fields: &fields, logSources: &table, problems: &problems)
        self.logSources = table
        var compiler = RuleCompiler(pipelines: pipelines, fields: fields, literals: literals)
        problems += documents.problems
        for (index, (header, detection)) in documents.detections.enumerated() {
            do throws(RuleProblem) {
                rules.append(try compiler.compile(detection, header: header, filters: documents.filters(of: index)))
            } catch {
                problems.append(error)
            }
        }
        add(documents.correlations, compiler: &compiler)
        for probe in probes {
            do throws(RuleProblem) {
                rules.append(try compiler.compile(probe))
            } catch {
                problems.append(error)
            }
        }
        for index in rules.indices { rules[index].root = evaluation.add(rules[index].expression) }
        self.fields = compiler.fields
        regexes = compiler.regexes
        literals = compiler.literals
    }

    /// What every loaded rule says about itself; rules that are only counted are not reported by themselves.
    package var headers: [(header: RuleHeader, isReported: Bool)] {
        rules.map { ($0.header, $0.isReported) } + correlations.map { ($0.header, $0.isReported) }
    }

    /// What a detection rule looks at; `nil` for a correlation.
    package func logSource(of id: String) -> LogSource? { rules.first { $0.header.id == id }?.logSource }

    /// By id, what tells one version of a rule from another: filters of the rule, and rules that a correlation counts, are part
    /// of it.
    var definitionHashes: [String: String] {
        let all =
            rules.map { ($0.header.id, $0.definitionHash) }
            + correlations.map { ($0.header.id, RuleHash.combine([$0.header.hash, $0.definitionHash])) }
        return Dictionary(all, uniquingKeysWith: { first, _ in first })
    }

    /// SHA-256 over the definitions of all rules and the pipelines: names the set as a whole.
    package var hash: String { RuleHash.combine(definitionHashes.map { "\($0.key) \($0.value)" } + [pipelinesHash]) }

    /// How many rules are loaded, correlations included.
    package var count: Int { rules.count + correlations.count }
}

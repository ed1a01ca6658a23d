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
        var table = logSources
        var fields = FieldTable()
        taxonomy = EventTaxonomy(pipelines, fields: &fields, logSources: &table, problems: &problems)
        self.logSources = table
        var compiler = RuleCompiler(pipelines: pipelines, fields: fields)
        let documents = RuleDocuments(sources, cache: &cache)
        problems += documents.problems
        for (index, (header, detection)) in documents.detections.enumerated() {
            do throws(RuleProblem) {
                rules.append(try compiler.compile(detection, header: header, filters: documents.filters(of: index)))
            } catch {
                problems.append(error)
            }
        }
        add(documents.correlations, compiler: &compiler)
        for index in rules.indices { rules[index].root = evaluation.add(rules[index].expression) }
        self.fields = compiler.fields
        regexes = compiler.regexes
    }

    /// What every loaded rule says about itself; rules that are only counted are not reported by themselves.
    package var headers: [(header: RuleHeader, isReported: Bool)] {
        rules.map { ($0.header, $0.isReported) } + correlations.map { ($0.header, $0.isReported) }
    }

    /// How many rules are loaded, correlations included.
    package var count: Int { rules.count + correlations.count }
}

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
    package private(set) var problems: [RuleProblem] = []

    private(set) var rules: [CompiledRule] = []
    private(set) var correlations: [CompiledCorrelation] = []
    private(set) var regexes: [BoundedRegex] = []
    private(set) var evaluation = EvaluationTable()

    package init(sources: [RuleSource], pipelines: [Pipeline] = [], logSources: LogSourceTable = LogSourceTable()) {
        var table = logSources
        var fields = FieldTable()
        taxonomy = EventTaxonomy(pipelines, fields: &fields, logSources: &table, problems: &problems)
        self.logSources = table
        var compiler = RuleCompiler(pipelines: pipelines, fields: fields)
        let documents = RuleDocuments(sources)
        problems += documents.problems
        for (index, (header, detection)) in documents.detections.enumerated() {
            do throws(RuleProblem) {
                rules.append(try compiler.compile(detection, header: header, filters: documents.filters(of: index)))
            } catch {
                problems.append(error)
            }
        }
        for (header, correlation) in documents.correlations {
            do throws(RuleProblem) {
                try add(correlation, header: header, compiler: &compiler)
            } catch {
                problems.append(error)
            }
        }
        for index in rules.indices { rules[index].root = evaluation.add(rules[index].expression) }
        self.fields = compiler.fields
        regexes = compiler.regexes
    }

    private mutating func add(_ correlation: SigmaCorrelation, header: RuleHeader, compiler: inout RuleCompiler)
        throws(RuleProblem)
    {
        var counted: [Int] = []
        for name in correlation.rules {
            guard let index = rules.firstIndex(where: { $0.header.name == name || $0.header.id == name.lowercased() }) else {
                throw RuleProblem(
                    file: header.file, line: correlation.line, reason: "it counts rule '\(name)', which is not loaded")
            }
            counted.append(index)
        }
        let kind: CompiledCorrelation.Kind
        switch correlation.kind {
        case .eventCount: kind = .eventCount
        case .valueCount(let field): kind = .valueCount(try compiler.field(field, header, correlation.line))
        }
        var groupBy: [FieldID] = []
        for name in correlation.groupBy { groupBy.append(try compiler.field(name, header, correlation.line)) }
        for index in counted {
            rules[index].feeds.append(correlations.count)
            if !correlation.generate { rules[index].isReported = false }
        }
        correlations.append(
            CompiledCorrelation(
                header: header, kind: kind, groupBy: groupBy, timespan: correlation.timespan, conditions: correlation.conditions))
    }

    /// What every loaded rule says about itself; rules that are only counted are not reported by themselves.
    package var headers: [(header: RuleHeader, isReported: Bool)] {
        rules.map { ($0.header, $0.isReported) } + correlations.map { ($0.header, true) }
    }

    /// How many rules are loaded, correlations included.
    package var count: Int { rules.count + correlations.count }
}

package import Events

/// Rules, compiled: what an engine runs. Immutable; rules that do not parse are listed, the others run.
package struct RuleSet: Sendable {
    /// Every field that a rule or a format knows.
    package private(set) var fields = FieldTable()
    /// Every log source that events can come from.
    package let logSources: LogSourceTable
    /// Why rules were refused.
    package private(set) var problems: [RuleProblem] = []

    private(set) var rules: [CompiledRule] = []
    private(set) var correlations: [CompiledCorrelation] = []
    private(set) var regexes: [BoundedRegex] = []
    private(set) var evaluation = EvaluationTable()

    package init(sources: [RuleSource], mappings: [FieldMapping] = [], logSources: LogSourceTable = LogSourceTable()) {
        self.logSources = logSources
        var compiler = RuleCompiler(mappings: mappings)
        var correlated: [(RuleHeader, SigmaCorrelation)] = []
        var seen: [String: RuleHeader] = [:]
        for source in sources {
            for result in SigmaParser.parse(source) {
                switch result {
                case .failure(let problem): problems.append(problem)
                case .success(let document):
                    if let other = seen.updateValue(document.header, forKey: document.header.id) {
                        let place = "\(other.file):\(other.line)"
                        problems.append(
                            RuleProblem(
                                file: source.path, line: document.header.line,
                                reason: "the id \(other.id) is taken by '\(other.title)' (\(place))"))
                        continue
                    }
                    switch document.body {
                    case .correlation(let correlation): correlated.append((document.header, correlation))
                    case .detection(let detection):
                        do {
                            rules.append(try compiler.compile(detection, header: document.header))
                        } catch {
                            problems.append(error)
                        }
                    }
                }
            }
        }
        for (header, correlation) in correlated {
            do throws(RuleProblem) {
                try add(correlation, header: header, compiler: &compiler)
            } catch {
                problems.append(error)
            }
        }
        for index in rules.indices { rules[index].root = evaluation.add(rules[index].expression) }
        fields = compiler.fields
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

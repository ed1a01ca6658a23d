import Crypto
import Events

extension RuleSet {
    /// Chains longer than this are refused: findings are passed on by recursion.
    static let maximumChain = 16

    /// Compiles correlations, inner ones first; refuses those whose rules are not there or that go round in a circle.
    mutating func add(_ parsed: [(header: RuleHeader, correlation: SigmaCorrelation)], compiler: inout RuleCompiler) {
        var waiting = parsed
        var isBusy = true
        while isBusy {
            isBusy = false
            var left: [(header: RuleHeader, correlation: SigmaCorrelation)] = []
            for (header, correlation) in waiting {
                let isEarly = correlation.rules.contains { name in
                    find(name) == nil && waiting.contains { $0.header.answers(to: name) }
                }
                guard !isEarly else {
                    left.append((header, correlation))
                    continue
                }
                isBusy = true
                do throws(RuleProblem) {
                    try add(correlation, header: header, compiler: &compiler)
                } catch {
                    problems.append(error)
                }
            }
            waiting = left
        }
        for (header, correlation) in waiting {
            problems.append(
                RuleProblem(
                    file: header.file, line: correlation.line,
                    reason:
                        "it counts itself, through \(circle(from: header, in: waiting).map { "'\($0)'" }.joined(separator: " → "))"
                ))
        }
    }

    private enum Target {
        case rule(Int)
        case correlation(Int)
    }

    private func find(_ name: String) -> Target? {
        if let index = rules.firstIndex(where: { $0.header.answers(to: name) }) { return .rule(index) }
        return correlations.firstIndex { $0.header.answers(to: name) }.map(Target.correlation)
    }

    /// The names along the references that do not end.
    private func circle(
        from start: RuleHeader, in waiting: [(header: RuleHeader, correlation: SigmaCorrelation)]
    ) -> [String] {
        var names: [String] = []
        var header = start
        while !names.contains(header.name ?? header.id) {
            names.append(header.name ?? header.id)
            guard let entry = waiting.first(where: { $0.header.id == header.id }),
                let next = waiting.first(where: { other in entry.correlation.rules.contains(where: other.header.answers) })
            else { break }
            header = next.header
        }
        return names + [header.name ?? header.id]
    }

    private mutating func add(
        _ correlation: SigmaCorrelation, header: RuleHeader, compiler: inout RuleCompiler
    ) throws(RuleProblem) {
        var targets: [Target] = []
        var ids: [String] = []
        for (name, line) in zip(correlation.rules, correlation.ruleLines) {
            guard let target = find(name) else {
                throw RuleProblem(file: header.file, line: line, reason: "it counts rule '\(name)', which is not loaded")
            }
            let id = self.header(target).id
            guard !ids.contains(id) else {
                throw RuleProblem(file: header.file, line: line, reason: "it counts rule '\(name)' twice")
            }
            targets.append(target)
            ids.append(id)
        }
        try check(correlation, header, targets)
        var members: [CompiledCorrelation.Member] = []
        for (name, target) in zip(correlation.rules, targets) {
            var groupBy: [CompiledCorrelation.MemberField] = []
            for field in correlation.groupBy {
                groupBy.append(try resolve(field, of: name, target, correlation, header, &compiler))
            }
            var values: [CompiledCorrelation.MemberField] = []
            for field in correlation.kind.fields {
                values.append(try resolve(field, of: name, target, correlation, header, &compiler))
            }
            members.append(CompiledCorrelation.Member(groupBy: groupBy, values: values))
        }
        let addressFields: Set<FieldID> = [.sourceIP, .sourcePrefix]
        let isBy = { (wanted: Set<FieldID>) in
            members[0].groupBy.indices.contains { place in members.allSatisfy { wanted.contains($0.groupBy[place].field) } }
        }
        let presence = correlation.expression.map { self.presence($0, correlation.rules) }
        var orders: [CompiledCorrelation.Presence.Choice] = []
        if let presence, correlation.kind.compiled == .temporalOrdered {
            guard let choices = presence.choices else {
                throw RuleProblem(
                    file: header.file, line: correlation.line,
                    reason:
                        "there are more than \(CompiledCorrelation.Presence.maximumChoices) ways to make its condition true; split it"
                )
            }
            orders = choices
        }
        let feed = correlations.count
        for (member, target) in targets.enumerated() {
            let feed = CorrelationFeed(correlation: feed, member: member)
            switch target {
            case .rule(let index):
                rules[index].feeds.append(feed)
                if !correlation.generate { rules[index].isReported = false }
            case .correlation(let index):
                correlations[index].feeds.append(feed)
                if !correlation.generate { correlations[index].isReported = false }
            }
        }
        correlations.append(
            CompiledCorrelation(
                header: header,
                definitionHash: RuleHash.combine(
                    [definition(correlation, ids, members, compiler.fields), pipelinesHash] + targets.map(definitionHash)),
                kind: correlation.kind.compiled,
                members: members, groupNames: correlation.groupBy, timespan: correlation.timespan, bounds: correlation.bounds,
                presence: presence, orders: orders, clear: correlation.clear,
                suppression: correlation.suppression ?? (correlation.clear.isEmpty ? correlation.timespan : 0),
                lateness: correlation.lateness ?? (correlation.kind == .absence ? 0 : correlation.timespan),
                groupsMissing: correlation.missing == .group, isByAddress: isBy(addressFields), isByUser: isBy([.userName])))
    }

    private func definitionHash(_ target: Target) -> String {
        switch target {
        case .rule(let index): rules[index].definitionHash
        case .correlation(let index): correlations[index].definitionHash
        }
    }

    private func header(_ target: Target) -> RuleHeader {
        switch target {
        case .rule(let index): rules[index].header
        case .correlation(let index): correlations[index].header
        }
    }

    private func check(_ correlation: SigmaCorrelation, _ header: RuleHeader, _ targets: [Target]) throws(RuleProblem) {
        let isCount = correlation.kind.fields.isEmpty || correlation.kind.isValueCount
        let limit = DocumentParser.maximumThreshold
        for bound in correlation.bounds + correlation.clear where isCount && !(0...limit).contains(bound.value) {
            throw RuleProblem(
                file: header.file, line: correlation.line,
                reason: "\(bound.comparison.rawValue): \(bound.value) is out of range; counts are exact from 0 to \(Int(limit))")
        }
        if case .temporal = correlation.kind, correlation.rules.count > DocumentParser.maximumTemporalRules {
            throw RuleProblem(
                file: header.file, line: correlation.line,
                reason: "a temporal correlation takes at most \(DocumentParser.maximumTemporalRules) rules")
        }
        for target in targets {
            guard case .correlation(let index) = target, depth(of: index) >= RuleSet.maximumChain else { continue }
            throw RuleProblem(
                file: header.file, line: correlation.line,
                reason: "it is the end of a chain of more than \(RuleSet.maximumChain) correlations")
        }
    }

    /// How many correlations stand one behind the other up to this one.
    private func depth(of index: Int) -> Int {
        let inner = correlations[..<index].indices.filter { correlations[$0].feeds.contains { $0.correlation == index } }
        return 1 + (inner.map(depth).max() ?? 0)
    }

    private func resolve(
        _ name: String, of rule: String, _ target: Target, _ correlation: SigmaCorrelation, _ header: RuleHeader,
        _ compiler: inout RuleCompiler
    ) throws(RuleProblem) -> CompiledCorrelation.MemberField {
        let own = correlation.aliases[name]?[rule] ?? name
        switch target {
        case .rule(let index):
            let field = try compiler.field(
                compiler.mapped(own, rules[index].logSource, rules[index].header), header, correlation.line)
            return CompiledCorrelation.MemberField(field: field, component: nil)
        case .correlation(let index):
            let inner = correlations[index]
            let field = try compiler.field(own, header, correlation.line)
            if let place = inner.groupNames.firstIndex(of: own) {
                return CompiledCorrelation.MemberField(field: field, component: place)
            }
            // An absence comes without an event of its own; what is known of the one that was not answered follows its key.
            guard inner.kind == .absence else { return CompiledCorrelation.MemberField(field: field, component: nil) }
            switch field {
            case .sourceIP: return CompiledCorrelation.MemberField(field: field, component: inner.groupNames.count)
            case .userName: return CompiledCorrelation.MemberField(field: field, component: inner.groupNames.count + 1)
            case .sourcePrefix: return CompiledCorrelation.MemberField(field: field, component: nil)
            default:
                throw RuleProblem(
                    file: header.file, line: correlation.line,
                    reason: "'\(own)' is not known of '\(rule)', which reports an absence and is not grouped by it")
            }
        }
    }

    private func presence(_ condition: SigmaCondition, _ names: [String]) -> CompiledCorrelation.Presence {
        switch condition {
        case .search(let name): .member(names.firstIndex(of: name) ?? 0)
        case .not(let inner): .not(presence(inner, names))
        case .and(let parts): .all(parts.map { presence($0, names) })
        case .or(let parts): .any(parts.map { presence($0, names) })
        case .quantified: .all([])
        }
    }

    private func definition(
        _ correlation: SigmaCorrelation, _ ids: [String], _ members: [CompiledCorrelation.Member], _ fields: FieldTable
    ) -> String {
        let name = { (field: CompiledCorrelation.MemberField) in "\(fields[field.field])#\(field.component ?? -1)" }
        let parts = [
            "\(correlation.kind)", "\(ids)", "\(members.map { $0.groupBy.map(name) })", "\(members.map { $0.values.map(name) })",
            "\(correlation.timespan)", text(correlation.bounds), text(correlation.clear),
            "\(correlation.expression.map { presence($0, correlation.rules) }.map { "\($0)" } ?? "")",
            "\(correlation.suppression ?? -1) \(correlation.lateness ?? -1) \(correlation.missing)",
        ]
        func text(_ bounds: [SigmaCorrelation.Bound]) -> String {
            bounds.map { "\($0.comparison.rawValue) \($0.value)" }.joined(separator: ", ")
        }
        return SHA256.hash(data: Array(parts.joined(separator: "\u{0}").utf8)).hexadecimal
    }
}

extension RuleHeader {
    /// Whether a correlation that says `reference` means this rule.
    func answers(to reference: String) -> Bool { name == reference || id == reference.lowercased() }
}

extension SigmaCorrelation.Kind {
    fileprivate var isValueCount: Bool {
        if case .valueCount = self { true } else { false }
    }

    /// The fields whose values are counted or added up.
    var fields: [String] {
        switch self {
        case .eventCount, .temporal, .absence: []
        case .valueCount(let fields): fields
        case .sum(let field), .average(let field), .percentile(let field, _), .median(let field): [field]
        }
    }

    fileprivate var compiled: CompiledCorrelation.Kind {
        switch self {
        case .eventCount: .eventCount
        case .valueCount: .valueCount
        case .temporal(let isOrdered): isOrdered ? .temporalOrdered : .temporal
        case .sum: .sum
        case .average: .average
        case .percentile(_, let rank): .percentile(rank)
        case .median: .median
        case .absence: .absence
        }
    }
}

import Yams

extension DocumentParser {
    /// Windows are exact up to this many events; conditions beyond it could never be told.
    static let maximumThreshold = 100_000.0
    /// Rules of one correlation.
    static let maximumRules = 256
    /// Rules of a temporal one: what has been seen of each group is a set of them.
    static let maximumTemporalRules = 64
    static let maximumGroupFields = 16
    private static let types = [
        "event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile",
        "value_median",
    ]

    func correlation(_ node: Node, own: Node?) throws(RuleProblem) -> SigmaCorrelation {
        guard let mapping = node.mapping else { throw problem(node, "'correlation' is a mapping") }
        let known: Set<String> = ["type", "rules", "group-by", "timespan", "condition", "generate", "aliases"]
        for (key, _) in mapping where !known.contains(key.string ?? "") {
            throw problem(
                key, "'\(key.string ?? "")' is not known in a correlation; known are \(known.sorted().joined(separator: ", "))")
        }
        guard let span = mapping["timespan"] else { throw problem(node, "the correlation has no 'timespan': 5m") }
        let timespan = try duration(span, "timespan")
        guard let type = mapping["type"], let name = type.string, DocumentParser.types.contains(name) else {
            throw problem(
                mapping["type"] ?? node,
                "correlation type '\(mapping["type"]?.string ?? "")' is not known; known are "
                    + DocumentParser.types.joined(separator: ", "))
        }
        var condition = CorrelationCondition()
        if let node = mapping["condition"] {
            condition = try self.condition(node, isTemporal: name.hasPrefix("temporal"))
        } else if !name.hasPrefix("temporal") {
            throw problem(node, "the correlation has no 'condition': {gte: 10}")
        }
        let (rules, lines) = try self.rules(mapping["rules"], condition, node)
        let options = try options(own)
        let kind = try kind(name, condition, options, mapping["condition"] ?? node)
        if name.hasPrefix("temporal") {
            guard rules.count >= 2 else { throw problem(mapping["rules"] ?? node, "\(name) takes at least two rules") }
            if condition.bounds.isEmpty, condition.expression == nil {
                condition.bounds = [SigmaCorrelation.Bound(comparison: .gte, value: Double(rules.count))]
            }
        }
        let groupBy = try list(mapping["group-by"], "group-by")
        guard groupBy.count <= DocumentParser.maximumGroupFields, Set(groupBy).count == groupBy.count else {
            throw problem(
                mapping["group-by"] ?? node, "'group-by' names at most \(DocumentParser.maximumGroupFields) different fields")
        }
        if let generate = mapping["generate"], generate.bool == nil { throw problem(generate, "'generate' is true or false") }
        if let lateness = options.lateness, kind != .absence, lateness > timespan, let own {
            throw problem(own, "'vigie.lateness' is longer than the timespan: older events are outside the window anyway")
        }
        let aliases = try self.aliases(mapping["aliases"], rules: rules, used: Set(groupBy).union(condition.fields))
        return SigmaCorrelation(
            kind: kind, rules: rules, ruleLines: lines, groupBy: groupBy, aliases: aliases, timespan: timespan,
            bounds: condition.bounds, expression: kind == .absence ? nil : condition.expression,
            generate: mapping["generate"]?.bool ?? false, clear: options.clear, suppression: options.suppression,
            lateness: options.lateness, missing: options.missing, line: node.mark?.line ?? 0)
    }

    private func kind(
        _ type: String, _ condition: CorrelationCondition, _ options: CorrelationOptions, _ node: Node
    ) throws(RuleProblem) -> SigmaCorrelation.Kind {
        if condition.percentile != nil, type != "value_percentile" {
            throw problem(node, "'percentile' belongs to value_percentile")
        }
        if options.isAbsence {
            guard type == "temporal_ordered", condition.namesFirstWithoutSecond else {
                throw problem(
                    node, "'vigie.absence' goes with type temporal_ordered and a condition of two rules: first and not second")
            }
            return .absence
        }
        if type.hasPrefix("value_") {
            guard let field = condition.fields.first else { throw problem(node, "\(type) needs 'field' in its condition") }
            guard type == "value_count" || condition.fields.count == 1 else { throw problem(node, "\(type) takes one field") }
            switch type {
            case "value_count": return .valueCount(fields: condition.fields)
            case "value_sum": return .sum(field: field)
            case "value_avg": return .average(field: field)
            case "value_median": return .median(field: field)
            default: return .percentile(field: field, condition.percentile ?? 95)
            }
        }
        guard condition.fields.isEmpty else { throw problem(node, "\(type) takes no 'field' in its condition") }
        return type == "event_count" ? .eventCount : .temporal(isOrdered: type == "temporal_ordered")
    }

    private func rules(
        _ node: Node?, _ condition: CorrelationCondition, _ whole: Node
    ) throws(RuleProblem) -> (names: [String], lines: [Int]) {
        guard let node else {
            // pySigma: an extended condition names the rules where there is no list.
            guard !condition.names.isEmpty else { throw problem(whole, "'rules' names the rules to count") }
            return (condition.names, condition.names.map { _ in condition.line })
        }
        let names = try list(node, "rules")
        guard !names.isEmpty else { throw problem(node, "'rules' names the rules to count") }
        guard names.count <= DocumentParser.maximumRules else {
            throw problem(node, "'rules' names more than \(DocumentParser.maximumRules) rules")
        }
        if condition.expression != nil {
            if let missing = condition.names.first(where: { !names.contains($0) }) {
                throw problem(node, "the condition names rule '\(missing)', which 'rules' does not list")
            }
            if let unused = names.first(where: { !condition.names.contains($0) }) {
                throw problem(node, "the condition says nothing about rule '\(unused)'")
            }
        }
        return (names, node.sequence.map { $0.map { $0.mark?.line ?? 0 } } ?? [node.mark?.line ?? 0])
    }

    private func aliases(
        _ node: Node?, rules: [String], used: Set<String>
    ) throws(RuleProblem) -> [String: [String: String]] {
        guard let node else { return [:] }
        guard let mapping = node.mapping else { throw problem(node, "'aliases' maps a name to {rule: field}") }
        var aliases: [String: [String: String]] = [:]
        for (key, value) in mapping {
            let alias = key.string ?? ""
            guard let fields = value.mapping else { throw problem(key, "alias '\(alias)' maps rules to fields: {rule: field}") }
            guard used.contains(alias) else {
                throw problem(key, "alias '\(alias)' stands neither in 'group-by' nor as the condition's field")
            }
            var byRule: [String: String] = [:]
            for (rule, field) in fields {
                guard let name = rule.string, rules.contains(name) else {
                    throw problem(rule, "alias '\(alias)' names rule '\(rule.string ?? "")', which 'rules' does not list")
                }
                guard let text = field.string, !text.isEmpty, field.scalar != nil else {
                    throw problem(rule, "alias '\(alias)' names no field for rule '\(name)'")
                }
                byRule[name] = text
            }
            if let missing = rules.first(where: { byRule[$0] == nil }) {
                throw problem(key, "alias '\(alias)' names no field for rule '\(missing)'")
            }
            aliases[alias] = byRule
        }
        return aliases
    }

    func list(_ node: Node?, _ key: String) throws(RuleProblem) -> [String] {
        guard let node else { return [] }
        var texts: [String] = []
        for element in node.sequence.map(Array.init) ?? [node] {
            guard let text = element.scalar?.string, !text.isEmpty else { throw problem(element, "'\(key)' is a list of names") }
            texts.append(text)
        }
        return texts
    }
}

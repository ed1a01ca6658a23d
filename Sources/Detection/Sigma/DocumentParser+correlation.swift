import Yams

extension DocumentParser {
    func correlation(_ node: Node) throws(RuleProblem) -> SigmaCorrelation {
        guard let mapping = node.mapping else { throw problem(node, "'correlation' is a mapping") }
        let known: Set<String> = ["type", "rules", "group-by", "timespan", "condition", "generate"]
        for (key, _) in mapping where !known.contains(key.string ?? "") {
            throw problem(
                key,
                "'\(key.string ?? "")' is not supported in a correlation; known are \(known.sorted().joined(separator: ", "))")
        }
        guard let span = mapping["timespan"], let timespan = nanoseconds(span.string ?? "") else {
            throw problem(mapping["timespan"] ?? node, "'timespan' is a number and one of s, m, h, d: 5m")
        }
        let rules = list(mapping["rules"])
        guard !rules.isEmpty else { throw problem(mapping["rules"] ?? node, "'rules' names the rules to count") }
        let (conditions, field) = try condition(mapping["condition"] ?? node)
        let kind: SigmaCorrelation.Kind
        switch mapping["type"]?.string {
        case "event_count": kind = .eventCount
        case "value_count":
            guard let field else { throw problem(mapping["condition"] ?? node, "value_count needs 'field' in its condition") }
            kind = .valueCount(field: field)
        case let type:
            throw problem(
                mapping["type"] ?? node, "correlation type '\(type ?? "")' is not supported yet; event_count and value_count are")
        }
        return SigmaCorrelation(
            kind: kind, rules: rules, groupBy: list(mapping["group-by"]), timespan: timespan, conditions: conditions,
            generate: mapping["generate"]?.bool ?? false, line: node.mark?.line ?? 0)
    }

    private func list(_ node: Node?) -> [String] {
        node?.sequence.map { $0.compactMap(\.string) } ?? node?.string.map { [$0] } ?? []
    }

    private func nanoseconds(_ text: String) -> Int64? {
        guard let unit = text.last, let count = Int64(text.dropLast()), count > 0, count <= 1_000_000 else { return nil }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        return units[unit].map { $0 * count * 1_000_000_000 }
    }

    private func condition(
        _ node: Node
    ) throws(RuleProblem) -> (conditions: [(comparison: Comparison, value: Double)], field: String?) {
        guard let mapping = node.mapping else { throw problem(node, "the condition is a mapping: {gte: 10}") }
        var conditions: [(comparison: Comparison, value: Double)] = []
        var field: String?
        for (key, value) in mapping {
            if key.string == "field" {
                field = value.string
                continue
            }
            guard let comparison = Comparison(rawValue: key.string ?? "") else {
                throw problem(key, "'\(key.string ?? "")' is no comparison; known are gt, gte, lt, lte, eq, neq")
            }
            guard let number = value.float, number.isFinite else { throw problem(value, "a comparison takes a number") }
            conditions.append((comparison, number))
        }
        guard !conditions.isEmpty else { throw problem(node, "the condition compares with nothing") }
        return (conditions, field)
    }
}

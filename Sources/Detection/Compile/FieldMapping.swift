import Events
import Yams

/// What other taxonomies call our fields, for rules of one kind of log: `rules/pipelines/*.yml`.
///
///     name: Sigma's webserver taxonomy
///     logsource: {category: webserver}
///     fields: {cs-method: http.request.method}
package struct FieldMapping: Sendable {
    var logSource: LogSource
    var fields: [String: String]

    /// - Throws: `RuleProblem` when the file is not such a document.
    package init(_ source: RuleSource) throws(RuleProblem) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: source.text)
        } catch {
            throw RuleProblem(file: source.path, line: 0, reason: "not YAML: \(error)")
        }
        guard let node, let mapping = node.mapping, let names = mapping["fields"]?.mapping else {
            throw RuleProblem(
                file: source.path, line: node?.mark?.line ?? 0, reason: "a pipeline has 'fields', a mapping of names to ECS names"
            )
        }
        fields = [:]
        for (key, value) in names {
            guard let from = key.string, let to = value.string else {
                throw RuleProblem(file: source.path, line: key.mark?.line ?? 0, reason: "a field maps to one name")
            }
            fields[from] = to
        }
        let filter = mapping["logsource"]?.mapping
        logSource = LogSource(
            categories: Set([filter?["category"]?.string].compactMap { $0 }), product: filter?["product"]?.string,
            service: filter?["service"]?.string)
    }

    /// Whether it speaks for rules of that log source.
    func applies(to rule: LogSource) -> Bool {
        logSource.categories.isSubset(of: rule.categories)
            && (logSource.product == nil || logSource.product == rule.product)
            && (logSource.service == nil || logSource.service == rule.service)
    }
}

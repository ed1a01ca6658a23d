import Yams

/// What each severity means, for those who have to choose one.
package struct SeverityPolicy: Sendable, Equatable {
    package struct Meaning: Sendable, Equatable {
        package var description: String
        package var examples: [String]
    }

    package var meanings: [Severity: Meaning] = [:]

    package init() {}

    init(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) {
        guard let node, let list = try reader.members(node, known: ["severities"])["severities"] else { return }
        for entry in try reader.mapping(list) {
            guard let severity = Severity(entry.name) else { throw reader.error(entry.key, "a severity is P0 to P3") }
            let members = try reader.members(entry.value, known: ["description", "examples"], needed: ["description"])
            meanings[severity] = Meaning(
                description: try members["description"].map(reader.text) ?? "",
                examples: try members["examples"].map(reader.texts) ?? [])
        }
    }
}

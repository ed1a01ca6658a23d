import Yams

/// Whom a step pages, as the policy says it: `person:ana`, `rotation:primary`, `channel:security-chat`.
package struct PageTarget: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case person, rotation, channel
    }

    package var kind: Kind
    package var name: String
    /// In its file.
    package var line = 0

    package var text: String { "\(kind.rawValue):\(name)" }

    static func list(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> [PageTarget] {
        var targets: [PageTarget] = []
        for element in try reader.list(node) {
            let parts = try reader.text(element).split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else {
                throw reader.error(element, "person:NAME, rotation:NAME or channel:NAME is expected here")
            }
            targets.append(PageTarget(kind: kind, name: String(parts[1]), line: element.mark?.line ?? 0))
        }
        return targets
    }
}

/// Who is paged, in which order, and how long each has to answer.
package struct EscalationPolicy: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        package var name: String
        package var targets: [PageTarget]
        /// Seconds until the next step is taken.
        package var answersWithin: Int64
    }

    package var policies: [String: [Step]] = [:]
    /// The policy of each severity; one that is missing pages nobody.
    package var routes: [Severity: String] = [:]

    package init() {}

    init(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) {
        guard let node else { return }
        let members = try reader.members(node, known: ["routes", "policies"], needed: ["routes", "policies"])
        if let list = members["policies"] {
            for policy in try reader.mapping(list) { policies[policy.name] = try EscalationPolicy.steps(policy.value, reader) }
        }
        if let list = members["routes"] {
            for route in try reader.mapping(list) {
                guard let severity = Severity(route.name) else { throw reader.error(route.key, "a severity is P0 to P3") }
                let name = try reader.text(route.value)
                guard name != "nobody" else { continue }
                guard policies[name] != nil else {
                    throw reader.unknown(route.value, "policy", name, known: policies.keys.sorted() + ["nobody"])
                }
                routes[severity] = name
            }
        }
    }

    private static func steps(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> [Step] {
        var steps: [Step] = []
        for element in try reader.list(node) {
            let members = try reader.members(
                element, known: ["name", "page", "answers_within"], needed: ["name", "page", "answers_within"])
            guard let name = members["name"], let page = members["page"], let within = members["answers_within"] else { continue }
            let step = Step(
                name: try reader.text(name), targets: try PageTarget.list(page, reader),
                answersWithin: try reader.duration(within))
            guard !steps.contains(where: { $0.name == step.name }) else {
                throw reader.error(name, "step '\(step.name)' is there twice")
            }
            steps.append(step)
        }
        return steps
    }
}

/// What an installation allows and how long it waits. Data: an operator's file becomes one of these.
package struct ExecutionPolicy: Sendable, Hashable {
    /// Who has to agree from an impact on.
    package struct ApprovalRule: Sendable, Hashable {
        /// 0 to 100, as CACAO counts.
        package var impact: Int64
        package var role: String
        package var people: Int

        package init(impact: Int64, role: String, people: Int) {
            self.impact = impact
            self.role = role
            self.people = people
        }
    }

    /// For commands that machines carry out, in milliseconds; used where a step names none (§4.1: an executor SHOULD have one).
    package var commandTimeout: Int64 = 300_000
    /// The same for steps with manual commands: people are slower, but no run waits for ever.
    package var manualTimeout: Int64 = 24 * 3_600_000
    package var approvalTimeout: Int64 = 4 * 3_600_000
    package var iterationLimit = 1_000
    package var stepLimit = 10_000
    /// Playbooks that call playbooks.
    package var depthLimit = 8
    package var approvals: [ApprovalRule] = [
        ApprovalRule(impact: 30, role: "responder", people: 1), ApprovalRule(impact: 70, role: "commander", people: 2),
    ]
    /// What this installation's executor can carry out.
    package var commands: Set<Command.Kind> = [.manual, .bash, .ssh, .httpAPI, .openC2, .sigma]
    /// Whether only signed playbooks run.
    package var demandsSignature = false

    package init() {}

    /// The strictest rule that an impact meets.
    package func approval(for impact: Int64) -> ApprovalRule? {
        approvals.filter { impact >= $0.impact }.max { $0.impact < $1.impact }
    }
}

/// The playbooks an executor knows. Several versions of one may be there; runs name theirs.
package struct PlaybookLibrary: Sendable {
    private var versions: [Identifier: [String: Playbook]] = [:]

    package init(_ playbooks: [Playbook] = []) {
        for playbook in playbooks { versions[playbook.id, default: [:]][playbook.version] = playbook }
    }

    /// That version, or the newest (§4.6).
    package func find(_ id: Identifier, version: String? = nil) -> Playbook? {
        guard let known = versions[id] else { return nil }
        if let version { return known[version] }
        return known.values.max { $0.modified < $1.modified }
    }

    package var all: [Playbook] { versions.values.flatMap(\.values).sorted { ($0.name, $0.version) < ($1.name, $1.version) } }
}

package import Events
package import Journal

/// What a playbook asks of Vigie itself: carried out in this process instead of over the network, under the same key.
package struct InProcessRequest: Sendable, Hashable {
    package var method: String
    /// Without query: `/api/v1/leases`.
    package var path: String
    package var body: JSONValue
    /// The step's idempotency key. Asked again under it, a target answers as it did and does nothing twice, also after a crash.
    package var key: String
    package var run: String
    package var incident: String?
    /// The step's name: why it is done.
    package var title: String
    /// The account that started the run, or `policy`.
    package var startedBy: String
    /// Accounts that approved the step.
    package var approvedBy: [String]
    package var deadline: Timestamp

    package init(
        method: String, path: String, body: JSONValue, key: String, run: String, incident: String?, title: String,
        startedBy: String, approvedBy: [String], deadline: Timestamp
    ) {
        self.method = method
        self.path = path
        self.body = body
        self.key = key
        self.run = run
        self.incident = incident
        self.title = title
        self.startedBy = startedBy
        self.approvedBy = approvedBy
        self.deadline = deadline
    }
}

package enum InProcessAnswer: Sendable, Hashable {
    /// It is done; the detail is what a person reads in the run.
    case done(detail: String, JSONValue = .null)
    /// It was tried or refused, and is not in force.
    case failed(String)
    /// Nothing here can do it: a person is asked to, and told why.
    case handedOver(String)
}

/// Something in this process that playbooks ask by `http-api` commands whose agent is Vigie.
package protocol InProcessTarget: Sendable {
    /// The paths it answers, such as `/api/v1/leases`.
    var paths: Set<String> { get }

    func carryOut(_ request: InProcessRequest) async -> InProcessAnswer
}

/// Which agents of a playbook are Vigie, and what it can be asked.
package enum InProcessTargets {
    /// Everything that playbooks may ask of Vigie. What no target answers waits for a person.
    package static let paths: Set<String> = [
        "/api/v1/leases", "/api/v1/leases/undo", "/api/v1/evidence", "/api/v1/notices", "/api/v1/canary/regenerate",
    ]

    /// By name and by a loopback address: nothing of it goes over the network, so which port the address names means nothing.
    package static func isVigie(_ agent: AgentTarget) -> Bool {
        guard agent.kind == .httpAPI, agent.name == "Vigie", let urls = agent.addresses["url"], !urls.isEmpty else {
            return false
        }
        return urls.allSatisfy { url in
            ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { host in
                url.hasPrefix(host) && (url.dropFirst(host.count).first.map { $0 == ":" || $0 == "/" } ?? true)
            }
        }
    }
}

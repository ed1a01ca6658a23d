package import Events
package import Identity

/// What the console asks of playbooks and their runs, and what people order. The server's run desk is one.
package protocol RunDirecting: Sendable {
    /// Of one incident, or all; newest first.
    func views(of incident: String?) async -> [RunView]
    func view(_ run: String) async -> RunView?
    func playbooks() async -> [PlaybookView]
    /// What policy wanted to start for an incident and could not, and why.
    func notStarted(for incident: String) async -> [(playbook: String, reason: String)]

    /// - Returns: the run it is about, or what was trusted.
    /// - Throws: `RunRefusal` where it cannot be done; nothing was then.
    @discardableResult
    func carryOut(_ order: RunOrder, by person: RunPerson) async throws -> String
}

/// Who gives an order.
package struct RunPerson: Sendable, Hashable {
    /// An account's id, or `uid:1000`.
    package var id: String
    package var role: Role
    /// The same each time that the same order is given, also after a crash: it begins one run.
    package var request: String?

    package init(id: String, role: Role, request: String? = nil) {
        self.id = id
        self.role = role
        self.request = request
    }
}

package enum RunOrder: Sendable, Hashable {
    case start(playbook: String, incident: String, variables: [String: String])
    case approve(run: String, execution: Int)
    case refuse(run: String, execution: Int, reason: String)
    /// A manual step, or one whose outcome nobody knows: how it ended, by a person's word.
    case finish(run: String, execution: Int, succeeded: Bool, note: String, outputs: [String: String])
    case cancel(run: String, reason: String)
    /// Takes back what the run's containment steps did, the last first.
    case undo(run: String)
    case trust(hash: String)
    case distrust(hash: String)
}

/// Why an order about runs is not carried out.
package typealias RunRefusal = OrderRefusal<RunRefusalCode>

package enum RunRefusalCode: String, RefusalCode {
    case unknown
    case notAllowed = "not_allowed"
    case alreadyDone = "already_done"
    case invalid
    case forbidden

    package var kind: RefusalKind {
        switch self {
        case .unknown: .unknown
        case .notAllowed, .alreadyDone: .conflict
        case .invalid: .invalid
        case .forbidden: .forbidden
        }
    }
}

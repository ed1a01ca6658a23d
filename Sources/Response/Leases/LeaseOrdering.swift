package import Events

/// Where leases are ordered: by people, by playbooks, by policy. The server's lease desk is one.
package protocol LeaseOrdering: Sendable {
    /// Writes the order down; it is carried out from then on, also after a crash.
    ///
    /// - Returns: the lease as it was ordered; that of before where the request's key was used before.
    /// - Throws: `LeaseRefusal` where it is not allowed or cannot be done; nothing was done then.
    func apply(_ request: LeaseRequest) async throws -> Lease

    /// Ends a lease before its time. Harmless where it has ended.
    ///
    /// - Throws: `LeaseRefusal` where there is none of that id.
    func undo(id: String, by: String, reason: String) async throws

    /// Where a lease stands; `nil` where there is none of that id.
    func standing(of id: String) async -> LeaseBook.Standing?

    /// Waits until a lease stands still: refused, in force, not in force, waiting for a person, or lifted; or until the deadline.
    func settle(id: String, by deadline: Timestamp) async -> LeaseBook.Standing?
}

/// What is asked for.
package struct LeaseRequest: Sendable, Hashable {
    package var verb: Lease.Verb
    /// See ``Lease/target``.
    package var target: String
    /// `platform`, or the name of an application.
    package var scope: String
    package var reason: String
    /// The incident it belongs to; there is no lease without one.
    package var incident: String
    /// An account's name, `uid:` and a number, or `run:` and a playbook's run.
    package var requestedBy: String
    /// Who approved it, where somebody did already. Without it, policy approves within its budget or asks a person.
    package var approvedBy: String?
    /// Seconds.
    package var duration: Int64
    /// `nil` for the first configured one that knows the verb.
    package var enforcer: String?
    /// The same at every attempt at the same order; `nil` makes each one a new lease.
    package var key: String?
    /// See ``Lease/parameters``.
    package var parameters: [String: String]
    /// The address that the order comes from: it cannot block itself.
    package var origin: String?

    package init(
        verb: Lease.Verb, target: String, scope: String = "platform", reason: String, incident: String, requestedBy: String,
        approvedBy: String? = nil, duration: Int64, enforcer: String? = nil, key: String? = nil,
        parameters: [String: String] = [:],
        origin: String? = nil
    ) {
        self.verb = verb
        self.target = target
        self.scope = scope
        self.reason = reason
        self.incident = incident
        self.requestedBy = requestedBy
        self.approvedBy = approvedBy
        self.duration = duration
        self.enforcer = enforcer
        self.key = key
        self.parameters = parameters
        self.origin = origin
    }
}

/// Why an order about leases is not carried out.
package typealias LeaseRefusal = OrderRefusal<LeaseRefusalCode>

package enum LeaseRefusalCode: String, RefusalCode {
    /// There is no such lease, or no such incident.
    case unknown
    case invalid
    /// Policy speaks against it: a never-block list, or a network too wide.
    case protected
    /// No enforcer is configured that could do it.
    case noEnforcer = "no_enforcer"
    case notAllowed = "not_allowed"
    case forbidden

    package var kind: RefusalKind {
        switch self {
        case .unknown: .unknown
        case .invalid, .protected, .noEnforcer: .invalid
        case .notAllowed: .conflict
        case .forbidden: .forbidden
        }
    }
}

package import Events
package import Identity

/// Orders containment and tells where it stands. The server implements it.
package protocol LeaseKeeping: Sendable {
    /// The newest first; a bounded number.
    ///
    /// - Parameters:
    ///   - incident: only those of this incident.
    ///   - includesOver: also those that are refused, or lifted and shown to be.
    func leases(of incident: String?, includesOver: Bool) async -> [LeaseView]
    func lease(_ id: String) async -> LeaseView?
    /// - Throws: an `OrderRefusing` for what is refused, as the others do; nothing was done then.
    func order(_ order: LeaseOrder, by account: String, from address: String) async throws -> LeaseView
    func approve(_ id: String, by account: String) async throws -> LeaseView
    func undo(_ id: String, reason: String, by account: String) async throws -> LeaseView
    /// Reads it back now.
    func prove(_ id: String) async throws -> LeaseView
    /// Tells what came of trying from that very address, or as that very account: in tests and drills only.
    ///
    /// - Parameter outcome: `refused` or `served`.
    func probed(_ id: String, outcome: String, by account: String) async throws -> LeaseView
    /// Whom it would have met within the last day.
    func preview(_ order: LeaseOrder) async throws -> LeasePreview
    /// What can be ordered, by the enforcers that are configured.
    func verbs() async -> [LeaseVerb]
}

/// Something that can be ordered, and by whom.
package struct LeaseVerb: Sendable, Equatable {
    package var name: String
    package var enforcers: [String]
    /// The least role that may order and undo it.
    package var role: Role

    package init(name: String, enforcers: [String], role: Role) {
        self.name = name
        self.enforcers = enforcers
        self.role = role
    }

    package var words: String { name.split(separator: "_").joined(separator: " ") }
}

/// What a person asks for, as a form has it.
package struct LeaseOrder: Sendable, Equatable {
    package var verb: String
    package var target: String
    package var scope: String
    package var reason: String
    package var incident: String
    /// Such as `1h`, `90m`, `7d`.
    package var duration: String
    /// Empty for the first that can do it.
    package var enforcer: String
    package var parameters: [String: String]

    package init(
        verb: String, target: String, scope: String = "platform", reason: String, incident: String, duration: String,
        enforcer: String = "", parameters: [String: String] = [:]
    ) {
        self.verb = verb
        self.target = target
        self.scope = scope
        self.reason = reason
        self.incident = incident
        self.duration = duration
        self.enforcer = enforcer
        self.parameters = parameters
    }
}

/// A lease as pages and programs see it.
package struct LeaseView: Sendable, Equatable {
    package var id: String
    package var verb: String
    package var target: String
    package var scope: String
    package var reason: String
    package var incident: String
    package var enforcer: String
    package var parameters: [String: String]
    package var requestedBy: String
    package var requestedAt: Timestamp
    package var approvedBy: String?
    package var expiresAt: Timestamp
    /// `requested`, `refused`, `approved`, `applied`, `in_force`, `not_in_force`, `lifting`, `lifted`.
    package var phase: String
    /// Why it is refused, not in force, or not lifted yet.
    package var problem: String?
    /// `read_back`, `observed`, `probed`; `nil` while nothing shows that it holds.
    package var proof: String?
    package var provenAt: Timestamp?
    /// Whoever enforces it has fetched it, and cannot be asked for more.
    package var isDelivered: Bool
    /// Who told last what came of trying, and when.
    package var probedBy: String?
    package var probedAt: Timestamp?
    package var probeWasRefused: Bool?
    /// Lifted, and a query no longer shows it.
    package var isLiftProven: Bool
    /// `expired`, `undone`, `never_block`.
    package var liftedBecause: String?
    package var undoneBy: String?
    package var undoReason: String?
    /// When the phase began.
    package var since: Timestamp
    /// When everything that its enforcer should hold was read back last.
    package var checkedAt: Timestamp?
    package var role: Role

    package init(
        id: String, verb: String, target: String, scope: String, reason: String, incident: String, enforcer: String,
        parameters: [String: String], requestedBy: String, requestedAt: Timestamp, approvedBy: String?, expiresAt: Timestamp,
        phase: String, problem: String?, proof: String?, provenAt: Timestamp?, isDelivered: Bool,
        probedBy: String? = nil, probedAt: Timestamp? = nil, probeWasRefused: Bool? = nil, isLiftProven: Bool,
        liftedBecause: String?, undoneBy: String?, undoReason: String?, since: Timestamp, checkedAt: Timestamp?, role: Role
    ) {
        self.id = id
        self.verb = verb
        self.target = target
        self.scope = scope
        self.reason = reason
        self.incident = incident
        self.enforcer = enforcer
        self.parameters = parameters
        self.requestedBy = requestedBy
        self.requestedAt = requestedAt
        self.approvedBy = approvedBy
        self.expiresAt = expiresAt
        self.phase = phase
        self.problem = problem
        self.proof = proof
        self.provenAt = provenAt
        self.isDelivered = isDelivered
        self.probedBy = probedBy
        self.probedAt = probedAt
        self.probeWasRefused = probeWasRefused
        self.isLiftProven = isLiftProven
        self.liftedBecause = liftedBecause
        self.undoneBy = undoneBy
        self.undoReason = undoReason
        self.since = since
        self.checkedAt = checkedAt
        self.role = role
    }

    /// Neither refused nor lifted.
    package var isOpen: Bool { phase != "refused" && phase != "lifted" }
    package var canBeUndone: Bool { isOpen && phase != "lifting" && undoneBy == nil }
    package var verbWords: String { verb.split(separator: "_").joined(separator: " ") }
}

/// Who and how much of the last day's traffic a lease would have met.
package struct LeasePreview: Sendable {
    package var verb: String
    /// As the lease would have it: one IPv6 address becomes its /64.
    package var target: String
    /// `nil` where the archive cannot tell: there is none, or the target is nothing that lines name.
    package var requests: Int?
    package var accounts: [(name: String, requests: Int)]
    /// More accounts than are listed.
    package var moreAccounts: Int
    /// Not all of the day was looked at.
    package var isPartial: Bool
    /// Why policy would refuse it.
    package var objection: String?
    /// Leases that mean the same already.
    package var inForce: Int
    /// Whether policy would approve it by itself.
    package var needsApproval: Bool

    package init(
        verb: String, target: String, requests: Int?, accounts: [(name: String, requests: Int)], moreAccounts: Int,
        isPartial: Bool,
        objection: String?, inForce: Int, needsApproval: Bool
    ) {
        self.verb = verb
        self.target = target
        self.requests = requests
        self.accounts = accounts
        self.moreAccounts = moreAccounts
        self.isPartial = isPartial
        self.objection = objection
        self.inForce = inForce
        self.needsApproval = needsApproval
    }
}

package import Events

/// One containment measure: what is taken from whom, why, who agreed, until when, and what shows that it holds.
package struct Lease: Sendable, Hashable {
    package enum Verb: String, Sendable, Hashable, CaseIterable {
        case blockAddress = "block_address"
        case throttleAddress = "throttle_address"
        case revokeToken = "revoke_token"
        case revokeSessions = "revoke_sessions"
        case revokeEveryone = "revoke_everyone"
        case disableAccount = "disable_account"
        case forcePasswordReset = "force_password_reset"
        case maintenance
        case quarantineObject = "quarantine_object"
        case isolateService = "isolate_service"
        case stopService = "stop_service"
        case rotateKey = "rotate_key"
        case regenerateCanary = "regenerate_canary"

        /// Whether its target is an address or a network.
        package var isNetwork: Bool { self == .blockAddress || self == .throttleAddress }
    }

    /// How strong the proof is; only what was achieved is ever shown.
    package enum Proof: String, Sendable, Hashable, CaseIterable, Comparable {
        /// An independent query of the enforcer shows it.
        case readBack = "read_back"
        /// The attacker's later traffic was refused, by a counter or a log.
        case observed
        /// Tried from that very address: in tests and drills only.
        case probed

        private var rank: Int { Proof.allCases.firstIndex(of: self) ?? 0 }
        package static func < (left: Proof, right: Proof) -> Bool { left.rank < right.rank }
    }

    package enum Phase: Sendable, Hashable {
        case requested
        /// Refused by a never-block list, or for want of a person's consent.
        case refused(String)
        case approved
        /// The enforcer took the order; nothing shows yet that it holds.
        case applied
        case inForce(Proof)
        /// Wanted, and not so: pages.
        case notInForce(String)
        case lifting(LiftReason)
        case lifted(LiftReason, isProven: Bool)
    }

    package enum LiftReason: String, Sendable, Hashable, CaseIterable {
        case expired
        case undone
        case neverBlock = "never_block"
    }

    /// The same for the same order, also when it is asked for twice: the idempotency key.
    package var id: String
    package var verb: Verb
    /// An address, a network, an account, a token's id, an endpoint, a service.
    package var target: String
    /// Where it holds: `platform`, or the name of an application.
    package var scope: String
    package var reason: String
    package var incident: String
    package var requestedBy: String
    package var requestedAt: Timestamp
    package var expiresAt: Timestamp
    package var enforcer: String
    /// What the verb needs besides a target: `requests` and `seconds` of a throttle, `method` and `retry_after` of a maintenance,
    /// `before` of a revocation.
    package var parameters: [String: String]

    package init(
        id: String, verb: Verb, target: String, scope: String = "platform", reason: String, incident: String, requestedBy: String,
        requestedAt: Timestamp, expiresAt: Timestamp, enforcer: String, parameters: [String: String] = [:]
    ) {
        self.id = id
        self.verb = verb
        self.target = target
        self.scope = scope
        self.reason = reason
        self.incident = incident
        self.requestedBy = requestedBy
        self.requestedAt = requestedAt
        self.expiresAt = expiresAt
        self.enforcer = enforcer
        self.parameters = parameters
    }
}

/// What the journal says about leases.
package enum LeaseEvent: Sendable, Hashable {
    case requested(Lease)
    case refused(id: String, reason: String)
    case approved(id: String, by: String)
    case applied(id: String)
    /// Whoever enforces it has fetched it, and cannot be asked whether it holds.
    case delivered(id: String)
    case proven(id: String, Lease.Proof)
    case notInForce(id: String, reason: String)
    /// Somebody tried from that very address, or as that very account, in a test or a drill.
    case probed(id: String, wasRefused: Bool, by: String)
    case undoRequested(id: String, by: String, reason: String = "")
    case lifting(id: String, Lease.LiftReason)
    /// It should have ended, and the enforcer did not take the order.
    case notLifted(id: String, reason: String)
    /// The enforcer took the order; `isProven` once a query no longer shows it.
    case lifted(id: String, isProven: Bool)

    /// The lease it is about.
    package var id: String {
        switch self {
        case .requested(let lease): lease.id
        case .refused(let id, _), .approved(let id, _), .applied(let id), .delivered(let id), .proven(let id, _),
            .notInForce(let id, _), .probed(let id, _, _), .undoRequested(let id, _, _), .lifting(let id, _),
            .notLifted(let id, _), .lifted(let id, _):
            id
        }
    }
}

extension Lease.Verb {
    /// Of whom its target tells something.
    package var subjectKind: TargetKind {
        switch self {
        case .blockAddress, .throttleAddress: .address
        case .revokeSessions, .disableAccount, .forcePasswordReset: .account
        case .revokeToken, .revokeEveryone, .maintenance, .quarantineObject, .isolateService, .stopService, .rotateKey,
            .regenerateCanary:
            .thing
        }
    }

    package enum TargetKind: Sendable {
        case address
        case account
        case thing
    }
}

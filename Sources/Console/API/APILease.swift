import Events

/// A lease for programs, the same from the API and from `vigie lease … --json`.
package struct APILease: Encodable, Sendable {
    var id: String
    var verb: String
    var target: String
    var scope: String
    var reason: String
    var incident: String
    var enforcer: String
    var parameters: [String: String]
    var requestedBy: String
    var requestedAt: String
    var approvedBy: String?
    var expiresAt: String
    var phase: String
    var problem: String?
    /// Only what was achieved: `read_back`, `observed` or `probed`.
    var proof: String?
    var provenAt: String?
    var delivered: Bool
    var probedBy: String?
    var probedAt: String?
    var probeRefused: Bool?
    var liftProven: Bool
    var liftedBecause: String?
    var undoneBy: String?
    var undoReason: String?
    var since: String
    var checkedAt: String?

    package init(_ lease: LeaseView) {
        id = lease.id
        verb = lease.verb
        target = lease.target
        scope = lease.scope
        reason = lease.reason
        incident = lease.incident
        enforcer = lease.enforcer
        parameters = lease.parameters
        requestedBy = lease.requestedBy
        requestedAt = lease.requestedAt.rfc3339
        approvedBy = lease.approvedBy
        expiresAt = lease.expiresAt.rfc3339
        phase = lease.phase
        problem = lease.problem
        proof = lease.proof
        provenAt = lease.provenAt?.rfc3339
        delivered = lease.isDelivered
        probedBy = lease.probedBy
        probedAt = lease.probedAt?.rfc3339
        probeRefused = lease.probeWasRefused
        liftProven = lease.isLiftProven
        liftedBecause = lease.liftedBecause
        undoneBy = lease.undoneBy
        undoReason = lease.undoReason
        since = lease.since.rfc3339
        checkedAt = lease.checkedAt?.rfc3339
    }
}

package struct APILeaseList: Encodable, Sendable {
    var leases: [APILease]

    package init(_ leases: [LeaseView]) { self.leases = leases.map(APILease.init) }
}

/// The blast radius of a lease that is not ordered yet.
package struct APILeasePreview: Encodable, Sendable {
    struct Account: Encodable, Sendable {
        var name: String
        var requests: Int
    }

    var verb: String
    var target: String
    var requestsInDay: Int?
    var accounts: [Account]
    var moreAccounts: Int
    var partial: Bool
    var objection: String?
    var alreadyInForce: Int
    var needsApproval: Bool

    package init(_ preview: LeasePreview) {
        verb = preview.verb
        target = preview.target
        requestsInDay = preview.requests
        accounts = preview.accounts.map { Account(name: $0.name, requests: $0.requests) }
        moreAccounts = preview.moreAccounts
        partial = preview.isPartial
        objection = preview.objection
        alreadyInForce = preview.inForce
        needsApproval = preview.needsApproval
    }
}

package import Events

/// All leases and where they stand: what their entries say. Pure; ``next(now:policy:)`` says what is to be done.
///
/// A process that dies loses nothing: orders are repeated under the lease's id, which enforcers honour, and whatever should have
/// ended meanwhile is lifted first.
package struct LeaseBook: Sendable, Hashable {
    package struct Standing: Sendable, Hashable {
        package var lease: Lease
        package var phase: Lease.Phase
        package var approvedBy: String?
        /// When the phase began.
        package var since: Timestamp
        /// The strongest proof there was.
        package var proof: Lease.Proof?
        package var provenAt: Timestamp?
        package var undoneBy: String?
    }

    package private(set) var standings: [String: Standing] = [:]
    /// Approvals that no person gave, for the budget.
    private var automatic: [Timestamp] = []

    package init() {}

    package init(replaying entries: some Sequence<(Timestamp, LeaseEvent)>) {
        for (time, event) in entries { apply(event, at: time) }
    }

    /// The account under which policy approves.
    package static let policyActor = "system"

    package mutating func apply(_ event: LeaseEvent, at time: Timestamp) {
        switch event {
        case .requested(let lease):
            guard standings[lease.id] == nil else { return }
            standings[lease.id] = Standing(lease: lease, phase: .requested, since: time)
        case .refused(let id, let reason): change(id, to: .refused(reason), at: time) { $0 == .requested }
        case .approved(let id, let person):
            change(id, to: .approved, at: time) { $0 == .requested }
            guard standings[id]?.phase == .approved, standings[id]?.approvedBy == nil else { return }
            standings[id]?.approvedBy = person
            if person == Self.policyActor { automatic.append(time) }
        case .applied(let id): change(id, to: .applied, at: time) { $0.wantsForce }
        case .proven(let id, let proof):
            guard let standing = standings[id], standing.phase.wantsForce else { return }
            let strongest = max(proof, standing.proof ?? proof)
            if standing.phase != .inForce(strongest) { change(id, to: .inForce(strongest), at: time) { _ in true } }
            standings[id]?.proof = strongest
            standings[id]?.provenAt = time
        case .notInForce(let id, let reason):
            change(id, to: .notInForce(reason), at: time) { $0.wantsForce }
            // What it once proved does not count for what it proves next.
            standings[id]?.proof = nil
        case .undoRequested(let id, let person):
            guard let standing = standings[id], standing.phase.wantsForce || standing.phase == .requested else { return }
            standings[id]?.undoneBy = person
        case .lifting(let id, let reason): change(id, to: .lifting(reason), at: time) { $0.wantsForce || $0 == .requested }
        case .lifted(let id, let isProven):
            switch standings[id]?.phase {
            case .lifting(let reason), .lifted(let reason, false):
                standings[id]?.phase = .lifted(reason, isProven: isProven)
                standings[id]?.since = time
            default: return
            }
        }
    }

    private mutating func change(_ id: String, to phase: Lease.Phase, at time: Timestamp, from allowed: (Lease.Phase) -> Bool) {
        guard var standing = standings[id], allowed(standing.phase) else { return }
        standing.phase = phase
        standing.since = time
        standings[id] = standing
    }

    /// What is to be done now, liftings first: a block that outlives its end harms more than one that comes late.
    package func next(now: Timestamp, policy: LeasePolicy) -> [LeaseIntent] {
        var lifts: [LeaseIntent] = []
        var orders: [LeaseIntent] = []
        var spent = automatic.count { now.nanoseconds(since: $0) < 3_600_000_000_000 }
        for standing in standings.values.sorted(by: { ($0.lease.requestedAt, $0.lease.id) < ($1.lease.requestedAt, $1.lease.id) })
        {
            let lease = standing.lease
            switch standing.phase {
            case .refused, .lifted(_, isProven: true): continue
            case .lifting: lifts.append(.lift(lease))
            case .lifted(_, isProven: false): lifts.append(.readBackGone(lease))
            case .requested, .approved, .applied, .inForce, .notInForce:
                if let reason = liftReason(standing, now, policy) {
                    let wasOrdered = standing.phase != .requested && standing.phase != .approved
                    lifts.append(
                        wasOrdered
                            ? .record(.lifting(id: lease.id, reason)) : .record(.refused(id: lease.id, reason: reason.rawValue)))
                    if standing.phase == .approved { lifts[lifts.count - 1] = .record(.lifting(id: lease.id, reason)) }
                    continue
                }
                orders += force(standing, now, policy, &spent)
            }
        }
        return lifts + orders
    }

    private func liftReason(_ standing: Standing, _ now: Timestamp, _ policy: LeasePolicy) -> Lease.LiftReason? {
        if standing.undoneBy != nil { return .undone }
        if now >= standing.lease.expiresAt { return .expired }
        if standing.phase != .requested, policy.objection(to: standing.lease.verb, standing.lease.target) != nil {
            return .neverBlock
        }
        return nil
    }

    private func force(_ standing: Standing, _ now: Timestamp, _ policy: LeasePolicy, _ spent: inout Int) -> [LeaseIntent] {
        let lease = standing.lease
        switch standing.phase {
        case .requested:
            if let objection = policy.objection(to: lease.verb, lease.target) {
                return [.record(.refused(id: lease.id, reason: objection))]
            }
            guard spent < policy.budgetPerHour else {
                return [.ask(lease, "\(spent) automatic leases within the hour: the budget is spent")]
            }
            spent += 1
            return [.record(.approved(id: lease.id, by: Self.policyActor))]
        case .approved: return [.apply(lease)]
        case .applied:
            let limit = standing.since.advanced(bySeconds: policy.proofWithin)
            if now >= limit {
                return [.record(.notInForce(id: lease.id, reason: "not read back within \(policy.proofWithin) s"))]
            }
            return [.readBack(lease)]
        case .inForce:
            let due = (standing.provenAt ?? standing.since).advanced(bySeconds: policy.proofEvery)
            return now >= due ? [.readBack(lease)] : []
        // Shown as not in force, paged, and tried again: the order is idempotent.
        case .notInForce(let reason): return [.page(lease, reason), .apply(lease)]
        case .refused, .lifting, .lifted: return []
        }
    }

    /// When ``next(now:policy:)`` has something new to say at the latest.
    package func nextWake(policy: LeasePolicy) -> Timestamp? {
        standings.values.compactMap { standing -> Timestamp? in
            switch standing.phase {
            case .refused, .lifted(_, isProven: true): nil
            case .inForce:
                min(standing.lease.expiresAt, (standing.provenAt ?? standing.since).advanced(bySeconds: policy.proofEvery))
            default: standing.lease.expiresAt
            }
        }.min()
    }
}

extension Lease.Phase {
    /// Approved, and neither ended nor ending.
    package var wantsForce: Bool {
        switch self {
        case .approved, .applied, .inForce, .notInForce: true
        case .requested, .refused, .lifting, .lifted: false
        }
    }
}

package enum LeaseIntent: Sendable, Hashable {
    case record(LeaseEvent)
    /// A person has to agree first.
    case ask(Lease, String)
    case apply(Lease)
    case readBack(Lease)
    case lift(Lease)
    case readBackGone(Lease)
    case page(Lease, String)
}

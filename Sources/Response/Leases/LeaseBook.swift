package import Events

/// All leases and where they stand: what their entries say. Pure; ``intent(for:now:policy:)`` says what is to be done about one.
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
        /// The strongest proof there was since it came into force last.
        package var proof: Lease.Proof?
        package var provenAt: Timestamp?
        /// Whoever enforces it has it, and cannot be asked for more.
        package var isDelivered = false
        /// Who told last what came of trying, and whether it was refused.
        package var probe: Probe?
        package var undoneBy: String?
        package var undoReason: String?
        /// Why it could not be lifted, for as long as that is so.
        package var trouble: String?
    }

    package struct Probe: Sendable, Hashable {
        package var by: String
        package var wasRefused: Bool
        package var at: Timestamp
    }

    package private(set) var standings: [String: Standing] = [:]
    /// Approvals that no person gave within the last hour, for the budget.
    private var automatic: [Timestamp] = []

    package init() {}

    package init(replaying entries: some Sequence<(Timestamp, LeaseEvent)>) {
        for (time, event) in entries { apply(event, at: time) }
    }

    /// The account under which policy approves.
    package static let policyActor = "system"
    private static let hour: Int64 = 3_600_000_000_000

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
            guard person == Self.policyActor else { return }
            // Not for each: a budget of a hundred thousand would be gone through as often.
            if let first = automatic.first, time.nanoseconds(since: first) >= Self.hour {
                automatic.removeAll { time.nanoseconds(since: $0) >= Self.hour }
            }
            automatic.append(time)
        case .applied(let id):
            change(id, to: .applied, at: time) { $0.wantsForce }
            standings[id]?.isDelivered = false
        case .delivered(let id):
            guard standings[id]?.phase == .applied else { return }
            standings[id]?.isDelivered = true
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
            standings[id]?.isDelivered = false
        case .probed(let id, let wasRefused, let person):
            guard let phase = standings[id]?.phase, phase.wantsForce, phase != .approved else { return }
            standings[id]?.probe = Probe(by: person, wasRefused: wasRefused, at: time)
            // A probe that came through outweighs what the enforcer says.
            let event: LeaseEvent =
                wasRefused
                ? .proven(id: id, .probed) : .notInForce(id: id, reason: "a probe was served that it should have refused")
            apply(event, at: time)
        case .undoRequested(let id, let person, let reason):
            guard let standing = standings[id], standing.phase.wantsForce || standing.phase == .requested else { return }
            standings[id]?.undoneBy = person
            standings[id]?.undoReason = reason.isEmpty ? nil : reason
        case .lifting(let id, let reason): change(id, to: .lifting(reason), at: time) { $0.wantsForce || $0 == .requested }
        case .notLifted(let id, let reason):
            guard case .lifting? = standings[id]?.phase else { return }
            standings[id]?.trouble = reason
        case .lifted(let id, let isProven):
            switch standings[id]?.phase {
            case .lifting(let reason), .lifted(let reason, false):
                standings[id]?.phase = .lifted(reason, isProven: isProven)
                standings[id]?.since = time
                standings[id]?.trouble = nil
            default: return
            }
        }
    }

    private mutating func change(_ id: String, to phase: Lease.Phase, at time: Timestamp, from allowed: (Lease.Phase) -> Bool) {
        guard var standing = standings[id], allowed(standing.phase) else { return }
        // A reason that changes does not make it a new trouble.
        if case (.notInForce, .notInForce) = (standing.phase, phase) {} else { standing.since = time }
        standing.phase = phase
        standings[id] = standing
    }

    /// Leases that policy approved by itself within the hour before.
    package func spent(now: Timestamp) -> Int { automatic.count { now.nanoseconds(since: $0) < Self.hour } }

    /// What is to be done now, liftings first: a block that outlives its end harms more than one that comes late.
    package func next(now: Timestamp, policy: LeasePolicy) -> [LeaseIntent] {
        var lifts: [LeaseIntent] = []
        var orders: [LeaseIntent] = []
        var spent = spent(now: now)
        for standing in standings.values.sorted(by: { ($0.lease.requestedAt, $0.lease.id) < ($1.lease.requestedAt, $1.lease.id) })
        {
            guard let intent = intent(for: standing.lease.id, now: now, policy: policy, spent: spent) else { continue }
            if case .record(.approved) = intent { spent += 1 }
            if intent.isLift { lifts.append(intent) } else { orders.append(intent) }
            if case .notInForce(let reason) = standing.phase, case .apply(let lease) = intent {
                orders.insert(.page(lease, reason), at: orders.count - 1)
            }
        }
        return lifts + orders
    }

    /// What is to be done about one lease now; `nil` where nothing is.
    ///
    /// - Parameter spent: of the hour's budget; by default what ``spent(now:)`` says.
    package func intent(for id: String, now: Timestamp, policy: LeasePolicy, spent: Int? = nil) -> LeaseIntent? {
        guard let standing = standings[id] else { return nil }
        let lease = standing.lease
        switch standing.phase {
        case .refused, .lifted(_, isProven: true): return nil
        case .lifting: return .lift(lease)
        case .lifted(_, isProven: false): return .readBackGone(lease)
        case .requested, .approved, .applied, .inForce, .notInForce: break
        }
        if let reason = liftReason(standing, now, policy) {
            return .record(standing.phase == .requested ? .refused(id: id, reason: reason.rawValue) : .lifting(id: id, reason))
        }
        switch standing.phase {
        case .requested:
            if let objection = policy.objection(to: lease.verb, lease.target) {
                return .record(.refused(id: id, reason: objection))
            }
            if policy.asksFor.contains(lease.verb) {
                return .ask(lease, "\(lease.verb.words) is never done without a person's consent")
            }
            let spent = spent ?? self.spent(now: now)
            guard spent < policy.budgetPerHour else {
                return .ask(lease, "\(spent) automatic leases within the hour: the budget is spent")
            }
            return .record(.approved(id: id, by: Self.policyActor))
        // Shown as not in force, and tried again: the order is idempotent.
        case .approved, .notInForce: return .apply(lease)
        case .applied:
            let patience = policy.proofWithin(lease.enforcer)
            if !standing.isDelivered, now >= standing.since.advanced(bySeconds: patience) {
                return .record(.notInForce(id: id, reason: "not read back within \(patience) s"))
            }
            return .readBack(lease)
        case .inForce:
            let due = (standing.provenAt ?? standing.since).advanced(bySeconds: policy.proofEvery)
            return now >= due ? .readBack(lease) : nil
        case .refused, .lifting, .lifted: return nil
        }
    }

    private func liftReason(_ standing: Standing, _ now: Timestamp, _ policy: LeasePolicy) -> Lease.LiftReason? {
        if standing.undoneBy != nil { return .undone }
        if now >= standing.lease.expiresAt { return .expired }
        if standing.phase != .requested, policy.objection(to: standing.lease.verb, standing.lease.target) != nil {
            return .neverBlock
        }
        return nil
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

    /// Over, and shown to be over.
    package var isOver: Bool {
        switch self {
        case .refused, .lifted(_, isProven: true): true
        default: false
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

    fileprivate var isLift: Bool {
        switch self {
        case .lift, .readBackGone, .record(.lifting), .record(.refused): true
        default: false
        }
    }
}

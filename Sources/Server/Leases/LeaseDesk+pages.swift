import Events
import Incidents
import Logging
import Response

/// Containment that is wanted and is not there, or that should have ended and has not, wakes somebody up.
extension LeaseDesk {
    /// One page for each incident and enforcer, however many leases it is about; the next one only after it was well in between.
    func page() async throws {
        // While an enforcer is away that holds very many, the desk has better to do than to count them at each turn.
        if troubled.count > 1_000, let last = lookedForOutages, ContinuousClock.now < last + .seconds(1) { return }
        lookedForOutages = ContinuousClock.now
        let time = now()
        var outages: [String: (incident: String, enforcer: String, count: Int, reason: String)] = [:]
        for id in troubled {
            guard let standing = book.standings[id], time.nanoseconds(since: standing.since) >= pageAfter * 1_000_000_000 else {
                continue
            }
            let (lease, reason) = (standing.lease, LeaseDesk.reason(standing))
            let key = "\(lease.incident)/lease/\(lease.enforcer)"
            let count = (outages[key]?.count ?? 0) + 1
            outages[key] = (lease.incident, lease.enforcer, count, min(outages[key]?.reason ?? reason, reason))
        }
        for (key, outage) in outages.sorted(by: { $0.key < $1.key }) where !pagedOutages.contains(key) {
            let text =
                "Containment not in force: \(outage.count) lease\(outage.count == 1 ? "" : "s") on \(outage.enforcer): "
                + String(outage.reason.prefix(200))
            let policies = policies.current
            try await recorder.decide(at: time) { ledger in
                guard let incident = ledger[outage.incident] else { return [] }
                return EscalationPlan.containment(
                    of: incident, key: "lease/\(outage.enforcer)/\(time.seconds)", text: text, policies, at: time
                ).map { .page($0) }
            }
            logger.error("\(outage.incident): \(text)")
            pagedOutages.insert(key)
        }
        for key in pagedOutages where outages[key] == nil {
            let (incident, prefix) = (
                String(key.prefix { $0 != "/" }), key.split(separator: "/").dropFirst().joined(separator: "/")
            )
            try await recorder.decide(at: time) { ledger in
                guard let incident = ledger[incident] else { return [] }
                return EscalationPlan.containmentIsBack(of: incident, key: prefix, at: time).map { .page($0) }
            }
            logger.notice("\(key): in force, or lifted, again")
            pagedOutages.remove(key)
        }
    }

    private static func reason(_ standing: LeaseBook.Standing) -> String {
        if case .notInForce(let reason) = standing.phase { return reason }
        return "it cannot be lifted: \(standing.trouble ?? "")"
    }

    // MARK: Never blocked

    /// People who are signed in are not locked out, from where they are.
    func protect(operator name: String, at address: String, seconds: Int64 = 43_200) {
        guard let address = IPAddress(address) else { return }
        operators["\(address)"] = ("the session of \(name)", now().advanced(bySeconds: seconds))
        protectedAt = nil
        bell.ring()
    }

    /// Puts the never-block list together anew, now and then; what it meets is lifted.
    func protectOperators() {
        let time = now()
        if let last = protectedAt, time >= last, time.nanoseconds(since: last) < 30_000_000_000 { return }
        protectedAt = time
        operators = operators.filter { $0.value.until > time }
        var list = basePolicy.neverBlock + ownAddresses()
        for (address, session) in operators.sorted(by: { $0.key < $1.key }) {
            if let block = AddressBlock(address) { list.append(.init(block, owner: session.owner)) }
        }
        guard list != policy.neverBlock else { return }
        policy.neverBlock = list
        for standing in book.standings.values where standing.phase.wantsForce && standing.lease.verb.isNetwork {
            if policy.objection(to: standing.lease.verb, standing.lease.target) != nil { schedule.set(standing.lease.id, time) }
        }
    }

    /// Reads a lease back at once, whenever it was looked at last.
    ///
    /// - Throws: `LeaseRefusal` where there is none of that id.
    func prove(id: String) async throws -> LeaseBook.Standing {
        let standing = try known(id)
        if let enforcer = enforcers.first(where: { $0.name == standing.lease.enforcer }), standing.phase.wantsForce {
            let events = await enforcer.carryOut(.readBack(standing.lease), now: now())
            try await record(at: now()) { book in events.filter { LeaseDesk.isNews($0, book) } }
        }
        return book.standings[id] ?? standing
    }

    /// What somebody has seen who tried from that very address, or as that very account.
    ///
    /// An incident that is real has no such proof: nobody but the attacker can try as the attacker. A probe that came through outweighs
    /// what the enforcer says: the lease is not in force, and is ordered anew.
    ///
    /// - Throws: `LeaseRefusal` where the lease does not stand, or its incident is no test and no drill.
    func probed(id: String, wasRefused: Bool, by person: String) async throws {
        let standing = try known(id)
        guard let kind = await recorder.incident(standing.lease.incident)?.kind, kind == .test || kind == .drill else {
            throw LeaseRefusal(
                .notAllowed,
                "\(standing.lease.incident) is neither a test nor a drill: nobody can try from an attacker's address",
                "`vigie lease proof` says what the enforcer shows")
        }
        guard standing.phase.wantsForce, standing.phase != .approved else {
            throw LeaseRefusal(.notAllowed, "\(id) does not stand", "try while it is in force")
        }
        let written = try await record(at: now()) { book in
            // It may have ended in between.
            [LeaseEvent.probed(id: id, wasRefused: wasRefused, by: person)].filter { LeaseDesk.isNews($0, book) }
        }
        guard !written.isEmpty else {
            throw LeaseRefusal(.notAllowed, "\(id) does not stand any more", "try while it is in force")
        }
        bell.ring()
    }
}

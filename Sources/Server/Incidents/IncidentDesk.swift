package import Events
import Identity
package import Incidents
import Storage

/// Where people's orders are carried out: from the console, the API, and commands.
package struct IncidentDesk: Sendable {
    let recorder: Recorder
    let projections: Projections
    let inForce: PoliciesInForce
    let now: @Sendable () -> Timestamp
    /// The id of the account that somebody means by its name or id.
    var accountID: @Sendable (_ text: String) async throws -> String?
    var ranking = RiskRanking()

    package var policies: Policies { inForce.current }

    /// - Returns: the incident afterwards.
    /// - Throws: `IncidentRefusal` when it cannot be done; nothing was then.
    @discardableResult
    package func carryOut(_ order: IncidentOrder) async throws -> IncidentState? {
        var order = order
        if case .restrict(let names) = order.verb {
            order.verb = .restrict(readers: try await readers(names, by: order.author))
        }
        if case .split(let title, let findings, let entities) = order.verb, entities.isEmpty {
            let entities = try await projections.entities(ofFindings: findings)
            order.verb = .split(title: title, findings: findings, entities: entities)
        }
        let (policies, time) = (policies, now())
        let check = { @Sendable [projections, order] in
            guard case .split(_, let findings, _) = order.verb else { return }
            guard try await projections.holds(order.incident, findings: findings) else {
                throw IncidentRefusal(
                    .invalid, "one of these findings is not of \(order.incident)", "see `vigie incidents show \(order.incident)`")
            }
        }
        try await recorder.decide(at: time, after: check) { [order] in try $0.decide(order, policies: policies, now: time) }
        return await recorder.incident(order.incident)
    }

    /// The ids of accounts that are called by name or id. Whoever restricts an incident goes on knowing of it.
    private func readers(_ names: [String], by author: Author) async throws -> [String] {
        var ids: [String] = []
        for name in names {
            guard let id = try await accountID(name) else {
                throw IncidentRefusal(
                    .invalid, "there is no account '\(name.prefix(64))'", "name accounts of people who can sign in")
            }
            if !ids.contains(id) { ids.append(id) }
        }
        if author.isAccount, !ids.contains(author.id) { ids.append(author.id) }
        return ids
    }

    /// Opens an incident on somebody's word.
    ///
    /// - Returns: its id, or that of the incident which the same request has opened before.
    package func open(
        title: String, severity: Severity, kind: IncidentKind, author: Author, request: String?
    ) async throws -> String? {
        let time = now()
        let events = try await recorder.decide(at: time) {
            try $0.open(title: title, severity: severity, kind: kind, author: author, request: request, now: time)
        }
        if let opened = events.first?.incident { return opened }
        guard let request else { return nil }
        return await recorder.incident(ofRequest: request)
    }

    /// Takes a mail in: as a note in the incident that it answers, or as one of its own.
    ///
    /// - Returns: the incident.
    package func take(_ mail: ReportedMail, severity: Severity) async throws -> String {
        let (policies, time) = (policies, now())
        try await recorder.decide(at: time) { ledger in
            let thread = ledger.thread(of: mail) { ReportedMail.key(ofPage: $0.key) }
            return try ledger.take(mail, severity: severity, thread: thread, policies: policies, now: time)
        }
        guard let incident = await recorder.incident(ofRequest: mail.request) else {
            throw IncidentRefusal(.unknownIncident, "the mail belongs to no incident", "look into the server's log")
        }
        return incident
    }
}

extension IncidentDesk: IncidentStateReading {
    package func state(of incident: String) async -> IncidentState? { await recorder.incident(incident) }

    package func states() async -> [IncidentState] { await recorder.incidents() }

    package func risks(of entities: [IncidentEntity], for reader: IncidentReader?, at now: Timestamp) async -> [RiskView] {
        await recorder.riskSheet(for: reader).views(of: entities, by: policies.risk, at: now)
    }

    package func worstRisks(for reader: IncidentReader?, at now: Timestamp, limit: Int) async -> [RiskView] {
        await ranking.worst(by: policies.risk, at: now, limit: limit) { await recorder.riskSheet(for: reader) }
    }
}

extension AccountStore {
    /// The id of the account that somebody means by its name or id.
    func accountID(of text: String) async throws -> String? {
        if let account = try await account(id: text) { return account.id }
        guard let name = AccountName.normalized(text) else { return nil }
        return try await account(named: name)?.id
    }
}

package import Events

extension IncidentBook {
    /// What a finding makes of its incident under a policy, and why where the rule alone would make something else of it.
    struct Rating: Equatable {
        var severity: Severity
        /// What adds up; `nil` where the rule decides.
        var risk: EntityRisk?
    }

    /// - Parameters:
    ///   - record: a finding that is not recorded yet.
    ///   - incident: that it is to be in.
    func rating(of record: FindingRecord, in incident: String, by policy: RiskPolicy) -> Rating {
        let risk = RiskBook.subjects(of: record).compactMap { entity, among in
            policy.risk(
                of: entity, risks.record(of: entity, with: record, in: incident, among: among), at: record.time,
                incident: { counted($0, in: incident) })
        }.max { ($0.score, $1.entity.kind.rawValue) < ($1.score, $0.entity.kind.rawValue) }
        let byRisk = risk.flatMap(policy.severity) ?? .low
        if policy.isAttempt(record) { return Rating(severity: byRisk, risk: risk) }
        return byRisk > record.severity ? Rating(severity: byRisk, risk: risk) : Rating(severity: record.severity)
    }

    /// Where a finding of `incident` is by now; `nil` where it says nothing about another incident: of a restricted one nobody else may
    /// learn, and what people found to be false counts for nothing.
    private func counted(_ incident: String, in other: String) -> String? {
        let id = current(incident)
        guard id != other else { return id }
        guard let home = active[id], !home.isRestricted, !home.isDismissed else { return nil }
        return id
    }

    /// The risk of an entity as somebody may see it; `nil` where nothing adds up.
    ///
    /// - Parameters:
    ///   - time: `nil` for when it was last seen.
    ///   - isReadable: whether they may know of an incident.
    package func risk(
        of entity: IncidentEntity, by policy: RiskPolicy, at time: Timestamp? = nil, isReadable: (String) -> Bool = { _ in true }
    ) -> EntityRisk? {
        let subject = entity.subjectOfRisk
        guard let record = risks[subject] else { return nil }
        return policy.risk(of: subject, record, at: time) { incident in
            let id = current(incident)
            guard let home = active[id], !home.isDismissed, isReadable(id) else { return nil }
            return id
        }
    }
}

extension IncidentLedger {
    /// What adds up against these, as the reader may know of it.
    package func risks(
        of entities: [IncidentEntity], by policy: RiskPolicy, for reader: IncidentReader?, at now: Timestamp
    ) -> [RiskView] {
        // An entity is asked about by each of its addresses, and shown once.
        var seen: Set<IncidentEntity> = []
        return entities.map(\.subjectOfRisk).filter { seen.insert($0).inserted }.compactMap {
            view(of: $0, by: policy, for: reader, at: now)
        }
    }

    /// Those against which most adds up now, the worst first; equals by kind and name.
    package func worstRisks(
        by policy: RiskPolicy, for reader: IncidentReader?, at now: Timestamp, limit: Int
    ) -> [RiskView] {
        let isReadable = isReadable(reader)
        let scores = book.risks.entities.compactMap { entity in
            book.risk(of: entity, by: policy, at: now, isReadable: isReadable).map { ($0.score, entity) }
        }.sorted {
            ($1.0, $0.1.kind.rawValue, $0.1.value ?? "") < ($0.0, $1.1.kind.rawValue, $1.1.value ?? "")
        }
        return scores.prefix(max(limit, 0)).compactMap { view(of: $0.1, by: policy, for: reader, at: now) }
    }

    private func view(
        of entity: IncidentEntity, by policy: RiskPolicy, for reader: IncidentReader?, at now: Timestamp
    ) -> RiskView? {
        let isReadable = isReadable(reader)
        guard let risk = book.risk(of: entity, by: policy, isReadable: isReadable) else { return nil }
        // Logs may be ahead of this clock: nothing is gone by then.
        let rest = book.risk(of: entity, by: policy, at: max(now, risk.at), isReadable: isReadable)
        return RiskView(risk: risk, now: rest?.score ?? 0)
    }

    private func isReadable(_ reader: IncidentReader?) -> (String) -> Bool {
        { id in reader.map { incidents[id]?.isReadable(by: $0.account, named: $0.name) ?? false } ?? true }
    }
}

extension EntityRisk {
    /// What adds up, in one sentence without personal data.
    var sentence: String {
        let shown = parts.prefix(EntityRisk.partsInSentence).map { part in
            let times = part.findings.count > 1 ? " (\(part.findings.count) findings)" : ""
            return "'\(part.ruleTitle)' \(EntityRisk.text(part.points))\(times)"
        }
        let rest = parts.dropFirst(EntityRisk.partsInSentence).reduce(0) { $0 + $1.points }
        let kind = entity.kind == .address ? "address" : "account"
        return "the risk of the \(kind) is \(EntityRisk.text(score)): \(shown.joined(separator: ", "))"
            + (rest > 0 ? ", others \(EntityRisk.text(rest))" : "")
    }

    private static let partsInSentence = 4

    /// With one digit behind the point: `63.5`.
    package static func text(_ points: Double) -> String {
        let tenths = Int64((points * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

import Events

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
        return restricted.contains(id) || dismissed.contains(id) ? nil : id
    }

    /// - Parameter hidden: incidents that whoever asks may not know of.
    func riskSheet(hiding hidden: Set<String> = []) -> RiskSheet {
        RiskSheet(risks: risks, merged: merged, dismissed: dismissed, hidden: hidden)
    }
}

extension IncidentLedger {
    /// What is held against addresses and accounts, as the reader may know of it.
    package func riskSheet(for reader: IncidentReader?) -> RiskSheet {
        guard let reader else { return book.riskSheet() }
        return book.riskSheet(
            hiding: book.restricted.filter { incidents[$0]?.isReadable(by: reader.account, named: reader.name) != true })
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

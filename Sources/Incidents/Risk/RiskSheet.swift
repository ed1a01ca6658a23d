package import Events

/// What is held against addresses and accounts, as one reader may know of it, taken out of the ledger: nothing that is recorded has to wait
/// while it is weighed.
///
/// It shares its storage with the ledger; to be let go of soon, since the next finding copies what is shared.
package struct RiskSheet: Sendable {
    let risks: RiskBook
    /// Where the findings of incidents go that were merged.
    let merged: [String: String]
    /// Incidents that people found to be none: they count for nothing.
    let dismissed: Set<String>
    /// Incidents that the reader may not know of: nothing of them is told.
    let hidden: Set<String>

    /// What adds up against these.
    package func views(of entities: [IncidentEntity], by policy: RiskPolicy, at now: Timestamp) -> [RiskView] {
        // An entity is asked about by each of its addresses, and shown once.
        var seen: Set<IncidentEntity> = []
        return entities.map(\.subjectOfRisk).filter { seen.insert($0).inserted }.compactMap { view(of: $0, by: policy, at: now) }
    }

    /// Those against which most adds up now, the worst first; equals by kind and name.
    package func worst(by policy: RiskPolicy, at now: Timestamp, limit: Int) -> [RiskView] {
        ranked(by: policy, at: now, limit: limit).worst.compactMap { view(of: $0.entity, by: policy, at: now) }
    }

    /// - Parameter time: `nil` for when it was last seen.
    /// - Returns: `nil` where nothing adds up.
    func risk(of entity: IncidentEntity, by policy: RiskPolicy, at time: Timestamp? = nil) -> EntityRisk? {
        let subject = entity.subjectOfRisk
        return risks[subject].flatMap { policy.risk(of: subject, $0, at: time, incident: counted) }
    }

    /// - Returns: the worst, and how many were weighed for that: of the others it is certain that they are not among them.
    func ranked(by policy: RiskPolicy, at now: Timestamp, limit: Int) -> (worst: [Ranked], weighed: Int) {
        guard limit > 0 else { return ([], 0) }
        let bounds = risks.records.map { (most: policy.mostRisk(of: $1, at: now), entity: $0) }.sorted { $0.most > $1.most }
        var (worst, weighed) = ([Ranked](), 0)
        for (most, entity) in bounds {
            if worst.count == limit, let least = worst.last, most < least.score { break }
            weighed += 1
            guard let score = risk(of: entity, by: policy, at: now)?.score else { continue }
            let found = Ranked(score: score, entity: entity)
            worst.insert(found, at: worst.firstIndex { found < $0 } ?? worst.endIndex)
            if worst.count > limit { worst.removeLast() }
        }
        return (worst, weighed)
    }

    struct Ranked: Comparable {
        var score: Double
        var entity: IncidentEntity

        /// The worse is before the other.
        static func < (left: Ranked, right: Ranked) -> Bool {
            (right.score, left.entity.kind.rawValue, left.entity.value ?? "")
                < (left.score, right.entity.kind.rawValue, right.entity.value ?? "")
        }
    }

    private func view(of entity: IncidentEntity, by policy: RiskPolicy, at now: Timestamp) -> RiskView? {
        guard let risk = risk(of: entity, by: policy) else { return nil }
        // Logs may be ahead of this clock: nothing is gone by then.
        let rest = self.risk(of: entity, by: policy, at: max(now, risk.at))
        return RiskView(risk: risk, now: rest?.score ?? 0)
    }

    /// Where a finding of an incident is by now; `nil` where it counts for nothing.
    private func counted(_ incident: String) -> String? {
        let id = IncidentBook.end(of: incident, merged)
        return dismissed.contains(id) || hidden.contains(id) ? nil : id
    }
}

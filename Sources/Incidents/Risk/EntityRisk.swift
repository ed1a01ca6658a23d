import Detection
package import Events

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How much adds up against an address or an account, and what it is made of: its parts add up to the score.
package struct EntityRisk: Sendable, Equatable {
    /// What one rule's findings come to.
    package struct Part: Sendable, Equatable {
        package var ruleID: String
        package var ruleTitle: String
        package var level: String
        package var category: String
        package var points: Double
        /// Newest first.
        package var findings: [Finding]

        package init(
            ruleID: String, ruleTitle: String, level: String, category: String, points: Double, findings: [Finding]
        ) {
            self.ruleID = ruleID
            self.ruleTitle = ruleTitle
            self.level = level
            self.category = category
            self.points = points
            self.findings = findings
        }
    }

    package struct Finding: Sendable, Equatable {
        package var id: String
        /// Where it is by now.
        package var incident: String
        package var at: Timestamp

        package init(id: String, incident: String, at: Timestamp) {
            self.id = id
            self.incident = incident
            self.at = at
        }
    }

    package var entity: IncidentEntity
    package var score: Double
    /// The time for which it is.
    package var at: Timestamp
    package var lastSeen: Timestamp
    /// Accounts that failed one by one from this address, where they make it a shared one.
    package var sharedBy: Int?
    /// The heaviest first.
    package var parts: [Part]

    package init(
        entity: IncidentEntity, score: Double, at: Timestamp, lastSeen: Timestamp, sharedBy: Int? = nil, parts: [Part]
    ) {
        self.entity = entity
        self.score = score
        self.at = at
        self.lastSeen = lastSeen
        self.sharedBy = sharedBy
        self.parts = parts
    }
}

extension RiskPolicy {
    /// - Parameters:
    ///   - time: findings count half for each `halfLife` that they are away from it, before or after: logs of different age are read side
    ///     by side, and do not add up. `nil` for that of the newest finding that counts.
    ///   - incident: where a finding of an incident is by now; `nil` where it does not count, and nothing of it is told then.
    /// - Returns: `nil` where no finding counts.
    func risk(
        of entity: IncidentEntity, _ record: RiskBook.Record, at time: Timestamp?, incident: (String) -> String?
    ) -> EntityRisk? {
        var counting: [(id: String, rule: RiskBook.Rule, homes: [String])] = []
        var accounts: Set<String> = []
        var lastSeen: Timestamp?
        for (id, rule) in record.rules {
            var rule = rule
            var homes: [String] = []
            rule.sightings.removeAll { sighting in
                guard let home = incident(sighting.incident) else { return true }
                homes.append(home)
                return false
            }
            guard let newest = rule.sightings.last else { continue }
            counting.append((id, rule, homes))
            accounts.formUnion(rule.sightings.compactMap(\.account))
            lastSeen = max(lastSeen ?? newest.at, newest.at)
        }
        guard let lastSeen else { return nil }
        let time = time ?? lastSeen
        let sharedBy = entity.kind == .address && accounts.count >= sharedFrom ? accounts.count : nil
        var categories: [String: [EntityRisk.Part]] = [:]
        for (id, rule, homes) in counting {
            let findings = zip(rule.sightings, homes).reversed().map {
                EntityRisk.Finding(id: $0.finding, incident: $1, at: $0.at)
            }
            categories[rule.category, default: []].append(
                EntityRisk.Part(
                    ruleID: id, ruleTitle: rule.title, level: rule.level, category: rule.category,
                    points: points(of: rule, at: time, sharedBy: sharedBy), findings: findings))
        }
        let parts = categories.values.flatMap(weighed).sorted { ($1.points, $0.ruleID) < ($0.points, $1.ruleID) }
        return EntityRisk(
            entity: entity, score: parts.reduce(0) { $0 + $1.points }, at: time, lastSeen: lastSeen, sharedBy: sharedBy,
            parts: parts)
    }

    private func points(of rule: RiskBook.Rule, at time: Timestamp, sharedBy: Int?) -> Double {
        let weight = Level(rawValue: rule.level).flatMap { weights[$0] } ?? 0
        var amounts: [Double] = []
        var counted: Timestamp?
        for sighting in rule.sightings.reversed() {
            if let counted, counted.nanoseconds(since: sighting.at) < spacing * 1_000_000_000 { continue }
            counted = sighting.at
            let among = sighting.among * (sighting.account == nil ? 1 : sharedBy ?? 1)
            amounts.append(weight * part(left: sighting, at: time) / Double(among))
        }
        return RiskPolicy.sum(amounts, each: again)
    }

    /// What a finding counts for by then, of what it counts for at its own time.
    private func part(left sighting: RiskBook.Sighting, at time: Timestamp) -> Double {
        exp2(-Double(sighting.at.nanoseconds(since: time).magnitude) / 1e9 / Double(halfLife))
    }

    /// No risk of the record at that time is larger, whatever of it counts: said without putting its parts together.
    func mostRisk(of record: RiskBook.Record, at time: Timestamp) -> Double {
        let most = record.rules.values.reduce(0.0) { sum, rule in
            let weight = Level(rawValue: rule.level).flatMap { weights[$0] } ?? 0
            var (largest, repeats, factor) = (0.0, 0.0, 1.0)
            for sighting in rule.sightings {
                largest = max(largest, weight * part(left: sighting, at: time) / Double(sighting.among))
                repeats += factor
                factor *= again
            }
            return sum + largest * repeats
        }
        // The same summands in another order may come to a little more.
        return most * (1 + 1e-9)
    }

    /// The largest counts in full, each further one by so much less.
    private static func sum(_ amounts: [Double], each part: Double) -> Double {
        var factor = 1.0
        return amounts.sorted(by: >).reduce(0) { sum, amount in
            defer { factor *= part }
            return sum + amount * factor
        }
    }

    /// What the rules of one category come to beside each other.
    private func weighed(_ parts: [EntityRisk.Part]) -> [EntityRisk.Part] {
        var factor = 1.0
        var parts = parts.sorted { ($1.points, $0.ruleID) < ($0.points, $1.ruleID) }
        for place in parts.indices {
            parts[place].points *= factor
            factor *= another
        }
        let sum = parts.reduce(0) { $0 + $1.points }
        if let limit = parts.first.flatMap({ limits[$0.category] }), sum > limit {
            for place in parts.indices { parts[place].points *= limit / sum }
        }
        return parts
    }
}

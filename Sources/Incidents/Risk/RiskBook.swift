import Events

/// What findings have said about each address and account: the facts behind risk scores.
///
/// Made of recorded findings and nothing else, and of no policy: another policy weighs the same facts anew. Bounded, whatever
/// attackers do: the entities that were heard of longest ago are let go of, and of each rule's findings the newest are kept.
package struct RiskBook: Sendable, Equatable {
    let maximumEntities: Int
    /// Of one entity; the one that spoke longest ago makes room.
    static let maximumRules = 24
    /// Of one rule. Of a storm the first and the newest of each few minutes are kept, so that they go back for hours.
    static let maximumSightings = 8
    /// Nanoseconds of event time.
    static let burst: Int64 = 300 * 1_000_000_000

    /// One finding about the entity.
    struct Sighting: Sendable, Equatable {
        var finding: String
        /// The incident that it was recorded in.
        var incident: String
        var at: Timestamp
        /// Among how many it is divided: those that a finding is about together.
        var among: Int
        /// The one account that an address's finding is about, too, where not everybody tries it.
        var account: String?
    }

    struct Rule: Sendable, Equatable {
        var title: String
        var level: String
        var category: String
        /// Oldest first.
        var sightings: [Sighting] = []

        /// The later one of the first two that follow on each other closely, the newest excepted; else the oldest.
        mutating func dropOne() {
            let close = sightings.indices.dropFirst().dropLast().first {
                sightings[$0].at.nanoseconds(since: sightings[$0 - 1].at) < RiskBook.burst
                    && sightings[$0].incident == sightings[$0 - 1].incident
            }
            sightings.remove(at: close ?? 0)
        }
    }

    struct Record: Sendable, Equatable {
        var rules: [String: Rule] = [:]
        var lastSeen: Timestamp

        mutating func note(_ finding: FindingRecord, in incident: String, among: Int) {
            lastSeen = max(lastSeen, finding.time)
            // Everybody tries `root`: that says nothing of who is behind an address.
            let account = finding.address == nil ? nil : finding.user.flatMap { CommonAccounts.contains($0) ? nil : $0 }
            var rule = rules[finding.ruleID] ?? Rule(title: "", level: "", category: "")
            // As the rule says it now.
            (rule.title, rule.level, rule.category) = (finding.ruleTitle, finding.level, finding.category)
            let sighting = Sighting(
                finding: finding.id, incident: incident, at: finding.time, among: among, account: account)
            let place = rule.sightings.lastIndex { $0.at <= sighting.at }.map { $0 + 1 } ?? 0
            rule.sightings.insert(sighting, at: place)
            if rule.sightings.count > RiskBook.maximumSightings { rule.dropOne() }
            rules[finding.ruleID] = rule
            guard rules.count > RiskBook.maximumRules else { return }
            let newest = { (rule: Rule) in rule.sightings.last?.at.nanoseconds ?? .min }
            if let oldest = rules.min(by: { (newest($0.value), $0.key) < (newest($1.value), $1.key) }) { rules[oldest.key] = nil }
        }
    }

    private(set) var records: [IncidentEntity: Record] = [:]

    package init(maximumEntities: Int = 20_000) { self.maximumEntities = maximumEntities }

    subscript(entity: IncidentEntity) -> Record? { records[entity] }

    mutating func note(_ finding: FindingRecord, in incident: String) {
        for (entity, among) in RiskBook.subjects(of: finding) {
            records[entity, default: Record(lastSeen: finding.time)].note(finding, in: incident, among: among)
        }
        guard records.count > maximumEntities else { return }
        // An eighth at once, so that sorting is rare.
        let oldest = records.sorted { left, right in
            (left.value.lastSeen, left.key.kind.rawValue, left.key.value ?? "")
                < (right.value.lastSeen, right.key.kind.rawValue, right.key.value ?? "")
        }
        for (entity, _) in oldest.prefix(maximumEntities / 8) { records[entity] = nil }
    }

    /// What is known of an entity once `finding` is noted, too.
    func record(of entity: IncidentEntity, with finding: FindingRecord, in incident: String, among: Int) -> Record {
        var record = records[entity] ?? Record(lastSeen: finding.time)
        record.note(finding, in: incident, among: among)
        return record
    }

    /// Findings that were split off belong to another incident.
    mutating func move(_ findings: [String], to incident: String) {
        let moved = Set(findings)
        for entity in records.keys {
            guard let rules = records[entity]?.rules else { continue }
            for (id, rule) in rules where rule.sightings.contains(where: { moved.contains($0.finding) }) {
                for place in rule.sightings.indices where moved.contains(rule.sightings[place].finding) {
                    records[entity]?.rules[id]?.sightings[place].incident = incident
                }
            }
        }
    }

    /// Whom a finding counts for, and among how many it is divided.
    ///
    /// A surge of nobody in particular counts for none of its addresses: innocents may be among them. An account that everybody tries
    /// has no risk of its own.
    static func subjects(of finding: FindingRecord) -> [(entity: IncidentEntity, among: Int)] {
        var subjects: [(IncidentEntity, Int)] = []
        if let address = finding.address {
            subjects.append((.address(address), 1))
        } else if finding.user != nil {
            let addresses = Set(finding.otherAddresses.map { IncidentEntity.address($0) })
            subjects += addresses.map { ($0, addresses.count) }
        }
        if let user = finding.user, !CommonAccounts.contains(user) {
            subjects.append((IncidentEntity(kind: .account, value: user), 1))
        }
        return subjects
    }
}

extension IncidentEntity {
    /// An address as risk goes by it: an IPv6 /64 is one.
    static func address(_ text: String) -> IncidentEntity {
        IncidentEntity(kind: .address, value: IncidentBook.key(address: text))
    }

    /// As risk knows it: an IPv6 address by its /64.
    package var subjectOfRisk: IncidentEntity { kind == .address ? value.map(IncidentEntity.address) ?? self : self }
}

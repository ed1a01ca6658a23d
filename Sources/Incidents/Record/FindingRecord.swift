package import Detection
package import Events

/// A finding as the journal keeps it, with the incident it belongs to and why.
///
/// Bounded, so that no finding can be too large for a journal entry, whatever an attacker writes into a log: texts are cut,
/// and where names of files are very long the oldest references are left out. What is recorded live is what a replay reads.
package struct FindingRecord: Sendable, Equatable {
    package var id: String
    package var ruleID: String
    package var ruleTitle: String
    package var ruleHash: String
    package var level: String
    package var category: String
    package var severity: Severity
    /// What it makes of its incident, where the risk of what it is about says something else than the rule.
    package var ratedByRisk: Severity?
    package var techniques: [String]
    package var count: Int
    /// More may have been counted than `count` says.
    package var isLowerBound = false
    /// Event time of the event that completed it.
    package var time: Timestamp
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    /// `nil` where there is none, or where it was erased; `erased` tells which.
    package var address: String?
    package var user: String?
    package var otherAddresses: [String]
    package var evidence: [EvidenceLine]
    /// `nil` where a silence took it and no incident is open that it would belong to.
    package var incident: String?
    /// The silence that took it: it alarms nobody, and nothing is done on account of it.
    package var silence: String?
    /// One sentence without personal data.
    package var grouping: String
    /// Of what kind were the personal fields whose subjects' keys are gone.
    package var erased: Set<IncidentEntity.Kind> = []

    /// What it makes of its incident.
    package var rated: Severity { ratedByRisk ?? severity }
    /// A personal field was there, and its subject's key is gone.
    package var isErased: Bool { !erased.isEmpty }
    /// Somebody tries passwords or account names.
    var isGuessing: Bool { category == FindingCategory.bruteForce.rawValue || category == FindingCategory.enumeration.rawValue }

    // Limits in bytes of JSON. Together, sealed and in base64, about 50,000 of the 65,535 that an entry may have.

    /// Of a log line's excerpt; the reference leads to the whole.
    package static let maximumLineBytes = 1_024
    /// Of an address (a host name where a server logs names), an account name, a rule's title.
    package static let maximumNameBytes = 512
    /// Of one file's path, and of all references together.
    static let maximumPathBytes = 6_000
    static let maximumEvidenceBytes = 16_000
    static let maximumTechniques = 32

    /// - Parameters:
    ///   - lines: texts for the last of the finding's evidence, in the same order; `nil` where a line could not be read again.
    package init(_ finding: Finding, lines: [String?], incident: String?, grouping: String) {
        id = finding.id
        ruleID = finding.rule.id.cut(toJSONBytes: FindingRecord.maximumNameBytes)
        ruleTitle = finding.rule.title.cut(toJSONBytes: FindingRecord.maximumNameBytes)
        ruleHash = finding.rule.hash
        level = finding.rule.level.rawValue
        category = finding.rule.category.rawValue
        severity = Severity(finding.rule.level.severityCode) ?? .medium
        techniques = finding.rule.techniques.prefix(FindingRecord.maximumTechniques).map { $0.cut(toJSONBytes: 32) }
        count = finding.count
        isLowerBound = finding.isLowerBound
        time = finding.time.recordable
        firstSeen = finding.firstSeen.recordable
        lastSeen = finding.lastSeen.recordable
        address = finding.sourceIP?.cut(toJSONBytes: FindingRecord.maximumNameBytes)
        user = finding.userName?.cut(toJSONBytes: FindingRecord.maximumNameBytes)
        otherAddresses = finding.otherAddresses.prefix(Finding.maximumEvidence).map(\.description)
        evidence = FindingRecord.evidence(finding, lines: lines.suffix(Finding.maximumExcerptLines))
        self.incident = incident
        self.grouping = grouping
    }

    init(
        id: String, ruleID: String, ruleTitle: String, ruleHash: String, level: String, category: String, severity: Severity,
        techniques: [String], count: Int, time: Timestamp, firstSeen: Timestamp, lastSeen: Timestamp, address: String?,
        user: String?,
        otherAddresses: [String], evidence: [EvidenceLine], incident: String?, grouping: String, erased: Set<IncidentEntity.Kind>,
        isLowerBound: Bool = false, ratedByRisk: Severity? = nil, silence: String? = nil
    ) {
        self.id = id
        self.ruleID = ruleID
        self.ruleTitle = ruleTitle
        self.ruleHash = ruleHash
        self.level = level
        self.category = category
        self.severity = severity
        self.techniques = techniques
        self.count = count
        self.time = time
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.address = address
        self.user = user
        self.otherAddresses = otherAddresses
        self.evidence = evidence
        self.incident = incident
        self.grouping = grouping
        self.erased = erased
        self.isLowerBound = isLowerBound
        self.ratedByRisk = ratedByRisk
        self.silence = silence
    }

    /// The newest references that fit, oldest first.
    private static func evidence(_ finding: Finding, lines: ArraySlice<String?>) -> [EvidenceLine] {
        var kept: [EvidenceLine] = []
        var room = maximumEvidenceBytes
        var texts = Array(lines)
        for reference in finding.evidence.suffix(Finding.maximumEvidence).reversed() {
            let file = reference.origin.source.cut(toJSONBytes: maximumPathBytes)
            // The member names, and two numbers of up to 16 digits.
            room -= file.jsonByteCount + 64
            guard room >= 0 else { break }
            kept.append(
                EvidenceLine(
                    file: file, line: Int(reference.line), offset: Int(reference.offset),
                    text: texts.popLast()?.map { $0.cut(toJSONBytes: maximumLineBytes) }))
        }
        return kept.reversed()
    }

    /// Whom and what it is about, the address first. What was erased stays as an entity without a name.
    package var entities: [IncidentEntity] {
        var entities: [IncidentEntity] = []
        if let address { entities.append(IncidentEntity(kind: .address, value: address)) }
        for other in otherAddresses where other != address { entities.append(IncidentEntity(kind: .address, value: other)) }
        if erased.contains(.address) { entities.append(IncidentEntity(kind: .address, value: nil)) }
        if let user { entities.append(IncidentEntity(kind: .account, value: user)) }
        if erased.contains(.account) { entities.append(IncidentEntity(kind: .account, value: nil)) }
        return entities
    }
}

extension Timestamp {
    /// Held within the whole years that an entry can state: lines can carry any date.
    fileprivate var recordable: Timestamp {
        min(max(self, FindingRecord.earliest), FindingRecord.latest)
    }
}

extension FindingRecord {
    // 1678-01-01T00:00:00Z and 2261-12-31T00:00:00Z.
    fileprivate static let earliest = Timestamp(seconds: -9_214_560_000)
    fileprivate static let latest = Timestamp(seconds: 9_214_560_000)
}

package import Events

/// One row of the incident list.
package struct IncidentSummary: Sendable, Equatable {
    /// `SEC-YYYY-NNNN`.
    package var id: String
    package var title: String
    package var severity: Severity
    package var phase: Phase
    /// What it is about, worst first: `203.0.113.9`, `alice`. `nil` once the subject's key was erased.
    package var entities: [IncidentEntity]
    package var findingCount: Int
    /// Events behind the findings; an event that several findings count is counted by each.
    package var eventCount: Int
    /// Event time of the first and of the last event behind a finding.
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    /// When Vigie opened it, by its own clock.
    package var openedAt: Timestamp
    /// When Vigie last wrote something about it, by its own clock.
    package var updatedAt: Timestamp
    /// The categories of its findings, most frequent first: `brute_force`, `scan`, …
    package var categories: [String]
    /// ATT&CK technique ids, sorted.
    package var techniques: [String]
    package var kind: IncidentKind
    /// `nil` until somebody has acknowledged it, and again once it is reopened.
    package var acknowledgedAt: Timestamp?
    package var resolution: Resolution?
    /// The incident that has its findings by now.
    package var mergedInto: String?
    /// Only some may know of it.
    package var isRestricted: Bool

    package init(
        id: String, title: String, severity: Severity, phase: Phase, entities: [IncidentEntity], findingCount: Int,
        eventCount: Int, firstSeen: Timestamp, lastSeen: Timestamp, openedAt: Timestamp, updatedAt: Timestamp,
        categories: [String], techniques: [String], kind: IncidentKind = .real, acknowledgedAt: Timestamp? = nil,
        resolution: Resolution? = nil, mergedInto: String? = nil, isRestricted: Bool = false
    ) {
        self.id = id
        self.title = title
        self.severity = severity
        self.phase = phase
        self.entities = entities
        self.findingCount = findingCount
        self.eventCount = eventCount
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.openedAt = openedAt
        self.updatedAt = updatedAt
        self.categories = categories
        self.techniques = techniques
        self.kind = kind
        self.acknowledgedAt = acknowledgedAt
        self.resolution = resolution
        self.mergedInto = mergedInto
        self.isRestricted = isRestricted
    }
}

/// What an incident or a finding is about.
package struct IncidentEntity: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable, Codable {
        case address = "ip"
        case account = "user"
    }

    package var kind: Kind
    /// `nil` when the subject's key was erased: the entity stays, its name is gone.
    package var value: String?

    package init(kind: Kind, value: String?) {
        self.kind = kind
        self.value = value
    }
}

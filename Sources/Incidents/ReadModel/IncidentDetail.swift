package import Events

/// Everything the incident page shows.
package struct IncidentDetail: Sendable, Equatable {
    package var summary: IncidentSummary
    /// Entries of the timeline that are read where nobody asks for more, and where somebody asks for all.
    package static let someTimeline = 200
    package static let allTimeline = 2_000

    /// Oldest first; the newest, at most as many as were asked for.
    package var timeline: [TimelineItem]
    /// How many there are in all.
    package var timelineCount: Int
    /// Newest first, at most as many as were asked for; `summary.findingCount` is the whole number.
    package var findings: [FindingView]

    /// - Parameter timelineCount: `nil` where `timeline` is all there is.
    package init(summary: IncidentSummary, timeline: [TimelineItem], timelineCount: Int? = nil, findings: [FindingView]) {
        self.summary = summary
        self.timeline = timeline
        self.timelineCount = timelineCount ?? timeline.count
        self.findings = findings
    }
}

/// One thing that happened, with the time it happened and the time Vigie wrote it down.
package struct TimelineItem: Sendable, Equatable {
    /// The journal entry behind it.
    package var sequence: Int
    package var occurredAt: Timestamp
    package var recordedAt: Timestamp
    /// `vigie`, or the name of the person.
    package var actor: String
    /// `incident.opened`, `finding`, `severity`, …: the journal entry's type.
    package var kind: String
    package var text: String

    package init(sequence: Int, occurredAt: Timestamp, recordedAt: Timestamp, actor: String, kind: String, text: String) {
        self.sequence = sequence
        self.occurredAt = occurredAt
        self.recordedAt = recordedAt
        self.actor = actor
        self.kind = kind
        self.text = text
    }
}

/// One finding as a person reads it.
package struct FindingView: Sendable, Equatable {
    package var id: String
    package var sequence: Int
    package var ruleID: String
    package var ruleTitle: String
    /// SHA-256 of the rule's text, in hex: which version of the rule spoke.
    package var ruleHash: String
    package var level: String
    package var category: String
    package var severity: Severity
    package var techniques: [String]
    package var entities: [IncidentEntity]
    /// How many events it stands for, and when the first and last of them happened.
    package var count: Int
    /// There may have been more of them.
    package var isLowerBound: Bool
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    package var recordedAt: Timestamp
    /// The very log lines, oldest first, at most `Finding.maximumExcerptLines`.
    package var lines: [EvidenceLine]
    /// Why it joined this incident, in one sentence.
    package var grouping: String
    /// `nil` where a silence took it and it belongs to none.
    package var incident: String?
    /// The silence that took it.
    package var silence: String?

    package init(
        id: String, sequence: Int, ruleID: String, ruleTitle: String, ruleHash: String, level: String, category: String,
        severity: Severity, techniques: [String], entities: [IncidentEntity], count: Int, firstSeen: Timestamp,
        lastSeen: Timestamp, recordedAt: Timestamp, lines: [EvidenceLine], grouping: String,
        isLowerBound: Bool = false, incident: String? = nil, silence: String? = nil
    ) {
        self.id = id
        self.sequence = sequence
        self.ruleID = ruleID
        self.ruleTitle = ruleTitle
        self.ruleHash = ruleHash
        self.level = level
        self.category = category
        self.severity = severity
        self.techniques = techniques
        self.entities = entities
        self.count = count
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.recordedAt = recordedAt
        self.lines = lines
        self.grouping = grouping
        self.isLowerBound = isLowerBound
        self.incident = incident
        self.silence = silence
    }
}

/// A log line that a finding rests on: where it stands, and its text while the subject's key exists.
package struct EvidenceLine: Sendable, Equatable {
    package var file: String
    /// From 1, counted from the start of that file generation.
    package var line: Int
    /// Byte offset of the line's first byte in that file generation.
    package var offset: Int
    /// Decoded as UTF-8 with replacement; `nil` when the subject's key was erased.
    package var text: String?

    package init(file: String, line: Int, offset: Int, text: String?) {
        self.file = file
        self.line = line
        self.offset = offset
        self.text = text
    }
}

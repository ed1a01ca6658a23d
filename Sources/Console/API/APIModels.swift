import Events
import Incidents

// The API's own shapes, so that renaming something inside never changes what programs read. Keys become snake_case when encoded.

struct APIIncidentList: Encodable {
    var incidents: [APIIncident]
    var total: Int
    var limit: Int
    var offset: Int
}

struct APIEntity: Encodable {
    var type: String
    /// `null` once the subject's key was erased.
    var value: String?

    init(_ entity: IncidentEntity) {
        type = entity.kind.rawValue
        value = entity.value
    }

    private enum CodingKeys: String, CodingKey {
        case type
        case value
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(type, forKey: .type)
        try container.encode(value, forKey: .value)
    }
}

struct APIIncident: Encodable {
    var id: String
    var title: String
    var severity: String
    var phase: String
    var entities: [APIEntity]
    var findingCount: Int
    var eventCount: Int
    var firstSeen: String
    var lastSeen: String
    var openedAt: String
    var updatedAt: String
    var categories: [String]
    var attack: [String]
    var kind: String
    /// Absent until somebody has acknowledged it.
    var acknowledgedAt: String?
    var resolution: String?
    var mergedInto: String?
    var restricted: Bool

    init(_ incident: IncidentSummary) {
        id = incident.id
        title = incident.title
        severity = incident.severity.code
        phase = incident.phase.rawValue
        entities = incident.entities.map(APIEntity.init)
        findingCount = incident.findingCount
        eventCount = incident.eventCount
        firstSeen = incident.firstSeen.rfc3339
        lastSeen = incident.lastSeen.rfc3339
        openedAt = incident.openedAt.rfc3339
        updatedAt = incident.updatedAt.rfc3339
        categories = incident.categories
        attack = incident.techniques
        kind = incident.kind.rawValue
        acknowledgedAt = incident.acknowledgedAt?.rfc3339
        resolution = incident.resolution?.rawValue
        mergedInto = incident.mergedInto
        restricted = incident.isRestricted
    }
}

struct APIIncidentDetail: Encodable {
    var incident: APIIncident
    var timeline: [APITimelineItem]
    var findings: [APIFinding]
    var risks: [APIEntityRisk]

    init(_ detail: IncidentDetail, risks: [RiskView]) {
        incident = APIIncident(detail.summary)
        timeline = detail.timeline.map(APITimelineItem.init)
        findings = detail.findings.map(APIFinding.init)
        self.risks = risks.map(APIEntityRisk.init)
    }

    private enum CodingKeys: String, CodingKey {
        case timeline
        case findings
        case risks
    }

    /// The incident's own fields stand beside its timeline and findings.
    func encode(to encoder: any Encoder) throws {
        try incident.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(timeline, forKey: .timeline)
        try container.encode(findings, forKey: .findings)
        try container.encode(risks, forKey: .risks)
    }
}

struct APITimelineItem: Encodable {
    var sequence: Int
    var occurredAt: String
    var recordedAt: String
    var actor: String
    var kind: String
    var text: String

    init(_ item: TimelineItem) {
        sequence = item.sequence
        occurredAt = item.occurredAt.rfc3339
        recordedAt = item.recordedAt.rfc3339
        actor = item.actor
        kind = item.kind
        text = item.text
    }
}

struct APIFinding: Encodable {
    struct Rule: Encodable {
        var id: String
        var title: String
        var level: String
        var hash: String
    }

    struct Line: Encodable {
        var file: String
        var line: Int
        var offset: Int
        /// `null` once the subject's key was erased.
        var text: String?
    }

    var id: String
    var sequence: Int
    var rule: Rule
    var category: String
    var severity: String
    var attack: [String]
    var entities: [APIEntity]
    var count: Int
    var countIsLowerBound: Bool
    var firstSeen: String
    var lastSeen: String
    var recordedAt: String
    var evidence: [Line]
    var grouping: String
    /// The silence that took it.
    var silence: String?

    init(_ finding: FindingView) {
        id = finding.id
        sequence = finding.sequence
        rule = Rule(id: finding.ruleID, title: finding.ruleTitle, level: finding.level, hash: finding.ruleHash)
        category = finding.category
        severity = finding.severity.code
        attack = finding.techniques
        entities = finding.entities.map(APIEntity.init)
        count = finding.count
        countIsLowerBound = finding.isLowerBound
        firstSeen = finding.firstSeen.rfc3339
        lastSeen = finding.lastSeen.rfc3339
        recordedAt = finding.recordedAt.rfc3339
        evidence = finding.lines.map { Line(file: $0.file, line: $0.line, offset: $0.offset, text: $0.text) }
        grouping = finding.grouping
        silence = finding.silence
    }
}

struct APISourceList: Encodable {
    var sources: [APISource]
}

struct APISource: Encodable {
    struct Counters: Encodable {
        var bytes: Int
        var lines: Int
        var parsed: Int
        /// Of the parsed: lines of which no format knows more than the words.
        var plain: Int
        var unparsed: Int
        var blank: Int
        var overlong: Int
        var invalidUtf8: Int
        var containingNul: Int
        var partial: Int
        var undated: Int
        var rotations: Int
        var truncations: Int
        var gaps: Int
        var damaged: Int
        var dropped: Int
        /// Events so far, where all of them name the same private address.
        var fromOnePrivateAddress: Int?
    }

    var name: String
    var format: String
    var state: String
    var problem: String?
    var counters: Counters
    var lagBytes: Int
    var lastEvent: String?
    var unparsedSamples: [String]
    /// Of each sample: the nearest format and what it missed; empty where no format comes near.
    var unparsedReasons: [String]
    /// Newest lines of which no format knows more than the words.
    var plainSamples: [String]
    var warnings: [String]
    /// How many files a pattern stands for.
    var files: Int?

    init(_ source: SourceStatus) {
        name = source.name
        format = source.format
        state = source.state
        problem = source.problem.isEmpty ? nil : source.problem
        let counted = source.counters
        counters = Counters(
            bytes: counted.bytes, lines: counted.lines, parsed: counted.parsed, plain: counted.plain,
            unparsed: counted.unparsed, blank: counted.blank, overlong: counted.overlong, invalidUtf8: counted.invalidUTF8,
            containingNul: counted.containingNUL,
            partial: counted.partial, undated: counted.undated, rotations: counted.rotations, truncations: counted.truncations,
            gaps: counted.gaps, damaged: counted.damaged, dropped: counted.dropped,
            fromOnePrivateAddress: counted.fromOnePrivateAddress)
        lagBytes = source.lagBytes
        lastEvent = source.lastEvent?.rfc3339
        unparsedSamples = source.unparsedSamples
        unparsedReasons = source.unparsedReasons
        plainSamples = source.plainSamples
        warnings = source.warnings
        files = source.files
    }
}

struct APIRuleList: Encodable {
    var rules: [APIRule]
}

struct APIRule: Encodable {
    var id: String
    var title: String
    var level: String
    var category: String
    var file: String
    /// `loaded` or `refused`.
    var state: String
    var problem: String?
    /// The problem kept a whole reload out.
    var reloadRefused: Bool
    var hash: String
    var attack: [String]
    var requirements: [String]
    var logSource: String
    /// False for a rule that only correlations count.
    var reported: Bool
    /// Findings in the journal.
    var findings: Int
    /// Event time of the newest of them.
    var lastFinding: String?

    init(_ rule: RuleSummary) {
        id = rule.id
        title = rule.title
        level = rule.level
        category = rule.category
        file = rule.file
        state = rule.problem == nil ? "loaded" : "refused"
        problem = rule.problem
        reloadRefused = rule.isReloadRefused
        hash = rule.hash
        attack = rule.techniques
        requirements = rule.requirements
        logSource = rule.logSource
        reported = rule.isReported
        findings = rule.matches
        lastFinding = rule.lastMatch?.rfc3339
    }
}

package import Events

/// What the console and the command line read. `Storage` implements it on the projections.
package protocol IncidentReading: Sendable {
    /// Newest activity first.
    func incidents(matching query: IncidentQuery) async throws -> IncidentPage
    /// `nil` when there is no such incident, or none that the reader may know of.
    func incident(
        id: String, maximumFindings: Int, maximumTimeline: Int, reader: IncidentReader?
    ) async throws -> IncidentDetail?
    /// Whether that is a restricted incident of which the reader may not know. False for what is no incident at all.
    func isHidden(id: String, from reader: IncidentReader) async throws -> Bool
}

extension IncidentReading {
    /// With as much of the timeline as is read where nobody asks for more.
    package func incident(id: String, maximumFindings: Int, reader: IncidentReader?) async throws -> IncidentDetail? {
        try await incident(id: id, maximumFindings: maximumFindings, maximumTimeline: IncidentDetail.someTimeline, reader: reader)
    }

    /// Without findings and timeline, which may be long.
    package func summary(ofIncident id: String, reader: IncidentReader? = nil) async throws -> IncidentSummary? {
        try await incident(id: id, maximumFindings: 0, maximumTimeline: 0, reader: reader)?.summary
    }

    /// As Vigie's own commands read: everything.
    package func incident(id: String, maximumFindings: Int) async throws -> IncidentDetail? {
        try await incident(id: id, maximumFindings: maximumFindings, maximumTimeline: IncidentDetail.allTimeline, reader: nil)
    }
}

/// What incidents are by now, with the policies that say what follows from that.
package protocol IncidentStateReading: Sendable {
    func state(of incident: String) async -> IncidentState?
    /// All of them, in no order.
    func states() async -> [IncidentState]
    var policies: Policies { get async }
    /// What adds up against these, as the reader may know of it: when they were last seen, and now. Those without any risk are not there.
    func risks(of entities: [IncidentEntity], for reader: IncidentReader?, at now: Timestamp) async -> [RiskView]
    /// Those against which most adds up now, the worst first.
    func worstRisks(for reader: IncidentReader?, at now: Timestamp, limit: Int) async -> [RiskView]
}

/// The risk of one entity when it was last seen, with its parts, and what is left of it now.
package struct RiskView: Sendable, Equatable {
    package var risk: EntityRisk
    package var now: Double

    package init(risk: EntityRisk, now: Double) {
        self.risk = risk
        self.now = now
    }
}

extension IncidentStateReading {
    /// Those that the reader may know of.
    package func states(for reader: IncidentReader?) async -> [IncidentState] {
        guard let reader else { return await states() }
        return await states().filter { $0.isReadable(by: reader.account, named: reader.name) }
    }
}

/// For whom incidents are read: need-to-know incidents are there for their readers and for who has a role in them.
package struct IncidentReader: Sendable, Equatable {
    /// The account's id.
    package var account: String
    package var name: String

    package init(account: String, name: String) {
        self.account = account
        self.name = name
    }
}

/// Which incidents to list.
package struct IncidentQuery: Sendable, Equatable {
    /// Words that all have to occur in the id, the title, a category or an entity; empty for everything.
    package var search: String
    package var severities: Set<Severity>
    package var includesClosed: Bool
    /// 1 to 500.
    package var limit: Int
    package var offset: Int
    /// `nil` reads everything.
    package var reader: IncidentReader?

    package init(
        search: String = "", severities: Set<Severity> = Set(Severity.allCases), includesClosed: Bool = true, limit: Int = 100,
        offset: Int = 0, reader: IncidentReader? = nil
    ) {
        self.search = search
        self.severities = severities
        self.includesClosed = includesClosed
        self.limit = min(max(limit, 1), 500)
        self.offset = max(offset, 0)
        self.reader = reader
    }
}

/// One page of the list, and how many there are in all.
package struct IncidentPage: Sendable, Equatable {
    package var incidents: [IncidentSummary]
    package var total: Int
    /// How many there would be of each severity, were it asked for alone.
    package var counts: [Severity: Int]

    /// - Parameter counts: of all severities, those included that the query leaves out.
    package init(incidents: [IncidentSummary], counts: [Severity: Int], query: IncidentQuery) {
        self.incidents = incidents
        self.counts = counts
        total = query.severities.reduce(0) { $0 + (counts[$1] ?? 0) }
    }
}

/// What the console and the command line read. `Storage` implements it on the projections.
package protocol IncidentReading: Sendable {
    /// Newest activity first.
    func incidents(matching query: IncidentQuery) async throws -> IncidentPage
    /// `nil` when there is no such incident.
    func incident(id: String, maximumFindings: Int) async throws -> IncidentDetail?
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

    package init(
        search: String = "", severities: Set<Severity> = Set(Severity.allCases), includesClosed: Bool = true, limit: Int = 100,
        offset: Int = 0
    ) {
        self.search = search
        self.severities = severities
        self.includesClosed = includesClosed
        self.limit = min(max(limit, 1), 500)
        self.offset = max(offset, 0)
    }
}

/// One page of the list, and how many there are in all.
package struct IncidentPage: Sendable, Equatable {
    package var incidents: [IncidentSummary]
    package var total: Int

    package init(incidents: [IncidentSummary], total: Int) {
        self.incidents = incidents
        self.total = total
    }
}

import Detection
import Events
import Incidents
import Journal
import Storage

/// The one way into the journal: decides what is recorded, writes it, then puts it into the tables, in the same order.
///
/// An actor may be entered again while it waits for the disk; turns are taken one after the other all the same, so whatever a
/// decision was made on is still true when it is recorded.
actor Recorder {
    private let journal: Journal
    private let projections: Projections
    private let published: @Sendable (_ sequence: Int, _ incident: String) -> Void
    private var turn: Task<Void, Never>?
    /// All incidents, as far as entries are durable.
    private var ledger: IncidentLedger
    /// Incidents about which something was recorded since `takeChanged` was last asked.
    private var changed: Set<String> = []

    /// - Parameters:
    ///   - ledger: of everything that the journal holds.
    ///   - published: called for each incident once its news can be read from the tables.
    init(
        journal: Journal, projections: Projections, ledger: IncidentLedger = IncidentLedger(),
        published: @escaping @Sendable (_ sequence: Int, _ incident: String) -> Void
    ) {
        self.journal = journal
        self.projections = projections
        self.ledger = ledger
        self.published = published
    }

    /// Entries in the journal.
    var count: UInt64 { journal.count }

    /// The incident as far as entries are durable. The ledger itself stays in here: a copy of it outside would make the next event
    /// copy every incident.
    func incident(_ id: String) -> IncidentState? { ledger[id] }

    /// Those of them that there are, in no order.
    func incidents(_ ids: some Collection<String> & Sendable) -> [IncidentState] { ids.compactMap { ledger[$0] } }

    /// All of them, in no order.
    func incidents() -> [IncidentState] { Array(ledger.incidents.values) }

    func takeChanged() -> Set<String> {
        defer { changed.removeAll() }
        return changed
    }

    func record(_ draft: EntryDraft, at now: Timestamp) async throws { try await record([draft], at: now) }

    /// All of them, in this order, or none.
    func record(_ drafts: [EntryDraft], at now: Timestamp) async throws {
        try await inTurn { recorder in try await recorder.commit([], with: drafts, at: now) }
    }

    /// Records findings, each in the incident where it belongs.
    ///
    /// - Parameter others: entries that become durable together with the events, or not at all.
    /// - Returns: what was recorded; nothing for findings that were recorded before.
    @discardableResult
    func record(
        _ findings: [(finding: Finding, lines: [String?])], by grouping: Grouping, at now: Timestamp,
        with others: @escaping @Sendable ([IncidentEvent]) -> [EntryDraft] = { _ in [] }
    ) async throws -> [IncidentEvent] {
        try await inTurn { recorder in
            var events: [IncidentEvent] = []
            for (finding, lines) in findings {
                events += recorder.ledger.record(finding, lines: lines, by: grouping, now: now)
            }
            try await recorder.commit(events, with: others(events), at: now, isInBook: true)
            return events
        }
    }

    /// Records what a decision on the present state comes to: all of it, or nothing.
    @discardableResult
    func decide(
        at now: Timestamp, _ decision: @escaping @Sendable (IncidentLedger) throws -> [IncidentEvent]
    ) async throws -> [IncidentEvent] {
        try await inTurn { recorder in
            let events = try decision(recorder.ledger)
            try await recorder.commit(events, at: now)
            return events
        }
    }

    private func inTurn<Outcome: Sendable>(
        _ body: @escaping @Sendable (isolated Recorder) async throws -> Outcome
    ) async throws -> Outcome {
        let previous = turn
        let task = Task {
            await previous?.value
            return try await body(self)
        }
        turn = Task { _ = await task.result }
        return try await task.value
    }

    /// - Parameter isInBook: what grouping goes by has these events already.
    private func commit(
        _ events: [IncidentEvent], with others: [EntryDraft] = [], at now: Timestamp, isInBook: Bool = false
    ) async throws {
        guard !events.isEmpty || !others.isEmpty else { return }
        let entries = try await journal.append(events.map { $0.draft() } + others, at: now)
        let records = entries.enumerated().map { index, entry in
            (entry: entry, event: index < events.count ? events[index] : nil)
        }
        for record in records {
            guard let event = record.event else { continue }
            if isInBook {
                ledger.applyToIncidents(event, recordedAt: record.entry.recordedAt)
            } else {
                ledger.apply(event, recordedAt: record.entry.recordedAt)
            }
            changed.insert(event.incident)
        }
        try await projections.apply(records)
        for record in records {
            if let incident = record.event?.incident ?? record.entry.timelineIncident {
                published(Int(record.entry.sequence), incident)
            }
        }
    }
}

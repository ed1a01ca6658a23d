import Events
import Incidents
import Journal
import Storage

/// The one way into the journal: writes entries, then puts them into the tables, in the same order.
///
/// An actor may be entered again while it waits for the disk; `turn` keeps appends and projections in step all the same.
actor Recorder {
    private let journal: Journal
    private let projections: Projections
    private let published: @Sendable (_ sequence: Int, _ incident: String) -> Void
    private var turn: Task<Void, Never>?

    /// - Parameter published: called for each incident once its news can be read from the tables.
    init(journal: Journal, projections: Projections, published: @escaping @Sendable (_ sequence: Int, _ incident: String) -> Void)
    {
        self.journal = journal
        self.projections = projections
        self.published = published
    }

    /// Entries in the journal.
    var count: UInt64 { journal.count }

    /// - Parameter others: entries that become durable together with the events, or not at all.
    func record(_ events: [IncidentEvent], with others: [EntryDraft] = [], at now: Timestamp) async throws {
        try await record(events.map { ($0.draft(), $0) } + others.map { ($0, nil) }, at: now)
    }

    func record(_ draft: EntryDraft, at now: Timestamp) async throws {
        try await record([(draft, nil)], at: now)
    }

    private func record(_ drafts: [(EntryDraft, IncidentEvent?)], at now: Timestamp) async throws {
        let previous = turn
        let task = Task {
            await previous?.value
            let entries = try await journal.append(drafts.map(\.0), at: now)
            let records = zip(entries, drafts).map { (entry: $0, event: $1.1) }
            try await projections.apply(records)
            for record in records {
                if let incident = record.event?.incident ?? record.entry.evidenceIncident {
                    published(Int(record.entry.sequence), incident)
                }
            }
        }
        turn = Task { _ = await task.result }
        try await task.value
    }
}

import Detection
import Events
import Incidents
import Journal
import Logging
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
    private let logger: Logger?
    /// Entries that are durable and not in the tables yet: more than the newest only where the tables could not be written.
    private var backlog: [(entry: Entry, event: IncidentEvent?)] = []
    /// Tries again until the tables are where the journal is.
    private(set) var catchUp: Task<Void, Never>?
    private var isStopped = false

    /// Entries that wait for the tables before no more are taken. The tables can be made anew; what pages people goes on without
    /// them for as long as that.
    static let maximumBacklog = 10_000

    /// - Parameters:
    ///   - ledger: of everything that the journal holds.
    ///   - logger: told when the tables cannot be written.
    ///   - published: called for each incident once its news can be read from the tables.
    init(
        journal: Journal, projections: Projections, ledger: IncidentLedger = IncidentLedger(), logger: Logger? = nil,
        published: @escaping @Sendable (_ sequence: Int, _ incident: String) -> Void
    ) {
        self.journal = journal
        self.projections = projections
        self.ledger = ledger
        self.logger = logger
        self.published = published
    }

    /// Entries in the journal.
    var count: UInt64 { journal.count }

    /// The incident as far as entries are durable. The ledger itself stays in here: a copy of it outside would make the next event
    /// copy every incident.
    func incident(_ id: String) -> IncidentState? { ledger[id] }

    func incident(ofRequest request: String) -> String? { ledger.incident(ofRequest: request) }

    /// Those of them that there are, in no order.
    func incidents(_ ids: some Collection<String> & Sendable) -> [IncidentState] { ids.compactMap { ledger[$0] } }

    /// All of them, in no order.
    func incidents() -> [IncidentState] { Array(ledger.incidents.values) }

    var silences: SilenceBook { ledger.silences }

    /// To be weighed elsewhere: with very many addresses that takes a while, and in here findings would wait for it.
    func riskSheet(for reader: IncidentReader?) -> RiskSheet { ledger.riskSheet(for: reader) }

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
    ///
    /// - Parameter check: looks at the tables first; nothing is recorded between that and the decision.
    @discardableResult
    func decide(
        at now: Timestamp, after check: @escaping @Sendable () async throws -> Void = {},
        _ decision: @escaping @Sendable (IncidentLedger) throws -> [IncidentEvent]
    ) async throws -> [IncidentEvent] {
        try await inTurn { recorder in
            try await check()
            let events = try decision(recorder.ledger)
            try await recorder.commit(events, at: now)
            return events
        }
    }

    /// Records what a decision about silences comes to, on those that are in force when its turn has come.
    @discardableResult
    func decideSilences(
        at now: Timestamp, _ decision: @escaping @Sendable (SilenceBook) throws -> [SilenceEvent]
    ) async throws -> [SilenceEvent] {
        try await inTurn { recorder in
            let events = try decision(recorder.ledger.silences)
            try await recorder.commit([], with: events.map { $0.draft() }, at: now)
            for event in events { recorder.ledger.apply(event) }
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
        // Beyond that the reason is told before anything is written down, so that nobody takes for lost what is durable.
        if backlog.count >= Recorder.maximumBacklog { try await fillTables() }
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
            if let incident = event.incident { changed.insert(incident) }
        }
        backlog += records
        do {
            try await fillTables()
        } catch {
            logger?.error("the tables that people read are behind the journal: \(error); trying again")
            catchUpLater()
        }
    }

    /// Brings the tables to where the journal is. Whoever recorded something is not told of a failure: it is recorded.
    private func fillTables() async throws {
        // A transaction may have gone through although its end was reported as a failure.
        if catchUp != nil {
            let applied = try await projections.applied()
            backlog.removeAll { $0.entry.sequence < applied }
        }
        let records = backlog
        try await projections.apply(records)
        backlog.removeFirst(records.count)
        for record in records {
            if let incident = record.event?.incident ?? record.entry.timelineIncident {
                published(Int(record.entry.sequence), incident)
            }
        }
    }

    /// Waits for what is under way, and ends the trying again. To be called before the journal and the tables are let go of:
    /// whoever opens them next has to be alone with them.
    func stop() async {
        isStopped = true
        catchUp?.cancel()
        await catchUp?.value
        catchUp = nil
        await turn?.value
    }

    /// Without anything new to record, too, the tables have to come to where the journal is.
    private func catchUpLater() {
        guard catchUp == nil, !isStopped else { return }
        catchUp = Task { [weak self] in
            while (try? await Task.sleep(for: .seconds(1))) != nil, await self?.isBehind() ?? false {}
        }
    }

    private func isBehind() async -> Bool {
        do {
            try await inTurn { recorder in try await recorder.fillTables() }
            catchUp = nil
            logger?.notice("the tables that people read have caught up with the journal")
            return false
        } catch {
            return true
        }
    }
}

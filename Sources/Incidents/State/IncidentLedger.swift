package import Detection
package import Events
package import Journal

/// All incidents: the state that decisions are made on.
///
/// A pure state machine over incident events; a replay of the journal gives the same ledger. Owned by one task.
package struct IncidentLedger: Sendable, Equatable {
    package private(set) var incidents: [String: IncidentState] = [:]
    /// What grouping goes by.
    package internal(set) var book = IncidentBook()
    /// What findings alarm nobody.
    package private(set) var silences = SilenceBook()
    /// Requests that were carried out, and the incident of each; made again, they do nothing.
    private var requests: [String: String] = [:]

    package init() {}

    package subscript(id: String) -> IncidentState? { incidents[id] }

    package func knows(request: String) -> Bool { requests[request] != nil }

    /// The incident that a request opened or was about, wherever merges lead by now.
    package func incident(ofRequest request: String) -> String? { requests[request].map(current) }

    /// Takes the ledger over one event.
    ///
    /// - Parameter recordedAt: of its journal entry.
    package mutating func apply(_ event: IncidentEvent, recordedAt: Timestamp) {
        book.apply(event)
        applyToIncidents(event, recordedAt: recordedAt)
    }

    /// Takes the ledger over one entry of the journal.
    ///
    /// - Parameter personal: the entry's personal fields as `EntryOpener` gives them.
    /// - Returns: what it says about incidents; `nil` for entries about other things.
    package mutating func replay(_ entry: Entry, personal: [String: JSONValue?]) -> IncidentEvent? {
        if let event = SilenceEvent(entry, personal: personal) { apply(event) }
        guard let event = IncidentEvent(entry, personal: personal) else { return nil }
        apply(event, recordedAt: entry.recordedAt)
        return event
    }

    package mutating func apply(_ event: SilenceEvent) { silences.apply(event) }

    /// What is to be recorded for a finding. The book is taken forward over it, the incidents are not: `applyToIncidents` follows
    /// once it is durable.
    package mutating func record(
        _ finding: Finding, lines: [String?], by grouping: Grouping, now: Timestamp
    ) -> [IncidentEvent] {
        grouping.events(for: finding, lines: lines, book: &book, silences: silences, now: now).compactMap { event in
            // Rules raise from what rules said last; the history goes on from what is in force, and rules lower nothing.
            guard case .severityChanged(var change) = event, let incident = incidents[change.incident] else { return event }
            guard change.to > incident.severity else { return nil }
            change.from = incident.severity
            return .severityChanged(change)
        }
    }

    /// For events that the book has seen already, because they were decided on it.
    package mutating func applyToIncidents(_ event: IncidentEvent, recordedAt: Timestamp) {
        switch event {
        case .opened(let opened):
            incidents[opened.incident] = IncidentState(opened, recordedAt: recordedAt)
            if let request = opened.request { requests[request] = opened.incident }
        case .findingRecorded(let finding):
            if let incident = finding.incident { incidents[current(incident)]?.findingCount += 1 }
        case .severityChanged(let change):
            incidents[change.incident]?.apply(change, recordedAt: recordedAt)
            if let request = change.request { requests[request] = change.incident }
        case .changed(let change):
            incidents[change.incident]?.apply(change)
            applyToOther(change)
            if let request = change.request { requests[request] = change.incident }
        case .clockMissed(let missed): incidents[missed.incident]?.missed[missed.key] = missed.due
        case .page(let page):
            if case .intended(let intent) = page.what {
                if incidents[page.incident]?.pages[page.key] == nil {
                    incidents[page.incident]?.pages[page.key] = PageState(intent, at: page.at)
                }
            } else {
                incidents[page.incident]?.pages[page.key]?.apply(page)
            }
        }
    }

    /// The other incident of a merge or a split.
    private mutating func applyToOther(_ change: IncidentChange) {
        switch change.action {
        case .merge(let into):
            guard let source = incidents[change.incident] else { return }
            incidents[into]?.absorbed += [source.id] + source.absorbed
            incidents[into]?.findingCount += source.findingCount
            if let target = incidents[into] { incidents[into]?.firstSeen = min(target.firstSeen, source.firstSeen) }
        case .split(let into, let findings, _):
            incidents[into]?.findingCount += findings.count
            incidents[into]?.links.append(IncidentState.Link(kind: .related, incident: change.incident))
        default: return
        }
    }

    /// Where an id leads after merges.
    package func current(_ id: String) -> String {
        var id = id
        // Merging into what was merged is refused, so there is no circle; chains come from merging a target later.
        while let next = incidents[id]?.mergedInto { id = next }
        return id
    }
}

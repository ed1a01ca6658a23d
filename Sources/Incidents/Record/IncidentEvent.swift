package import Events

/// What the journal says about incidents: everything that can happen to one. The state is made of these and nothing else.
package enum IncidentEvent: Sendable, Equatable {
    case opened(IncidentOpened)
    case findingRecorded(FindingRecord)
    case severityChanged(SeverityChange)
    case changed(IncidentChange)
    case clockMissed(ClockMissed)
    case page(PageEvent)

    /// The incident it is about; `nil` for a finding that a silence took and that belongs to none.
    package var incident: String? {
        switch self {
        case .opened(let opened): opened.incident
        case .findingRecorded(let finding): finding.incident
        case .severityChanged(let change): change.incident
        case .changed(let change): change.incident
        case .clockMissed(let missed): missed.incident
        case .page(let page): page.incident
        }
    }
}

/// An incident begins: with the finding that is recorded next, or by somebody's word.
package struct IncidentOpened: Sendable, Equatable {
    package var incident: String
    package var title: String
    package var severity: Severity
    /// Event time of the first event behind it.
    package var firstSeen: Timestamp
    package var kind = IncidentKind.real
    package var author = Author.system
    /// See `IncidentChange.request`.
    package var request: String?

    package init(
        incident: String, title: String, severity: Severity, firstSeen: Timestamp, kind: IncidentKind = .real,
        author: Author = .system, request: String? = nil
    ) {
        self.incident = incident
        self.title = title
        self.severity = severity
        self.firstSeen = firstSeen
        self.kind = kind
        self.author = author
        self.request = request
    }
}

/// A severity is changed, never overwritten: the history stays.
package struct SeverityChange: Sendable, Equatable {
    package var incident: String
    package var from: Severity
    package var to: Severity
    /// `nil` once its author's key was erased.
    package var reason: String?
    package var at: Timestamp
    package var author = Author.system
    /// See `IncidentChange.request`.
    package var request: String?

    package init(
        incident: String, from: Severity, to: Severity, reason: String?, at: Timestamp, author: Author = .system,
        request: String? = nil
    ) {
        self.incident = incident
        self.from = from
        self.to = to
        self.reason = reason
        self.at = at
        self.author = author
        self.request = request
    }
}

/// A clock ran out. Its key makes it be recorded once.
package struct ClockMissed: Sendable, Equatable {
    package var incident: String
    package var key: String
    package var clock: String
    package var due: Timestamp
    /// When it was noticed.
    package var at: Timestamp

    package init(incident: String, key: String, clock: String, due: Timestamp, at: Timestamp) {
        self.incident = incident
        self.key = key
        self.clock = clock
        self.due = due
        self.at = at
    }
}

package import Events

/// What the journal says about incidents: everything that can happen to one. The state is made of these and nothing else.
package enum IncidentEvent: Sendable, Equatable {
    case opened(IncidentOpened)
    case findingRecorded(FindingRecord)
    case severityChanged(SeverityChange)
}

/// An incident begins, with the finding that is recorded next.
package struct IncidentOpened: Sendable, Equatable {
    package var incident: String
    package var title: String
    package var severity: Severity
    /// Event time of the first event behind it.
    package var firstSeen: Timestamp
}

/// A severity is changed, never overwritten: the history stays.
package struct SeverityChange: Sendable, Equatable {
    package var incident: String
    package var from: Severity
    package var to: Severity
    package var reason: String
    package var at: Timestamp
}

package import Events

/// One match of a rule, with the events that caused it.
package struct Finding: Sendable, Hashable {
    /// 128 bits in hex, the same whenever the same events are read again: see `FindingID`.
    package var id: String
    /// Event time of the event that completed it.
    package var time: Timestamp
    package var rule: RuleHeader
    /// Events, distinct values, or rules that were counted; 1 for a rule that looks at single events.
    package var count: Int
    package var firstSeen: Timestamp
    package var lastSeen: Timestamp
    package var sourceIP: String?
    package var userName: String?
    /// Every address that the counted events came from, where the rule does not group by address. Bounded.
    package var otherAddresses: [IPAddress]
    /// The events counted, oldest first; the newest `maximumEvidence` of them.
    package var evidence: [EventReference]

    /// More may have been counted than `count` says: the window, or the table of groups, had no room for all.
    package var isLowerBound = false

    package static let maximumEvidence = 64
    /// How many of the evidence's lines are shown and sealed with the finding.
    package static let maximumExcerptLines = 16
}

/// Where an event's line stands.
package struct EventReference: Sendable, Hashable {
    package var origin: BatchOrigin
    package var offset: Int64
    package var line: Int64
}

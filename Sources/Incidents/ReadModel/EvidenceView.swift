package import Events

/// A sealed item as a person reads it, with its chain of custody.
package struct EvidenceView: Sendable, Equatable {
    package var id: String
    /// The journal entry that sealed it.
    package var sequence: Int
    package var incident: String
    package var sha256: String
    package var size: Int
    package var name: String
    package var source: String
    package var collector: String
    package var host: String
    package var clockOffset: Int?
    package var occurredAt: Timestamp
    package var collectedAt: Timestamp
    /// RFC 3227: 1 goes first.
    package var volatility: Int
    package var marking: String
    package var isSuspicious: Bool
    package var isErased: Bool
    /// Oldest first.
    package var custody: [CustodyView]

    package init(
        id: String, sequence: Int, incident: String, sha256: String, size: Int, name: String, source: String, collector: String,
        host: String, clockOffset: Int?, occurredAt: Timestamp, collectedAt: Timestamp, volatility: Int, marking: String,
        isSuspicious: Bool, isErased: Bool = false, custody: [CustodyView] = []
    ) {
        self.id = id
        self.sequence = sequence
        self.incident = incident
        self.sha256 = sha256
        self.size = size
        self.name = name
        self.source = source
        self.collector = collector
        self.host = host
        self.clockOffset = clockOffset
        self.occurredAt = occurredAt
        self.collectedAt = collectedAt
        self.volatility = volatility
        self.marking = marking
        self.isSuspicious = isSuspicious
        self.isErased = isErased
        self.custody = custody
    }
}

/// What was done with an item: viewed, transferred, exported, erased.
package struct CustodyView: Sendable, Equatable {
    package var sequence: Int
    package var kind: String
    package var actor: String
    package var at: Timestamp
    package var text: String

    package init(sequence: Int, kind: String, actor: String, at: Timestamp, text: String) {
        self.sequence = sequence
        self.kind = kind
        self.actor = actor
        self.at = at
        self.text = text
    }
}

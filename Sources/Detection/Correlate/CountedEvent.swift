import Events

/// An event on its way into a correlation.
struct CountedEvent: Sendable, Hashable {
    /// Nanoseconds.
    var time: Int64
    /// An index into the engine's origins.
    var origin: Int32
    var offset: Int64
    var line: Int64
    /// Which of the correlation's rules it matches.
    var member: UInt16 = 0
    /// A keyed hash of the user name; 0 where there is none.
    var user: UInt32 = 0
    var address: IPAddress?
    /// A keyed hash of the value for value_count, the bits of a `Double` for sums and percentiles; 0 otherwise.
    var value: UInt64 = 0

    var reference: StoredReference { StoredReference(origin: origin, offset: offset, line: line) }
}

/// An `EventReference` with a number for its origin.
struct StoredReference: Sendable, Hashable {
    var origin: Int32
    var offset: Int64
    var line: Int64
}

/// What a finding brings along into the correlation that counts it.
struct FindingTrail: Sendable, Hashable {
    var firstSeen: Int64
    /// The newest `Finding.maximumEvidence`.
    var evidence: [StoredReference]
    var addresses: [IPAddress]
}

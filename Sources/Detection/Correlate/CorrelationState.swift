import Events

/// The windows of one correlation, by group, in shared arrays: some 130 bytes for a group with one event.
///
/// Bounded by the number of groups and by memory: see `Limits`. Deterministic: what is let go, and when, follows from the
/// events alone.
struct CorrelationState: Sendable {
    struct Limits: Sendable {
        /// Groups at once; the ones idle for longest go first, and are counted.
        var groups = 1 << 20
        /// Bytes of groups and events, as `byteCount` reckons them.
        var bytes = 256 << 20
        /// Entries beside the evidence that a group keeps; the oldest go first, and the finding says so.
        var olderEntries = 100_000
    }

    /// What has been left out. Shown, never silent.
    struct Counters: Sendable, Hashable {
        /// Groups given up for lack of room while they still counted.
        var evicted = 0
        /// Events that came too late for their window.
        var late = 0
        /// Events whose value was missing, or no number where one is needed.
        var ignored = 0
        /// Events that lack a group-by field.
        var ungrouped = 0
    }

    struct Group: Sendable, BitwiseCopyable {
        var hash: GroupHash
        /// The time of its newest event, in nanoseconds.
        var newest: Int64
        var silentUntil: Int64 = .min
        /// The time of the newest event that was dropped for lack of room: until it has run out, counts are lower bounds.
        var lostTime: Int64 = .min
        /// Its list of events, by time.
        var first = EventPool.none
        var last = EventPool.none
        /// Its neighbours in the order of activity.
        var elder = EventPool.none
        var younger = EventPool.none
        /// Events in the list.
        var count: UInt32 = 0
        /// A place in `older`.
        var older = EventPool.none
        /// It has fired and has not cleared since.
        var isRaised = false
    }

    let limits: Limits
    var counters = Counters()
    var pool: EventPool
    var groups: [Group] = []
    var index = HashIndex()
    /// value_count: which node has a value of a group.
    var distinct = HashIndex()
    var older: [OlderEvents?] = []
    var freeOlder: [UInt32] = []
    /// value_sum, value_avg: by group.
    var sums: [Int128] = []
    /// Percentiles: the values of each group in ascending order.
    var sorted: [[Double]] = []
    /// Chains: what the finding of a node brought along.
    var trails: [UInt32: FindingTrail] = [:]
    var absences = AbsenceState()
    /// The ends of the list of groups by activity, and the list of places that are free.
    var eldest = EventPool.none
    var youngest = EventPool.none
    var freeGroup = EventPool.none
    /// Bytes beside groups and nodes.
    var sideBytes = 0
    /// The time up to which counts may miss an evicted group's events.
    var incompleteUntil: Int64 = .min

    init(_ rule: CompiledCorrelation, limits: Limits = Limits()) {
        self.limits = limits
        pool = EventPool(keepsAddresses: rule.keepsAddresses, keepsValues: rule.kind.keepsValues)
    }

    var groupCount: Int { index.count }

    /// What the live groups and events take; not what the arrays have reserved.
    var byteCount: Int { groupCount * (MemoryLayout<Group>.stride + 13) + pool.count * pool.bytesPerNode + sideBytes }

    enum Outcome {
        case late, counted
        case fired(FiredWindow)
    }

    /// Counts `event` in its group; the window to report when that makes the group fire.
    mutating func count(
        _ event: CountedEvent, group hash: GroupHash, rule: CompiledCorrelation, trail: FindingTrail? = nil
    ) -> Outcome {
        let number = findOrMake(hash, event.time, rule)
        guard event.time >= groups[number].newest.minus(rule.lateness) else {
            counters.late += 1
            return .late
        }
        touch(number)
        groups[number].newest = max(groups[number].newest, event.time)
        prune(number, before: groups[number].newest.minus(rule.timespan))
        if groups[number].isRaised, isEmpty(number) || rule.clears(value(number, rule)) { groups[number].isRaised = false }
        insert(event, number, rule, trail)
        makeRoom(keeping: number, now: event.time, rule)
        if groups[number].isRaised {
            if rule.clears(value(number, rule)) { groups[number].isRaised = false }
            return .counted
        }
        guard event.time >= groups[number].silentUntil, isMet(number, rule) else { return .counted }
        groups[number].silentUntil = event.time.plus(rule.suppression)
        groups[number].isRaised = !rule.clear.isEmpty
        return .fired(window(number, rule, completing: event))
    }

    private func isEmpty(_ number: Int) -> Bool { groups[number].count == 0 }
}

extension CompiledCorrelation.Kind {
    /// Nodes carry a value and the group they belong to.
    var keepsValues: Bool {
        switch self {
        case .valueCount, .sum, .average, .median, .percentile: true
        case .eventCount, .temporal, .temporalOrdered, .absence: false
        }
    }
}

extension Int64 {
    /// Times near the ends of the range stay there.
    func plus(_ interval: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(interval)
        return overflow ? .max : sum
    }

    func minus(_ interval: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(interval)
        return overflow ? .min : difference
    }
}

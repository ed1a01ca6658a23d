import Events

/// The windows of one correlation, by group. Bounded: see `maximumGroups`.
struct CorrelationState: Sendable {
    /// More groups than this are not kept at once; the ones idle for longest go first, and are counted.
    static let maximumGroups = 200_000

    private(set) var windows: [[UInt8]: CorrelationWindow] = [:]
    private(set) var evicted = 0
    private(set) var late = 0
    /// The number of groups at which the next sweep comes. Part of the snapshot: a restart must not move a sweep, since
    /// what it lets go decides what is counted later.
    private(set) var sweepAt = 1024

    init() {}

    init(windows: [[UInt8]: CorrelationWindow], evicted: Int, late: Int, sweepAt: Int) {
        self.windows = windows
        self.evicted = evicted
        self.late = late
        self.sweepAt = sweepAt
    }

    /// Counts `event` in its group; the window to report when that makes the group fire.
    mutating func count(
        _ event: CountedEvent, group: [UInt8], rule: CompiledCorrelation, distinct: Bool
    ) -> CorrelationWindow? {
        if windows.count >= sweepAt, windows[group] == nil { sweep(now: event.time, timespan: rule.timespan) }
        switch windows[group, default: CorrelationWindow()].count(event, rule: rule, distinct: distinct) {
        case .late:
            late += 1
            return nil
        case .counted: return nil
        case .fired(let window): return window
        }
    }

    /// Drops the windows that have run out, and, if still too many are left, the older half.
    private mutating func sweep(now: Timestamp, timespan: Int64) {
        let horizon = now.advanced(byNanoseconds: -timespan)
        windows = windows.filter { ($0.value.newest ?? horizon) > horizon || $0.value.silentUntil > now }
        if windows.count >= CorrelationState.maximumGroups {
            let ages = windows.values.compactMap(\.newest).sorted()
            let median = ages[ages.count / 2]
            let before = windows.count
            windows = windows.filter { ($0.value.newest ?? median) > median }
            evicted += before - windows.count
        }
        sweepAt = min(max(1024, windows.count * 2), CorrelationState.maximumGroups)
    }
}

import Events

/// All that an engine remembers between events.
struct Correlator: Sendable {
    /// Bytes of all correlations together; the one that is growing then gives up its idlest groups.
    var maximumBytes = 1 << 30
    private(set) var byteCount = 0

    private(set) var states: [CorrelationState]
    var origins = OriginTable()
    /// Hashes group keys and values.
    var hashKey: HashKey
    /// The newest event time seen, or what `Engine.advance(to:)` said.
    var clock: Int64 = .min
    /// When the next absence is due; `max` for none.
    var nextDeadline: Int64 = .max
    /// Correlations that wait for time to pass.
    let absences: [Int]
    /// The key of the group at hand; kept from event to event for its storage.
    var groupKey: [UInt8] = []

    init(_ rules: [CompiledCorrelation], hashKey: HashKey) {
        states = rules.map { CorrelationState($0) }
        self.hashKey = hashKey
        absences = rules.indices.filter { rules[$0].kind == .absence }
    }

    /// Changes the state of one correlation, and keeps count of the memory of all.
    @inline(__always)
    mutating func update<Result>(
        _ index: Int, _ rule: CompiledCorrelation, now: Int64, _ change: (inout CorrelationState) -> Result
    ) -> Result {
        byteCount -= states[index].byteCount
        let result = change(&states[index])
        byteCount += states[index].byteCount
        if byteCount > maximumBytes {
            byteCount -= states[index].byteCount
            states[index].makeRoom(maximumBytes - byteCount, now: now, rule)
            byteCount += states[index].byteCount
        }
        return result
    }

    /// Takes up a state from a snapshot.
    mutating func adopt(_ state: CorrelationState, at index: Int) {
        byteCount += state.byteCount - states[index].byteCount
        states[index] = state
    }
}

/// What one correlation holds and has left out.
package struct CorrelationStatistics: Sendable, Hashable {
    package var ruleID: String
    package var title: String
    package var groups: Int
    /// Events kept, of all groups.
    package var events: Int
    /// What they take; arrays may have reserved up to twice that.
    package var bytes: Int
    /// Groups given up for lack of room while they still counted.
    package var evictedGroups: Int
    /// Events that came too late for their window.
    package var late: Int
    /// Events whose value was missing, or no number where one is needed.
    package var ignoredValues: Int
    /// Events that lack a group-by field.
    package var ungrouped: Int
}

extension Engine {
    /// Per correlation, in the order of the rules.
    package var correlationStatistics: [CorrelationStatistics] {
        zip(ruleSet.correlations, correlator.states).map { rule, state in
            CorrelationStatistics(
                ruleID: rule.header.id, title: rule.header.title, groups: state.groupCount, events: state.pool.count,
                bytes: state.byteCount, evictedGroups: state.counters.evicted, late: state.counters.late,
                ignoredValues: state.counters.ignored, ungrouped: state.counters.ungrouped)
        }
    }

    /// Events that came too late for their window, and groups given up for lack of room: shown, never silent.
    package var counters: (late: Int, evictedGroups: Int) {
        correlator.states.reduce((0, 0)) { ($0.0 + $1.counters.late, $0.1 + $1.counters.evicted) }
    }
}

package import Events

/// What an engine remembers between events, to go on after a restart as if there had been none.
package struct EngineSnapshot: Sendable, Equatable {
    /// Where the events that are kept come from; only those.
    package var origins: [BatchOrigin]
    package var correlations: [Windows]
    package var hashKey: HashKey
    /// The event time that absences go by, in nanoseconds.
    package var clock: Int64

    /// The windows of one correlation. Rules change between starts: windows of another definition are let go.
    package struct Windows: Sendable, Equatable {
        package var ruleID: String
        /// Of what decides what is counted: the correlation, the rules that it counts, their filters, and the pipelines.
        package var definition: String
        /// Compact, and of a version of their own: see `CorrelationState+coding`.
        package var bytes: [UInt8]

        package init(ruleID: String, definition: String, bytes: [UInt8]) {
            self.ruleID = ruleID
            self.definition = definition
            self.bytes = bytes
        }
    }

    package init(origins: [BatchOrigin], correlations: [Windows], hashKey: HashKey, clock: Int64) {
        self.origins = origins
        self.correlations = correlations
        self.hashKey = hashKey
        self.clock = clock
    }
}

extension Engine {
    package func snapshot() -> EngineSnapshot {
        var used: Set<Int32> = []
        for state in correlator.states { state.collectOrigins(into: &used) }
        let kept = used.sorted()
        let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($0.element, $0.offset) })
        return EngineSnapshot(
            origins: kept.map { correlator.origins[$0] },
            correlations: zip(ruleSet.correlations, correlator.states).map { rule, state in
                EngineSnapshot.Windows(
                    ruleID: rule.header.id, definition: rule.definitionHash, bytes: state.encode { places[$0] ?? 0 })
            },
            hashKey: correlator.hashKey, clock: correlator.clock)
    }

    /// Takes up where a snapshot was made: by this rule set, or by one that it follows.
    ///
    /// - Returns: the ids of correlations whose windows were let go, because the rule is gone, what it counts has changed,
    ///   or the bytes make no sense (damaged, or of a version that this one does not know). Those start empty.
    package mutating func restore(_ snapshot: EngineSnapshot) -> [String] {
        correlator = Correlator(ruleSet.correlations, hashKey: snapshot.hashKey)
        correlator.origins = OriginTable(snapshot.origins)
        correlator.clock = snapshot.clock
        var dropped: [String] = []
        for windows in snapshot.correlations {
            let index = ruleSet.correlations.firstIndex {
                $0.header.id == windows.ruleID && $0.definitionHash == windows.definition
            }
            if let index,
                let state = try? CorrelationState(
                    decoding: windows.bytes, ruleSet.correlations[index], originCount: snapshot.origins.count)
            {
                correlator.adopt(state, at: index)
            } else {
                dropped.append(windows.ruleID)
            }
        }
        correlator.nextDeadline = correlator.absences.map { correlator.states[$0].nextDeadline }.min() ?? .max
        return dropped
    }
}

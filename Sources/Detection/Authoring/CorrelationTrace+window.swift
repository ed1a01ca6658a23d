import Events

/// What the engine holds of a group once it has counted.
extension CorrelationTrace {
    private struct GroupPlace: Hashable {
        var correlation: Int
        var key: [UInt8]
    }

    /// Looks up what became of the groups that were counted in.
    mutating func settle(from first: Int) {
        var last: [GroupPlace: Int] = [:]
        let counted = (first..<visits.count).filter { visits[$0].member != nil && visits[$0].outcome == .counted }
        for place in counted { last[GroupPlace(correlation: visits[place].correlation, key: visits[place].key)] = place }
        for place in counted {
            let visit = visits[place]
            let state = engine.correlator.states[visit.correlation]
            let rule = ruleSet.correlations[visit.correlation]
            let number = state.find(SipHash.hash128(visit.key.span, engine.correlator.hashKey))
            if state.counters.late > (leftOut[visit.correlation]?.late ?? 0), visit.finding == nil,
                isLate(visit, number.map { state.groups[$0].newest }, rule)
            {
                visits[place].outcome = .late
                continue
            }
            guard let number, last[GroupPlace(correlation: visit.correlation, key: visit.key)] == place else { continue }
            var window = Window(state, number, rule)
            if rule.kind == .absence { settle(place, number, state, rule, &window) }
            visits[place].window = window
        }
    }

    /// Only asked where the engine has counted one as late: whether it was this one.
    private func isLate(_ visit: Visit, _ newest: Int64?, _ rule: CompiledCorrelation) -> Bool {
        let time = visit.time.nanoseconds
        if rule.kind == .absence { return time.plus(rule.timespan).plus(rule.lateness) < engine.correlator.clock }
        return newest.map { time < $0.minus(rule.lateness) } ?? false
    }

    /// Whether it waits, or what it answered.
    private mutating func settle(
        _ place: Int, _ number: Int, _ state: CorrelationState, _ rule: CompiledCorrelation, _ window: inout Window
    ) {
        let visit = visits[place]
        var left: Set<StoredPlace> = []
        for event in state.kept(number) where event.member == 0 {
            left.insert(StoredPlace(offset: event.offset, line: event.line))
        }
        if visit.member == 0 {
            window.waits = left.contains(visit.event)
            if window.waits { waiting.append(place) }
            // Its time may have been up at once.
            let isUp = visits[place...].contains {
                $0.correlation == visit.correlation && $0.member == nil && $0.event == visit.event
            }
            if isUp { window.waits = true }
            return
        }
        let answered = waiting.filter {
            let asked = visits[$0]
            return asked.correlation == visit.correlation && asked.time <= visit.time
                && visit.time.nanoseconds <= asked.time.nanoseconds.plus(rule.timespan) && asked.key == visit.key
                && !left.contains(asked.event)
        }
        window.answers = answered.map { visits[$0].event.line }
        waiting.removeAll { answered.contains($0) }
    }
}

extension CorrelationTrace.Window {
    fileprivate init(_ state: CorrelationState, _ number: Int, _ rule: CompiledCorrelation) {
        let group = state.groups[number]
        value = state.value(number, rule)
        total = state.total(number)
        isMet = state.isMet(number, rule)
        members = state.kept(number).map { Int($0.member) }
        silentUntil = Timestamp(nanoseconds: group.silentUntil)
        isRaised = group.isRaised
    }
}

extension CorrelationState {
    /// The events of a group's list, oldest first: of temporal correlations and absences all that it has.
    fileprivate func kept(_ number: Int) -> [CountedEvent] {
        var events: [CountedEvent] = []
        var node = groups[number].first
        while node != EventPool.none {
            events.append(pool.event(node))
            node = pool[node].next
        }
        return events
    }
}

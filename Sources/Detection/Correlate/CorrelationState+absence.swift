import Events

/// A is not followed by B within the timespan. Member 0 is A, member 1 is B.
extension CorrelationState {
    struct Unanswered: Sendable {
        var window: FiredWindow
        var context: AbsenceState.Context
        /// When time was up.
        var time: Int64
    }

    /// The earliest moment at which something may be unanswered; `max` for none.
    var nextDeadline: Int64 { absences.deadlines.first?.time ?? .max }

    /// Takes an A to wait for its B, or a B that answers every A of the timespan before it.
    mutating func await(
        _ event: CountedEvent, group hash: GroupHash, now: Int64, rule: CompiledCorrelation,
        context: @autoclosure () -> AbsenceState.Context,
        trail: FindingTrail? = nil
    ) {
        guard event.time.plus(rule.timespan).plus(rule.lateness) >= now else {
            counters.late += 1
            return
        }
        let number = findOrMake(hash, event.time, rule)
        touch(number)
        groups[number].newest = max(groups[number].newest, event.time)
        pruneAnswers(number, before: now.minus(rule.timespan).minus(rule.lateness))
        if event.member == 1 {
            answer(event.time, number, rule)
            insert(event, number, rule, trail)
        } else if !isAnswered(event.time, number, rule) {
            let oldest = oldestWaiting(number)
            insert(event, number, rule, trail)
            if oldestWaiting(number) != oldest { pushDeadline(number, rule) }
            let known = absences.contexts[UInt32(number)]
            let context = context()
            sideBytes += context.byteCount - (known?.byteCount ?? 0)
            absences.contexts[UInt32(number)] = context
        }
        makeRoom(keeping: number, now: event.time, rule)
    }

    /// The next A whose time was up before `now`; call until there is none.
    mutating func takeUnanswered(before now: Int64, rule: CompiledCorrelation) -> Unanswered? {
        while let entry = absences.deadlines.first, entry.time < now {
            absences.deadlines.removeFirst()
            let number = Int(entry.group)
            guard let context = absences.contexts[entry.group], let node = oldestWaiting(number),
                pool[node].time.plus(rule.timespan).plus(rule.lateness) == entry.time
            else { continue }
            let up = pool[node].time.plus(rule.timespan)
            let isSilent = up < groups[number].silentUntil
            let window = isSilent ? nil : waitingWindow(number, rule)
            remove(node, from: number)
            if oldestWaiting(number) != nil { pushDeadline(number, rule) } else { forget(number) }
            guard let window else { continue }
            groups[number].silentUntil = up.plus(rule.suppression)
            return Unanswered(window: window, context: context, time: up)
        }
        return nil
    }

    /// Makes the deadlines anew, after a restart.
    mutating func restoreDeadlines(rule: CompiledCorrelation) {
        for number in absences.contexts.keys.sorted() { pushDeadline(Int(number), rule) }
    }

    private mutating func pushDeadline(_ number: Int, _ rule: CompiledCorrelation) {
        guard let node = oldestWaiting(number) else { return }
        let event = pool[node]
        absences.deadlines.insert(
            DeadlineHeap.Entry(
                time: event.time.plus(rule.timespan).plus(rule.lateness), origin: event.origin, group: UInt32(number),
                offset: event.offset))
    }

    private mutating func forget(_ number: Int) {
        if let context = absences.contexts.removeValue(forKey: UInt32(number)) { sideBytes -= context.byteCount }
    }

    private func oldestWaiting(_ number: Int) -> UInt32? {
        var node = groups[number].first
        while node != EventPool.none, pool[node].member != 0 { node = pool[node].next }
        return node == EventPool.none ? nil : node
    }

    private func isAnswered(_ time: Int64, _ number: Int, _ rule: CompiledCorrelation) -> Bool {
        var node = groups[number].first
        while node != EventPool.none {
            let event = pool[node]
            if event.member == 1, event.time >= time, event.time <= time.plus(rule.timespan) { return true }
            node = event.next
        }
        return false
    }

    private mutating func answer(_ time: Int64, _ number: Int, _ rule: CompiledCorrelation) {
        let oldest = oldestWaiting(number)
        var node = groups[number].first
        while node != EventPool.none {
            let event = pool[node]
            if event.member == 0, event.time <= time, time <= event.time.plus(rule.timespan) { remove(node, from: number) }
            node = event.next
        }
        let left = oldestWaiting(number)
        if left == nil { forget(number) } else if left != oldest { pushDeadline(number, rule) }
    }

    /// Answers are kept as long as a question to them may still come.
    private mutating func pruneAnswers(_ number: Int, before horizon: Int64) {
        while groups[number].first != EventPool.none, pool[groups[number].first].time < horizon,
            pool[groups[number].first].member == 1
        {
            remove(groups[number].first, from: number)
        }
    }

    private func waitingWindow(_ number: Int, _ rule: CompiledCorrelation) -> FiredWindow? {
        var waiting: [UInt32] = []
        var node = groups[number].first
        while node != EventPool.none {
            if pool[node].member == 0 { waiting.append(node) }
            node = pool[node].next
        }
        let events = waiting.map(pool.event)
        guard let first = events.first, let last = events.last else { return nil }
        let addresses = Set(events.compactMap(\.address)).sorted()
        let trails = waiting.map { self.trails[$0] }
        return FiredWindow(
            count: events.count, isLowerBound: groups[number].lostTime >= first.time, firstSeen: first.time, lastSeen: last.time,
            events: events, trails: trails, hasOneUser: events.allSatisfy { $0.user == last.user },
            hasOneAddress: addresses.count <= 1, addresses: addresses)
    }
}

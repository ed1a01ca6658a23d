/// The events of a group: the newest in its list, those beyond the evidence in `older`.
extension CorrelationState {
    /// Lets go of what is older than the window.
    mutating func prune(_ number: Int, before horizon: Int64) {
        let place = groups[number].older
        if place != EventPool.none {
            while let first = older[Int(place)]?.firstTime, first < horizon { removeOldestOlder(number) }
            if older[Int(place)]?.entryCount == 0 { releaseOlder(number) }
        }
        while groups[number].first != EventPool.none, pool[groups[number].first].time < horizon {
            subtract(pool.value(groups[number].first), number)
            remove(groups[number].first, from: number)
        }
    }

    mutating func insert(_ event: CountedEvent, _ number: Int, _ rule: CompiledCorrelation, _ trail: FindingTrail?) {
        switch rule.kind {
        case .valueCount: insertDistinct(event, number, rule, trail)
        case .temporal: insertMember(event, number, trail)
        case .temporalOrdered, .absence:
            insertNode(event, number, trail)
            thin(number)
        case .eventCount, .sum, .average, .median, .percentile:
            add(event.value, number, rule.kind)
            let isFull = groups[number].count >= Finding.maximumEvidence
            if isFull, event.time < pool[groups[number].first].time {
                demote(event, number, rule)
            } else {
                insertNode(event, number, trail)
                guard isFull else { return }
                let oldest = groups[number].first
                demote(pool.event(oldest), number, rule)
                // Its value stays in the window.
                remove(oldest, from: number)
            }
        }
    }

    /// Into the list, behind everything that is not newer.
    @discardableResult
    mutating func insertNode(_ event: CountedEvent, _ number: Int, _ trail: FindingTrail?) -> UInt32 {
        let node = pool.make(event, owner: UInt32(number))
        var before = groups[number].last
        while before != EventPool.none, pool[before].time > event.time { before = pool[before].previous }
        let after = before == EventPool.none ? groups[number].first : pool[before].next
        pool[node].previous = before
        pool[node].next = after
        if before == EventPool.none { groups[number].first = node } else { pool[before].next = node }
        if after == EventPool.none { groups[number].last = node } else { pool[after].previous = node }
        groups[number].count += 1
        if let trail {
            trails[node] = trail
            sideBytes += trail.byteCount
        }
        return node
    }

    /// Out of the list.
    mutating func remove(_ node: UInt32, from number: Int) {
        let (before, after) = (pool[node].previous, pool[node].next)
        if before == EventPool.none { groups[number].first = after } else { pool[before].next = after }
        if after == EventPool.none { groups[number].last = before } else { pool[after].previous = before }
        groups[number].count -= 1
        if distinct.count > 0 { distinct.remove(CorrelationState.mix(pool.value(node), number), node) }
        if !trails.isEmpty, let trail = trails.removeValue(forKey: node) { sideBytes -= trail.byteCount }
        pool.release(node)
    }

    // MARK: Distinct values

    /// Values are keyed hashes; the same value in two groups is two entries.
    private static func mix(_ value: UInt64, _ number: Int) -> UInt64 {
        value ^ UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
    }

    /// Of each value the newest event is kept: what is in the window is then what counts.
    private mutating func insertDistinct(
        _ event: CountedEvent, _ number: Int, _ rule: CompiledCorrelation, _ trail: FindingTrail?
    ) {
        let hash = CorrelationState.mix(event.value, number)
        let known = distinct.find(hash) {
            pool.values[Int($0)] == event.value && pool.owners[Int($0)] == UInt32(truncatingIfNeeded: number)
        }
        if let known {
            guard pool[known].time <= event.time else { return }
            remove(known, from: number)
        }
        let node = insertNode(event, number, trail)
        distinct.insert(hash, node)
        guard groups[number].count > rule.distinctCapacity else { return }
        groups[number].lostTime = max(groups[number].lostTime, pool[groups[number].first].time)
        remove(groups[number].first, from: number)
    }

    /// Of each rule the newest event is kept.
    private mutating func insertMember(_ event: CountedEvent, _ number: Int, _ trail: FindingTrail?) {
        var node = groups[number].first
        while node != EventPool.none, pool[node].member != event.member { node = pool[node].next }
        if node != EventPool.none {
            guard pool[node].time <= event.time else { return }
            remove(node, from: number)
        }
        insertNode(event, number, trail)
    }

    /// Keeps a list of orders short: an event between two of the same rule says nothing that they do not say. Only when
    /// there is none such does the oldest go.
    private mutating func thin(_ number: Int) {
        guard groups[number].count > Finding.maximumEvidence else { return }
        var node = pool[groups[number].first].next
        while node != EventPool.none, pool[node].next != EventPool.none {
            let kept = pool[node]
            if pool[kept.previous].member == kept.member, pool[kept.next].member == kept.member {
                remove(node, from: number)
                return
            }
            node = kept.next
        }
        groups[number].lostTime = max(groups[number].lostTime, pool[groups[number].first].time)
        remove(groups[number].first, from: number)
    }

    // MARK: Taking up a snapshot

    /// Appends an event that the group had, with what depends on it.
    mutating func adopt(_ event: CountedEvent, _ number: Int, _ rule: CompiledCorrelation, _ trail: FindingTrail?) {
        let node = insertNode(event, number, trail)
        if rule.kind == .valueCount { distinct.insert(CorrelationState.mix(event.value, number), node) }
        add(event.value, number, rule.kind)
    }

    mutating func adopt(_ events: OlderEvents, _ number: Int, _ rule: CompiledCorrelation) {
        older.append(events)
        groups[number].older = UInt32(older.count - 1)
        sideBytes += 16 * events.entryCount
        if !events.countsByTime { for entry in events.entries { add(entry.payload, number, rule.kind) } }
    }

    // MARK: Beyond the evidence

    private mutating func demote(_ event: CountedEvent, _ number: Int, _ rule: CompiledCorrelation) {
        if groups[number].older == EventPool.none {
            let made = OlderEvents(countsByTime: rule.kind == .eventCount, first: event)
            if let place = freeOlder.popLast() {
                older[Int(place)] = made
                groups[number].older = place
            } else {
                older.append(made)
                groups[number].older = UInt32(older.count - 1)
            }
        }
        let place = Int(groups[number].older)
        let before = older[place]?.entryCount ?? 0
        older[place]?.insert(event)
        let after = older[place]?.entryCount ?? 0
        sideBytes += 16 * (after - before)
        if after > limits.olderEntries, let first = older[place]?.firstTime {
            groups[number].lostTime = max(groups[number].lostTime, first)
            removeOldestOlder(number)
        }
    }

    private mutating func removeOldestOlder(_ number: Int) {
        let place = Int(groups[number].older)
        guard let countsByTime = older[place]?.countsByTime, let removed = older[place]?.removeFirst() else { return }
        sideBytes -= 16
        if !countsByTime { subtract(removed.payload, number) }
    }
}

extension FindingTrail {
    var byteCount: Int { 64 + evidence.count * 24 + addresses.count * 16 }
}

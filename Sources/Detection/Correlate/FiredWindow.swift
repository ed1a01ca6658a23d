import Events

/// What a group that fires shows of itself.
struct FiredWindow: Sendable {
    /// Events, distinct values or distinct rules.
    var count: Int
    /// More may have been in the window than were kept.
    var isLowerBound: Bool
    var firstSeen: Int64
    var lastSeen: Int64
    /// The newest, oldest first; at most `Finding.maximumEvidence`.
    var events: [CountedEvent]
    /// By event: what the findings among them brought along.
    var trails: [FindingTrail?]
    /// Whether every event is of the same user, or from the same address, as the one that completed it.
    var hasOneUser: Bool
    var hasOneAddress: Bool
    /// Ascending, each once.
    var addresses: [IPAddress]
}

extension CorrelationState {
    /// Longer lists are not walked through to see whether all agree: then they do not.
    private static let maximumWalk = 4096

    func window(_ number: Int, _ rule: CompiledCorrelation, completing event: CountedEvent) -> FiredWindow {
        let group = groups[number]
        let beyond = group.older == EventPool.none ? nil : older[Int(group.older)]
        var events: [CountedEvent] = []
        var trails: [FindingTrail?] = []
        var addresses: Set<IPAddress> = []
        var hasOneUser = beyond.map { !$0.usersDiffer && $0.user == event.user } ?? true
        var hasOneAddress = beyond.map { !$0.addressesDiffer && $0.address == event.address } ?? true
        var walked = 0
        var node = group.last
        while node != EventPool.none, walked < CorrelationState.maximumWalk {
            let kept = pool.event(node)
            if events.count < Finding.maximumEvidence {
                events.append(kept)
                trails.append(self.trails[node])
            }
            if kept.user != event.user { hasOneUser = false }
            if let address = kept.address { addresses.insert(address) }
            for address in self.trails[node]?.addresses ?? [] { addresses.insert(address) }
            walked += 1
            node = pool[node].previous
        }
        if node != EventPool.none {
            hasOneUser = false
            hasOneAddress = false
        }
        if addresses.count > 1 { hasOneAddress = false }
        let oldest = beyond?.firstTime ?? (group.first == EventPool.none ? event.time : pool[group.first].time)
        return FiredWindow(
            count: rule.kind == .temporalOrdered ? membersIn(number) : total(number),
            isLowerBound: group.lostTime >= group.newest.minus(rule.timespan) || incompleteUntil >= event.time,
            firstSeen: trails.compactMap { $0?.firstSeen }.reduce(oldest, min),
            lastSeen: group.last == EventPool.none ? event.time : pool[group.last].time, events: events.reversed(),
            trails: trails.reversed(), hasOneUser: hasOneUser, hasOneAddress: hasOneAddress, addresses: addresses.sorted())
    }

    private func membersIn(_ number: Int) -> Int {
        var seen: Set<UInt16> = []
        var node = groups[number].first
        while node != EventPool.none {
            seen.insert(pool[node].member)
            node = pool[node].next
        }
        return seen.count
    }
}

extension FiredWindow {
    /// Where its events stand, oldest first; of findings, where theirs stand. Each once, the newest that have room.
    var evidence: [StoredReference] {
        var seen: Set<StoredReference> = []
        var kept: [StoredReference] = []
        for (event, trail) in zip(events, trails) {
            for reference in trail?.evidence ?? [event.reference] where seen.insert(reference).inserted { kept.append(reference) }
        }
        return Array(kept.suffix(Finding.maximumEvidence))
    }
}

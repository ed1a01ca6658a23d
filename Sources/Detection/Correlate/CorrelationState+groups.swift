extension CorrelationState {
    /// The group's place; made if it is new, and then up to two groups that ran out long ago make room for it.
    mutating func findOrMake(_ hash: GroupHash, _ time: Int64, _ rule: CompiledCorrelation) -> Int {
        if let known = find(hash) { return known }
        for _ in 0..<2 {
            guard eldest != EventPool.none, hasRunOut(Int(eldest), now: time, rule, spare: rule.timespan) else { break }
            release(Int(eldest))
        }
        while index.count >= limits.groups, eldest != EventPool.none { evictEldest(now: time, rule) }
        return make(hash, time)
    }

    func find(_ hash: GroupHash) -> Int? {
        index.find(hash.low) { groups[Int($0)].hash == hash }.map(Int.init)
    }

    mutating func make(_ hash: GroupHash, _ time: Int64) -> Int {
        let number: Int
        if freeGroup != EventPool.none {
            number = Int(freeGroup)
            freeGroup = groups[number].younger
            groups[number] = Group(hash: hash, newest: time)
        } else {
            number = groups.count
            groups.append(Group(hash: hash, newest: time))
        }
        index.insert(hash.low, UInt32(number))
        append(number)
        return number
    }

    /// Whether nothing that may still come in order can be counted with what the group holds.
    private func hasRunOut(_ number: Int, now: Int64, _ rule: CompiledCorrelation, spare: Int64) -> Bool {
        let group = groups[number]
        if rule.kind == .absence, absences.contexts[UInt32(number)] != nil { return false }
        return group.newest.plus(rule.timespan).plus(spare) < now && group.silentUntil.plus(spare) <= now
    }

    /// Gives groups up, the one idle for longest first, until the rest fits.
    mutating func makeRoom(keeping number: Int, now: Int64, _ rule: CompiledCorrelation) {
        while byteCount > limits.bytes, eldest != EventPool.none, Int(eldest) != number { evictEldest(now: now, rule) }
    }

    /// Likewise, until so many bytes suffice; the most recently active group stays.
    mutating func makeRoom(_ bytes: Int, now: Int64, _ rule: CompiledCorrelation) {
        while byteCount > bytes, eldest != youngest { evictEldest(now: now, rule) }
    }

    private mutating func evictEldest(now: Int64, _ rule: CompiledCorrelation) {
        let number = Int(eldest)
        if !hasRunOut(number, now: now, rule, spare: 0) {
            counters.evicted += 1
            incompleteUntil = max(incompleteUntil, groups[number].newest.plus(rule.timespan))
        }
        release(number)
    }

    /// Takes the group and its events away.
    mutating func release(_ number: Int) {
        while groups[number].first != EventPool.none { remove(groups[number].first, from: number) }
        releaseOlder(number)
        if number < sorted.count {
            sideBytes -= 8 * sorted[number].count
            sorted[number] = []
        }
        if number < sums.count { sums[number] = 0 }
        if let context = absences.contexts.removeValue(forKey: UInt32(number)) { sideBytes -= context.byteCount }
        index.remove(groups[number].hash.low, UInt32(number))
        unlink(number)
        groups[number].younger = freeGroup
        freeGroup = UInt32(number)
    }

    mutating func releaseOlder(_ number: Int) {
        let place = groups[number].older
        guard place != EventPool.none else { return }
        sideBytes -= 16 * (older[Int(place)]?.entryCount ?? 0)
        older[Int(place)] = nil
        freeOlder.append(place)
        groups[number].older = EventPool.none
    }

    // MARK: The order of activity

    /// Makes it the most recently active.
    mutating func touch(_ number: Int) {
        guard youngest != UInt32(number) else { return }
        unlink(number)
        append(number)
    }

    private mutating func append(_ number: Int) {
        groups[number].elder = youngest
        groups[number].younger = EventPool.none
        if youngest != EventPool.none { groups[Int(youngest)].younger = UInt32(number) } else { eldest = UInt32(number) }
        youngest = UInt32(number)
    }

    private mutating func unlink(_ number: Int) {
        let (elder, younger) = (groups[number].elder, groups[number].younger)
        if elder != EventPool.none { groups[Int(elder)].younger = younger } else { eldest = younger }
        if younger != EventPool.none { groups[Int(younger)].elder = elder } else { youngest = elder }
    }
}

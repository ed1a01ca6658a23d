import Events

/// What a match leads to.
extension Engine {
    private func range(_ field: FieldID, _ batch: EventBatch) -> ByteRange? {
        let index = Int(field.rawValue)
        return valueCount(of: index) > 0 ? batch.fields[firstValue(of: index)].range : nil
    }

    /// A finding of its own, a count in the correlations that the rule feeds, or both.
    mutating func conclude(_ rule: Int, _ event: EventRecord, _ batch: EventBatch, _ findings: inout [Finding]) {
        let compiled = rules[rule]
        if compiled.value.isReported {
            let reference = EventReference(origin: batch.origin, offset: event.offset, line: event.lineNumber)
            findings.append(
                Finding(
                    id: FindingID.make(rule: compiled.value.header.id, first: reference), time: event.time,
                    rule: compiled.value.header,
                    count: 1, firstSeen: event.time, lastSeen: event.time, sourceIP: range(.sourceIP, batch).map(batch.text),
                    userName: range(.userName, batch).map(batch.text), otherAddresses: [], evidence: [reference]))
        }
        guard !compiled.value.feeds.isEmpty else { return }
        let cause = Cause(event: counted(event, batch))
        for index in compiled.value.feeds.indices { count(cause, compiled.value.feeds[index], batch, &findings) }
    }

    /// The event at hand as correlations keep it; made for the first rule that matches it.
    private mutating func counted(_ event: EventRecord, _ batch: EventBatch) -> CountedEvent {
        if countedStamp == stamp { return countedEvent }
        let user = range(.userName, batch)
        countedEvent = CountedEvent(
            time: event.time.nanoseconds, origin: correlator.origins.index(of: batch.origin), offset: event.offset,
            line: event.lineNumber,
            user: user.map { UInt32(truncatingIfNeeded: hash(batch, $0)) | 1 } ?? 0,
            address: range(.sourceIP, batch).flatMap { IPAddress(batch.bytes.span.extracting($0.bounds)) })
        countedStamp = stamp
        return countedEvent
    }

    private func hash(_ batch: EventBatch, _ range: ByteRange) -> UInt64 {
        SipHash.hash64(batch.bytes.span.extracting(range.bounds), correlator.hashKey)
    }

    // MARK: Correlations

    /// What is counted: an event that matched, or the finding of a correlation.
    struct Cause {
        var event: CountedEvent
        /// For findings: what they bring along, and the group key they were found under.
        var trail: FindingTrail?
        var innerKey: [UInt8] = []
        /// For absences, which have no event at hand.
        var sourceIP: String?
        var userName: String?
    }

    /// Counts in one correlation. With the batch's event loaded, or for an absence with an empty batch and none loaded.
    mutating func count(_ cause: Cause, _ feed: CorrelationFeed, _ batch: EventBatch, _ findings: inout [Finding]) {
        let index = feed.correlation
        let rule = correlations[index]
        var event = cause.event
        // Lent to this count for its storage; a count that this one leads to has its own.
        var key: [UInt8] = []
        swap(&key, &correlator.groupKey)
        defer { swap(&key, &correlator.groupKey) }
        event.member = UInt16(truncatingIfNeeded: feed.member)
        switch rule.value.kind {
        case .eventCount, .temporal, .temporalOrdered, .absence: break
        case .valueCount:
            guard makeKey(rule.value.members[feed.member].values, cause, batch, groupsMissing: false, into: &key) else {
                correlator.update(index, rule.value, now: event.time) { $0.counters.ignored += 1 }
                return
            }
            event.value = SipHash.hash64(key.span, correlator.hashKey)
        case .sum, .average, .median, .percentile:
            guard let number = number(rule.value.members[feed.member].values[0], cause, batch) else {
                correlator.update(index, rule.value, now: event.time) { $0.counters.ignored += 1 }
                return
            }
            event.value = number.bitPattern
        }
        let groupBy = rule.value.members[feed.member].groupBy
        let groupsMissing = rule.value.groupsMissing
        guard let group = group(groupBy, cause, batch, groupsMissing: groupsMissing, &key) else {
            correlator.update(index, rule.value, now: event.time) { $0.counters.ungrouped += 1 }
            return
        }
        if rule.value.kind == .absence {
            _ = makeKey(groupBy, cause, batch, groupsMissing: groupsMissing, into: &key)
            let context = AbsenceState.Context(
                key: key, sourceIP: cause.sourceIP ?? range(.sourceIP, batch).map(batch.text),
                userName: cause.userName ?? range(.userName, batch).map(batch.text))
            let clock = correlator.clock
            correlator.update(index, rule.value, now: event.time) {
                $0.await(event, group: group, now: clock, rule: rule.value, context: context, trail: cause.trail)
            }
            correlator.nextDeadline = min(correlator.nextDeadline, correlator.states[index].nextDeadline)
            return
        }
        let outcome = correlator.update(index, rule.value, now: event.time) {
            $0.count(event, group: group, rule: rule.value, trail: cause.trail)
        }
        guard case .fired(let window) = outcome else { return }
        _ = makeKey(groupBy, cause, batch, groupsMissing: groupsMissing, into: &key)
        report(
            index, window, Timestamp(nanoseconds: event.time), key: key,
            sourceIP: cause.sourceIP ?? range(.sourceIP, batch).map(batch.text),
            userName: cause.userName ?? range(.userName, batch).map(batch.text), event, batch, &findings)
    }

    /// The group that the cause belongs to; `nil` where it lacks a field. `key` is scratch: not for every group one is written.
    @inline(__always)
    private mutating func group(
        _ groupBy: [CompiledCorrelation.MemberField], _ cause: Cause, _ batch: EventBatch, groupsMissing: Bool,
        _ key: inout [UInt8]
    ) -> GroupHash? {
        // Several correlations count one rule by the same field, most of them by an address.
        let isSole = groupBy.count == 1 && !groupsMissing && groupBy[0].component == nil
        if isSole, cause.trail == nil, recentGroup.stamp == stamp, recentGroup.field == groupBy[0].field {
            return recentGroup.hash
        }
        guard makeKey(groupBy, cause, batch, groupsMissing: groupsMissing, into: &key) else { return nil }
        let hash = SipHash.hash128(key.span, correlator.hashKey)
        if isSole, cause.trail == nil { recentGroup = RecentGroup(stamp: stamp, field: groupBy[0].field, hash: hash) }
        return hash
    }

    /// Makes the finding of a window, and passes it on to the correlations that count it.
    mutating func report(
        _ index: Int, _ window: FiredWindow, _ time: Timestamp, key: [UInt8], sourceIP: String?, userName: String?,
        _ event: CountedEvent, _ batch: EventBatch, _ findings: inout [Finding]
    ) {
        let rule = correlations[index]
        let evidence = window.evidence
        let origins = correlator.origins
        let reference = { (stored: StoredReference) in
            EventReference(origin: origins[stored.origin], offset: stored.offset, line: stored.line)
        }
        let references = evidence.map(reference)
        guard let first = references.first else { return }
        let others = rule.value.isByAddress ? [] : Array(window.addresses.prefix(Finding.maximumEvidence))
        let finding = Finding(
            id: FindingID.make(
                rule: rule.value.header.id, first: first,
                windowStart: Timestamp(nanoseconds: window.events.first?.time ?? event.time),
                group: key, completion: FindingID.Completion(event: reference(event.reference), member: event.member)),
            time: time, rule: rule.value.header, count: window.count, firstSeen: Timestamp(nanoseconds: window.firstSeen),
            lastSeen: Timestamp(nanoseconds: window.lastSeen),
            sourceIP: rule.value.isByAddress || window.hasOneAddress ? sourceIP : nil,
            userName: rule.value.isByUser || window.hasOneUser ? userName : nil, otherAddresses: others, evidence: references,
            isLowerBound: window.isLowerBound)
        if rule.value.isReported { findings.append(finding) }
        guard !rule.value.feeds.isEmpty else { return }
        var passed = event
        passed.time = time.nanoseconds
        passed.user = finding.userName == nil ? 0 : event.user
        passed.address = finding.sourceIP == nil ? nil : event.address
        if let last = evidence.last { (passed.origin, passed.offset, passed.line) = (last.origin, last.offset, last.line) }
        let cause = Cause(
            event: passed, trail: FindingTrail(firstSeen: window.firstSeen, evidence: evidence, addresses: others), innerKey: key,
            sourceIP: finding.sourceIP, userName: finding.userName)
        for feed in rule.value.feeds { count(cause, feed, batch, &findings) }
    }
}

import Events

/// What a match leads to.
extension Engine {
    private func range(_ field: FieldID, _ batch: EventBatch) -> ByteRange? {
        let index = Int(field.rawValue)
        return valueCount[index] > 0 ? batch.fields[Int(firstValue[index])].range : nil
    }

    /// A finding of its own, a count in the correlations that the rule feeds, or both.
    mutating func conclude(_ rule: Int, _ event: EventRecord, _ batch: EventBatch, _ findings: inout [Finding]) {
        let compiled = ruleSet.rules[rule]
        let address = range(.sourceIP, batch)
        let user = range(.userName, batch)
        if compiled.isReported {
            let reference = EventReference(origin: batch.origin, offset: event.offset, line: event.lineNumber)
            findings.append(
                Finding(
                    id: FindingID.make(rule: compiled.header.id, first: reference), time: event.time, rule: compiled.header,
                    count: 1, firstSeen: event.time, lastSeen: event.time, sourceIP: address.map(batch.text),
                    userName: user.map(batch.text), otherAddresses: [], evidence: [reference]))
        }
        for index in compiled.feeds {
            let correlation = ruleSet.correlations[index]
            var distinct = false
            var counted = CountedEvent(
                time: event.time, origin: origins.index(of: batch.origin), offset: event.offset, line: event.lineNumber,
                value: 0, user: user.map { hash(batch, $0) } ?? 0,
                address: address.flatMap { IPAddress(batch.bytes.span.extracting($0.bounds)) })
            if case .valueCount(let field) = correlation.kind {
                guard let value = range(field, batch) else { continue }
                counted.value = hash(batch, value)
                distinct = true
            }
            guard makeGroupKey(correlation.groupBy, batch, counted.address) else { continue }
            guard let window = correlations[index].count(counted, group: groupKey, rule: correlation, distinct: distinct) else {
                continue
            }
            findings.append(finding(correlation, window, counted, batch, address.map(batch.text), user.map(batch.text)))
        }
    }

    /// Lengths and values of the group-by fields; false when the event lacks one, and is therefore not counted.
    private mutating func makeGroupKey(_ fields: [FieldID], _ batch: EventBatch, _ address: IPAddress?) -> Bool {
        groupKey.removeAll(keepingCapacity: true)
        for field in fields {
            if field == .sourcePrefix, let prefix = address?.prefix {
                for shift in stride(from: 56, through: 0, by: -8) {
                    groupKey.append(UInt8(truncatingIfNeeded: prefix.high >> UInt64(shift)))
                }
                for shift in stride(from: 56, through: 0, by: -8) {
                    groupKey.append(UInt8(truncatingIfNeeded: prefix.low >> UInt64(shift)))
                }
                continue
            }
            // A client that is no address (a host name in an old Apache log) is a group of its own.
            guard let range = range(field == .sourcePrefix ? .sourceIP : field, batch) else { return false }
            appendLength(range.bounds.count)
            groupKey.append(contentsOf: batch.bytes[range.bounds])
        }
        return true
    }

    private mutating func appendLength(_ count: Int) {
        for shift in [24, 16, 8, 0] { groupKey.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    /// FNV-1a with a final mix (that of SplitMix64).
    private func hash(_ batch: EventBatch, _ range: ByteRange) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range.bounds { hash = (hash ^ UInt64(batch.bytes[index])) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        return hash ^ hash >> 31
    }

    private func finding(
        _ correlation: CompiledCorrelation, _ window: CorrelationWindow, _ last: CountedEvent, _ batch: EventBatch,
        _ address: String?, _ user: String?
    ) -> Finding {
        let events = window.events
        let first = events.first ?? last
        let reference = { (event: CountedEvent) in
            EventReference(origin: origins[event.origin], offset: event.offset, line: event.line)
        }
        let grouped = Set(correlation.groupBy)
        let isByAddress = grouped.contains(.sourceIP) || grouped.contains(.sourcePrefix)
        let addresses = Set(events.compactMap(\.address))
        return Finding(
            id: FindingID.make(rule: correlation.header.id, first: reference(first), windowStart: first.time, group: groupKey),
            time: last.time, rule: correlation.header, count: window.count, firstSeen: first.time,
            lastSeen: events.last?.time ?? last.time,
            sourceIP: isByAddress || addresses.count == 1 ? address : nil,
            userName: grouped.contains(.userName) || events.allSatisfy({ $0.user == last.user }) ? user : nil,
            otherAddresses: isByAddress ? [] : Array(addresses.sorted().prefix(Finding.maximumEvidence)),
            evidence: events.suffix(Finding.maximumEvidence).map(reference))
    }
}

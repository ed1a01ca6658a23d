import Events

/// A state as bytes, exactly: what is decoded goes on as the original would have.
///
/// Groups in the order of their activity, so that the same go first for lack of room. Equal states give equal bytes.
/// `origins` numbers are those of the snapshot.
extension CorrelationState {
    private static let version: UInt8 = 1

    func encode(origin: (Int32) -> Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.add(UInt64(CorrelationState.version))
        for count in [counters.evicted, counters.late, counters.ignored, counters.ungrouped] { writer.add(count) }
        writer.add(signed: incompleteUntil)
        writer.add(groupCount)
        var number = eldest
        while number != EventPool.none {
            encode(Int(number), origin, &writer)
            number = groups[Int(number)].younger
        }
        return writer.bytes
    }

    private func encode(_ number: Int, _ origin: (Int32) -> Int, _ writer: inout ByteWriter) {
        let group = groups[number]
        writer.add(fixed: group.hash.high)
        writer.add(fixed: group.hash.low)
        writer.add(signed: group.newest)
        writer.add(signed: group.silentUntil)
        writer.add(signed: group.lostTime)
        writer.add(group.isRaised)
        writer.add(Int(group.count))
        var node = group.first
        while node != EventPool.none {
            encode(pool.event(node), origin, &writer)
            encode(trails[node], origin, &writer)
            node = pool[node].next
        }
        let beyond = group.older == EventPool.none ? nil : older[Int(group.older)]
        writer.add(beyond != nil)
        if let beyond {
            writer.add(UInt64(beyond.user))
            writer.add(beyond.usersDiffer)
            encode(beyond.address, &writer)
            writer.add(beyond.addressesDiffer)
            writer.add(beyond.entryCount)
            for entry in beyond.entries {
                writer.add(signed: entry.time)
                if beyond.countsByTime { writer.add(entry.payload) } else { writer.add(fixed: entry.payload) }
            }
        }
        let context = absences.contexts[UInt32(number)]
        writer.add(context != nil)
        if let context {
            writer.add(context.key)
            for text in [context.sourceIP, context.userName] {
                writer.add(text != nil)
                if let text { writer.add(text.utf8) }
            }
        }
    }

    private func encode(_ event: CountedEvent, _ origin: (Int32) -> Int, _ writer: inout ByteWriter) {
        writer.add(signed: event.time)
        writer.add(origin(event.origin))
        writer.add(signed: event.offset)
        writer.add(signed: event.line)
        writer.add(UInt64(event.member))
        writer.add(UInt64(event.user))
        if pool.keepsAddresses { encode(event.address, &writer) }
        if pool.keepsValues { writer.add(fixed: event.value) }
    }

    private func encode(_ address: IPAddress?, _ writer: inout ByteWriter) {
        writer.add(address != nil)
        guard let address else { return }
        writer.add(fixed: address.high)
        writer.add(fixed: address.low)
    }

    private func encode(_ trail: FindingTrail?, _ origin: (Int32) -> Int, _ writer: inout ByteWriter) {
        writer.add(trail != nil)
        guard let trail else { return }
        writer.add(signed: trail.firstSeen)
        writer.add(trail.evidence.count)
        for reference in trail.evidence {
            writer.add(origin(reference.origin))
            writer.add(signed: reference.offset)
            writer.add(signed: reference.line)
        }
        writer.add(trail.addresses.count)
        for address in trail.addresses { encode(address, &writer) }
    }

    /// Origins that its events refer to.
    func collectOrigins(into used: inout Set<Int32>) {
        var number = eldest
        while number != EventPool.none {
            var node = groups[Int(number)].first
            while node != EventPool.none {
                used.insert(pool[node].origin)
                for reference in trails[node]?.evidence ?? [] { used.insert(reference.origin) }
                node = pool[node].next
            }
            number = groups[Int(number)].younger
        }
    }

    // MARK: Decoding

    init(decoding bytes: [UInt8], _ rule: CompiledCorrelation, originCount: Int, limits: Limits = Limits())
        throws(ByteReader.Damaged)
    {
        self.init(rule, limits: limits)
        var reader = ByteReader(bytes)
        guard try reader.byte() == CorrelationState.version else { throw ByteReader.Damaged() }
        counters = Counters(
            evicted: try CorrelationState.integer(&reader), late: try CorrelationState.integer(&reader),
            ignored: try CorrelationState.integer(&reader), ungrouped: try CorrelationState.integer(&reader))
        incompleteUntil = try reader.signed()
        for _ in 0..<(try reader.count()) { try decodeGroup(&reader, rule, originCount) }
        guard reader.isAtEnd else { throw ByteReader.Damaged() }
        if rule.kind == .absence { restoreDeadlines(rule: rule) }
    }

    private static func integer(_ reader: inout ByteReader) throws(ByteReader.Damaged) -> Int {
        guard let number = Int(exactly: try reader.number()) else { throw ByteReader.Damaged() }
        return number
    }

    private mutating func decodeGroup(
        _ reader: inout ByteReader, _ rule: CompiledCorrelation, _ originCount: Int
    ) throws(ByteReader.Damaged) {
        let hash = GroupHash(high: try reader.fixed(), low: try reader.fixed())
        guard find(hash) == nil else { throw ByteReader.Damaged() }
        let number = make(hash, try reader.signed())
        groups[number].silentUntil = try reader.signed()
        groups[number].lostTime = try reader.signed()
        groups[number].isRaised = try reader.flag()
        for _ in 0..<(try reader.count()) {
            let event = try decodeEvent(&reader, rule, originCount)
            let trail = try decodeTrail(&reader, originCount)
            let last = groups[number].last
            guard last == EventPool.none || pool[last].time <= event.time else { throw ByteReader.Damaged() }
            adopt(event, number, rule, trail)
        }
        if try reader.flag() { try decodeOlder(&reader, number, rule) }
        if try reader.flag() {
            let key = try reader.text()
            var texts: [String?] = []
            for _ in 0..<2 { texts.append(try reader.flag() ? String(decoding: try reader.text(), as: UTF8.self) : nil) }
            guard rule.kind == .absence else { throw ByteReader.Damaged() }
            let context = AbsenceState.Context(key: key, sourceIP: texts[0], userName: texts[1])
            sideBytes += context.byteCount
            absences.contexts[UInt32(number)] = context
        }
    }

    private func decodeEvent(
        _ reader: inout ByteReader, _ rule: CompiledCorrelation, _ originCount: Int
    ) throws(ByteReader.Damaged) -> CountedEvent {
        var event = CountedEvent(
            time: try reader.signed(), origin: try CorrelationState.origin(&reader, originCount), offset: try reader.signed(),
            line: try reader.signed())
        let member = try reader.number()
        let user = try reader.number()
        guard member < UInt64(rule.members.count), let user = UInt32(exactly: user) else { throw ByteReader.Damaged() }
        event.member = UInt16(truncatingIfNeeded: member)
        event.user = user
        if pool.keepsAddresses { event.address = try CorrelationState.address(&reader) }
        if pool.keepsValues { event.value = try reader.fixed() }
        return event
    }

    private func decodeTrail(_ reader: inout ByteReader, _ originCount: Int) throws(ByteReader.Damaged) -> FindingTrail? {
        guard try reader.flag() else { return nil }
        var trail = FindingTrail(firstSeen: try reader.signed(), evidence: [], addresses: [])
        for _ in 0..<(try reader.count()) {
            trail.evidence.append(
                StoredReference(
                    origin: try CorrelationState.origin(&reader, originCount), offset: try reader.signed(),
                    line: try reader.signed()))
        }
        for _ in 0..<(try reader.count()) {
            guard let address = try CorrelationState.address(&reader) else { throw ByteReader.Damaged() }
            trail.addresses.append(address)
        }
        return trail
    }

    private mutating func decodeOlder(
        _ reader: inout ByteReader, _ number: Int, _ rule: CompiledCorrelation
    ) throws(ByteReader.Damaged) {
        guard let user = UInt32(exactly: try reader.number()) else { throw ByteReader.Damaged() }
        let usersDiffer = try reader.flag()
        let address = try CorrelationState.address(&reader)
        let addressesDiffer = try reader.flag()
        let countsByTime = rule.kind == .eventCount
        var entries: [(time: Int64, payload: UInt64)] = []
        for _ in 0..<(try reader.count()) {
            let time = try reader.signed()
            let payload = countsByTime ? try reader.number() : try reader.fixed()
            guard entries.last.map({ $0.time <= time }) ?? true, payload < UInt64(Int32.max) || !countsByTime else {
                throw ByteReader.Damaged()
            }
            entries.append((time, payload))
        }
        adopt(
            OlderEvents(
                countsByTime: countsByTime, entries: entries, user: user, usersDiffer: usersDiffer, address: address,
                addressesDiffer: addressesDiffer), number, rule)
    }

    private static func origin(_ reader: inout ByteReader, _ count: Int) throws(ByteReader.Damaged) -> Int32 {
        let number = try reader.number()
        guard number < UInt64(count) else { throw ByteReader.Damaged() }
        return Int32(truncatingIfNeeded: number)
    }

    private static func address(_ reader: inout ByteReader) throws(ByteReader.Damaged) -> IPAddress? {
        guard try reader.flag() else { return nil }
        return IPAddress(high: try reader.fixed(), low: try reader.fixed())
    }
}

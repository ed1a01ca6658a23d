package import Events

/// Runs a rule set over batches of events, in event time.
///
/// Owned by one task. Deterministic: the same events in the same order give the same findings, however they are cut
/// into batches; with `snapshot` and `restore`, over restarts, too.
package struct Engine {
    package let ruleSet: RuleSet
    /// What the rules' conditions amount to, and where each rule's begins.
    let conditions: Conditions
    private let roots: [Int32]
    /// The rules and correlations again, where using one costs one reference count rather than one for each of its parts.
    let rules: [Shared<CompiledRule>]
    let correlations: [Shared<CompiledCorrelation>]

    var matchers: [RegexMatcher]
    /// By log source; made when the first event of one is seen.
    private var programs: [Program?]
    /// The matchers of each program's sieves, slot by slot.
    private var sieveMatchers: [[[RegexMatcher]]]
    private var memory = ValueMemory()
    package private(set) var statistics = MatchStatistics()
    var correlator: Correlator

    /// By field, where the event at hand has its values.
    private var places: [ValuePlace]
    // Candidates of the event at hand; a rule is one when its stamp is the event's.
    private var candidates: [Int32] = []
    private var stamps: [UInt64]
    // Likewise for the regular expressions that match the event at hand.
    private(set) var regexStamps: [UInt64]
    /// A number for the event at hand; between events one that nothing bears.
    private(set) var stamp: UInt64 = 1
    /// The event that bears the stamp, as correlations keep it.
    var countedEvent = CountedEvent(time: 0, origin: 0, offset: 0, line: 0)
    var countedStamp: UInt64 = 0
    /// The group that the event at hand was counted in last, where one field alone makes it.
    var recentGroup = RecentGroup(stamp: 0, field: .message, hash: GroupHash(high: 0, low: 0))
    // The values of the event at hand that rules look at; in place, so that writing one asks nobody.
    private var looks = InlineArray<48, Look>(repeating: Look(range: ByteRange(start: 0, count: 0), slots: 0))
    private var lookCount = 0
    /// A bit for each place at which one of them begins, the places of a batch modulo 64.
    private var lookStarts: UInt64 = 0
    // What was found in the value at hand: rules, and as negative numbers regular expressions.
    private var found: [Int32] = []
    private var suspects: [Int32] = []

    /// - Parameter hashKey: random, for an engine that runs on; a snapshot brings its own.
    package init(_ ruleSet: RuleSet, hashKey: HashKey = .fixed) {
        self.ruleSet = ruleSet
        conditions = Conditions(table: ruleSet.evaluation)
        roots = ruleSet.rules.map(\.root)
        rules = ruleSet.rules.map { Shared($0) }
        correlations = ruleSet.correlations.map { Shared($0) }
        matchers = ruleSet.regexes.map { RegexMatcher($0) }
        programs = Array(repeating: nil, count: ruleSet.logSources.count)
        sieveMatchers = Array(repeating: [], count: ruleSet.logSources.count)
        correlator = Correlator(ruleSet.correlations, hashKey: hashKey)
        places = Array(repeating: ValuePlace(stamp: 0, first: 0, count: 0), count: ruleSet.fields.count)
        stamps = Array(repeating: 0, count: ruleSet.rules.count)
        regexStamps = Array(repeating: 0, count: ruleSet.regexes.count)
    }

    /// Appends to `findings` what the batch's events complete, in event order.
    package mutating func consume(_ batch: EventBatch, into findings: inout [Finding]) {
        consume(
            batch,
            arrived: { engine, event in engine.arrive(event.time, &findings) },
            matched: { engine, event, rule in engine.conclude(rule, event, batch, &findings) })
    }

    /// Calls `report` for every event and every rule that matches it and takes it as hostile, before any threshold.
    package mutating func matchLines(_ batch: EventBatch, _ report: (EventRecord, RuleHeader) -> Void) {
        consume(batch, arrived: { _, _ in }) { engine, event, rule in
            let compiled = engine.rules[rule]
            if compiled.value.header.isHostile { report(event, compiled.value.header) }
        }
    }

    /// A value behind one reference.
    final class Shared<Value: Sendable>: Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    /// How often the automaton of several expressions together may outgrow its memory before they are tried one by one.
    private static let maximumResets = 2
    /// The memory for the states of one of those automata, in bytes: larger ones find their states in no near cache, and making
    /// a state takes microseconds.
    private static let sieveBytes = 1 << 18

    struct RecentGroup: BitwiseCopyable {
        var stamp: UInt64
        var field: FieldID
        var hash: GroupHash
    }

    /// Where a field's values stand in the batch, for the event that bears the stamp; others lack the field.
    private struct ValuePlace: BitwiseCopyable {
        var stamp: UInt64
        var first: Int32
        var count: Int32
    }

    /// How many values the event at hand has of a field.
    @inline(__always)
    func valueCount(of field: Int) -> Int { places[field].stamp == stamp ? Int(places[field].count) : 0 }

    /// Where the first of them stands in the batch's fields; only where there are some.
    @inline(__always)
    func firstValue(of field: Int) -> Int { Int(places[field].first) }

    /// A value, and the slots as whose value it stands in the event.
    private struct Look: BitwiseCopyable {
        var range: ByteRange
        /// A set of slot numbers; from `maximumSlots` up, a number by itself, with the highest bit set.
        var slots: UInt64

        static let maximumSlots: Int16 = 62

        @inline(__always)
        static func slots(_ slot: Int16) -> UInt64 {
            slot < maximumSlots ? 1 << UInt64(slot) : 1 << 63 | UInt64(slot)
        }
    }

    private mutating func consume(
        _ batch: EventBatch, arrived: (inout Engine, EventRecord) -> Void, matched: (inout Engine, EventRecord, Int) -> Void
    ) {
        let bytes = batch.bytes.span
        let fields = batch.fields.span
        let conditions = self.conditions
        var source = -1
        var program: Program?
        for index in batch.events.indices {
            let event = batch.events[index]
            arrived(&self, event)
            if source != Int(event.logSource.rawValue) {
                source = Int(event.logSource.rawValue)
                program = prepare(source)
            }
            guard let program else { continue }
            findCandidates(program, source, event, bytes, fields)
            statistics.events += 1
            statistics.candidates += candidates.count
            for place in candidates.indices {
                let candidate = Int(candidates[place])
                guard holds(roots[candidate], program, conditions, event, bytes, fields) else { continue }
                statistics.matches += 1
                matched(&self, event, candidate)
            }
            // What the event had is forgotten.
            stamp &+= 1
        }
    }

    private mutating func prepare(_ source: Int) -> Program? {
        if let made = programs[source] { return made }
        let program = Program(ruleSet, for: ruleSet.logSources[LogSourceID(rawValue: UInt16(source))])
        programs[source] = program
        sieveMatchers[source] = program.slots.map { slot in
            slot.sieves.map { RegexMatcher($0.regex, cacheLimit: Engine.sieveBytes) }
        }
        return program
    }

    private mutating func findCandidates(
        _ program: Program, _ source: Int, _ event: EventRecord, _ bytes: Span<UInt8>, _ fields: Span<FieldValue>
    ) {
        candidates.removeAll(keepingCapacity: true)
        for index in program.always.indices { candidates.append(program.always[index]) }
        locate(event, fields)
        lookCount = 0
        lookStarts = 0
        for index in event.fields {
            let slot = program.slotOfField[Int(fields[index].field.rawValue)]
            guard slot != -1 else { continue }
            let range = fields[index].range
            if slot >= 0 {
                look(slot, range, program, source, bytes)
            } else {
                // Numbers and addresses by themselves are read again sooner than remembered.
                program.gauges[-2 - Int(slot)].read(bytes, range.bounds) { nominate($0) }
            }
        }
        if program.lineSlot >= 0 { look(program.lineSlot, event.line, program, source, bytes) }
        statistics.values += lookCount
        for index in 0..<lookCount { search(program, source, looks[index], bytes) }
        // Findings of one event come in the order of the rules, whichever literal was seen first.
        if candidates.count > 1 { candidates.sortFew() }
    }

    /// Notes where the event has its values.
    private mutating func locate(_ event: EventRecord, _ fields: Span<FieldValue>) {
        let stamp = self.stamp
        var places = places.mutableSpan
        for index in event.fields {
            let field = Int(fields[index].field.rawValue)
            if places[field].stamp == stamp {
                places[field].count += 1
            } else {
                places[field] = ValuePlace(stamp: stamp, first: Int32(truncatingIfNeeded: index), count: 1)
            }
        }
    }

    /// Adds a value to those to be looked through; one that stands for several fields is looked through once.
    @inline(__always)
    private mutating func look(_ slot: Int16, _ range: ByteRange, _ program: Program, _ source: Int, _ bytes: Span<UInt8>) {
        guard lookCount < looks.count else {
            // Of an event with so many values, the last ones are looked through at once.
            return search(program, source, Look(range: range, slots: Look.slots(slot)), bytes)
        }
        // Most values begin where no other does.
        let start: UInt64 = 1 &<< UInt64(truncatingIfNeeded: range.start & 63)
        let mayStand = lookStarts & start != 0
        lookStarts |= start
        if mayStand, slot < Look.maximumSlots {
            for index in 0..<lookCount where looks[index].range == range && looks[index].slots >> 63 == 0 {
                looks[index].slots |= 1 << UInt64(slot)
                return
            }
        }
        looks[lookCount] = Look(range: range, slots: Look.slots(slot))
        lookCount += 1
    }

    @inline(__always)
    private mutating func search(_ program: Program, _ source: Int, _ look: Look, _ bytes: Span<UInt8>) {
        let range = look.range.bounds
        let pair = ValueMemory.pair(of: bytes, range, slots: look.slots, source: source)
        if let pair, let place = memory.find(bytes, range, slots: look.slots, source: source, pair: pair) {
            statistics.remembered += 1
            for index in memory.outputs(at: place) { note(memory[output: index], program) }
            return
        }
        searchAnew(program, source, look, bytes)
        if let pair { memory.keep(bytes, range, slots: look.slots, source: source, pair: pair, found) }
        for index in found.indices { note(found[index], program) }
    }

    /// Fills `found`.
    private mutating func searchAnew(_ program: Program, _ source: Int, _ look: Look, _ bytes: Span<UInt8>) {
        found.removeAll(keepingCapacity: true)
        if look.slots >> 63 == 1 { return searchAnew(program, source, slot: Int(look.slots & 0xFFFF), look.range.bounds, bytes) }
        var slots = look.slots
        while slots != 0 {
            searchAnew(program, source, slot: slots.trailingZeroBitCount, look.range.bounds, bytes)
            slots &= slots - 1
        }
    }

    private mutating func searchAnew(
        _ program: Program, _ source: Int, slot: Int, _ range: Range<Int>, _ bytes: Span<UInt8>
    ) {
        suspects.removeAll(keepingCapacity: true)
        program.slots[slot].literals.scan(bytes, range) { output in
            statistics.literals += 1
            if output >= 0 {
                if !found.contains(output) { found.append(output) }
            } else if !suspects.contains(output) {
                suspects.append(output)
            }
        }
        program.slots[slot].gauge.read(bytes, range) { rule in
            if !found.contains(rule) { found.append(rule) }
        }
        var sieve = 0
        while sieve < sieveMatchers[source][slot].count {
            if let regex = program.slots[slot].sieves[sieve].sole {
                suspects.append(Program.output(regex: regex))
                sieve += 1
                continue
            }
            // One that has to forget its states again and again costs more than its expressions do one by one.
            guard
                sieveMatchers[source][slot][sieve].resets >= Engine.maximumResets
                    || sieveMatchers[source][slot][sieve].matches(bytes, in: range)
            else {
                sieve = program.slots[slot].sieves[sieve].end
                continue
            }
            sieve += 1
        }
        statistics.regexes += suspects.count
        for index in suspects.indices where matchers[Program.regex(suspects[index])].matches(bytes, in: range) {
            found.append(suspects[index])
        }
    }

    /// Makes a rule that was found a candidate; for a regular expression, those of which it is a witness.
    @inline(__always)
    private mutating func note(_ output: Int32, _ program: Program) {
        guard output < 0 else { return nominate(output) }
        let regex = Program.regex(output)
        regexStamps[regex] = stamp
        for index in Int(program.witnessedStart[regex])..<Int(program.witnessedStart[regex + 1]) {
            nominate(program.witnessed[index])
        }
    }

    @inline(__always)
    private mutating func nominate(_ rule: Int32) {
        if stamps[Int(rule)] != stamp {
            stamps[Int(rule)] = stamp
            candidates.append(rule)
        }
    }
}

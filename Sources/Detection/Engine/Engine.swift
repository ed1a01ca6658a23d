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

    // The event at hand: for each field the place of its first value in the batch, and how many there are.
    var firstValue: [Int32]
    var valueCount: [Int32]
    // Candidates of the event at hand; a rule is one when its stamp is the event's.
    private var candidates: [Int32] = []
    private var stamps: [UInt64]
    // Likewise for the regular expressions that match the event at hand.
    private(set) var regexStamps: [UInt64]
    private(set) var stamp: UInt64 = 0
    // The values of the event at hand that rules look at.
    private var looks: [Look] = []
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
        firstValue = Array(repeating: 0, count: ruleSet.fields.count)
        valueCount = Array(repeating: 0, count: ruleSet.fields.count)
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
    private static let maximumResets = 3

    /// A value, and the slots as whose value it stands in the event.
    private struct Look: BitwiseCopyable {
        var range: ByteRange
        /// A set of slot numbers; from 62 up, a number by itself, with the highest bit set.
        var slots: UInt64
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
            guard !candidates.isEmpty else { continue }
            load(event, fields)
            for place in candidates.indices {
                let candidate = Int(candidates[place])
                guard holds(Int(roots[candidate]), program, conditions, event, bytes, fields) else { continue }
                statistics.matches += 1
                matched(&self, event, candidate)
            }
            unload(event, fields)
        }
    }

    private mutating func prepare(_ source: Int) -> Program? {
        if let made = programs[source] { return made }
        let program = Program(ruleSet, for: ruleSet.logSources[LogSourceID(rawValue: UInt16(source))])
        programs[source] = program
        sieveMatchers[source] = program.slots.map { slot in slot.sieves.map { RegexMatcher($0.regex) } }
        return program
    }

    private mutating func load(_ event: EventRecord, _ fields: Span<FieldValue>) {
        for index in event.fields {
            let field = Int(fields[index].field.rawValue)
            if valueCount[field] == 0 { firstValue[field] = Int32(index) }
            valueCount[field] += 1
        }
    }

    private mutating func unload(_ event: EventRecord, _ fields: Span<FieldValue>) {
        for index in event.fields { valueCount[Int(fields[index].field.rawValue)] = 0 }
    }

    private mutating func findCandidates(
        _ program: Program, _ source: Int, _ event: EventRecord, _ bytes: Span<UInt8>, _ fields: Span<FieldValue>
    ) {
        candidates.removeAll(keepingCapacity: true)
        stamp &+= 1
        for rule in program.always { candidates.append(rule) }
        looks.removeAll(keepingCapacity: true)
        for index in event.fields {
            let slot = program.slotOfField[Int(fields[index].field.rawValue)]
            if slot >= 0 { look(slot, fields[index].range) }
        }
        if program.lineSlot >= 0 { look(program.lineSlot, event.line) }
        statistics.values += looks.count
        for index in looks.indices { search(program, source, looks[index], bytes) }
        // Findings of one event come in the order of the rules, whichever literal was seen first.
        if candidates.count > 1 { candidates.sort() }
    }

    /// Adds a value to those to be looked through; one that stands for several fields is looked through once.
    @inline(__always)
    private mutating func look(_ slot: Int16, _ range: ByteRange) {
        guard slot < 62 else {
            looks.append(Look(range: range, slots: 1 << 63 | UInt64(slot)))
            return
        }
        for index in looks.indices
        where looks[index].range.start == range.start && looks[index].range.count == range.count && looks[index].slots >> 63 == 0
        {
            looks[index].slots |= 1 << UInt64(slot)
            return
        }
        looks.append(Look(range: range, slots: 1 << UInt64(slot)))
    }

    @inline(__always)
    private mutating func search(_ program: Program, _ source: Int, _ look: Look, _ bytes: Span<UInt8>) {
        let range = look.range.bounds
        let place = ValueMemory.place(of: bytes, range, slots: look.slots, source: source)
        if let place, memory.holds(bytes, range, slots: look.slots, source: source, at: place) {
            statistics.remembered += 1
            for index in memory.outputs(at: place) { note(memory[output: index], program) }
            return
        }
        searchAnew(program, source, look, bytes)
        if let place { memory.keep(bytes, range, slots: look.slots, source: source, at: place, found) }
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
        for index in sieveMatchers[source][slot].indices {
            // One that has to forget its states again and again costs more than its expressions do one by one.
            guard
                sieveMatchers[source][slot][index].resets >= Engine.maximumResets
                    || sieveMatchers[source][slot][index].matches(bytes, in: range)
            else { continue }
            for regex in program.slots[slot].sieves[index].regexes { suspects.append(Program.output(regex: Int(regex))) }
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

package import Events

/// Runs a rule set over batches of events, in event time.
///
/// Owned by one task. Deterministic: the same events in the same order give the same findings, however they are cut
/// into batches; with `snapshot` and `restore`, over restarts, too.
package struct Engine {
    package let ruleSet: RuleSet
    /// What the rules' conditions amount to, and where each rule's begins.
    let evaluation: EvaluationTable
    private let roots: [Int32]

    var matchers: [RegexMatcher]
    /// By log source; made when the first event of one is seen.
    private var programs: [Program?]
    /// The matchers of each program's sieves.
    private var sieveMatchers: [[RegexMatcher]]
    var correlations: [CorrelationState]
    var origins = OriginTable()

    // The event at hand: for each field the place of its first value in the batch, and how many there are.
    var firstValue: [Int32]
    var valueCount: [Int32]
    // Candidates of the event at hand; a rule is one when its stamp is the event's.
    private var candidates: [Int32] = []
    private var stamps: [UInt64]
    // Likewise for the regular expressions that are worth trying on the event at hand.
    private(set) var regexStamps: [UInt64]
    private(set) var stamp: UInt64 = 0
    /// The group of the event at hand; kept from event to event for its storage.
    var groupKey: [UInt8] = []

    package init(_ ruleSet: RuleSet) {
        self.ruleSet = ruleSet
        evaluation = ruleSet.evaluation
        roots = ruleSet.rules.map(\.root)
        matchers = ruleSet.regexes.map { RegexMatcher($0) }
        programs = Array(repeating: nil, count: ruleSet.logSources.count)
        sieveMatchers = Array(repeating: [], count: ruleSet.logSources.count)
        correlations = Array(repeating: CorrelationState(), count: ruleSet.correlations.count)
        firstValue = Array(repeating: 0, count: ruleSet.fields.count)
        valueCount = Array(repeating: 0, count: ruleSet.fields.count)
        stamps = Array(repeating: 0, count: ruleSet.rules.count)
        regexStamps = Array(repeating: 0, count: ruleSet.regexes.count)
    }

    /// Events that came too late for their window, and groups given up for lack of room: shown, never silent.
    package var counters: (late: Int, evictedGroups: Int) {
        correlations.reduce((0, 0)) { ($0.0 + $1.late, $0.1 + $1.evicted) }
    }

    /// Appends to `findings` what the batch's events complete, in event order.
    package mutating func consume(_ batch: EventBatch, into findings: inout [Finding]) {
        consume(batch) { engine, event, rule in
            engine.conclude(rule, event, batch, &findings)
        }
    }

    /// Calls `report` for every event and every rule that matches it and takes it as hostile, before any threshold.
    package mutating func matchLines(_ batch: EventBatch, _ report: (EventRecord, RuleHeader) -> Void) {
        consume(batch) { engine, event, rule in
            let header = engine.ruleSet.rules[rule].header
            if header.isHostile { report(event, header) }
        }
    }

    private mutating func consume(_ batch: EventBatch, _ matched: (inout Engine, EventRecord, Int) -> Void) {
        let bytes = batch.bytes.span
        let fields = batch.fields.span
        for index in batch.events.indices {
            let event = batch.events[index]
            let source = Int(event.logSource.rawValue)
            if programs[source] == nil {
                let program = Program(ruleSet, for: ruleSet.logSources[event.logSource])
                programs[source] = program
                sieveMatchers[source] = program.sieves.map { RegexMatcher($0.regex) }
            }
            load(event, fields)
            findCandidates(source, event, bytes, fields)
            for candidate in candidates where holds(Int(roots[Int(candidate)]), event, bytes, fields) {
                matched(&self, event, Int(candidate))
            }
            unload(event, fields)
        }
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

    private mutating func findCandidates(_ source: Int, _ event: EventRecord, _ bytes: Span<UInt8>, _ fields: Span<FieldValue>) {
        candidates.removeAll(keepingCapacity: true)
        guard let program = programs[source] else { return }
        stamp &+= 1
        for rule in program.always { candidates.append(rule) }
        for scanner in program.scanners {
            for index in values(of: scanner.subject) {
                scan(scanner.automaton, bytes, index < 0 ? event.line.bounds : fields[index].range.bounds)
            }
        }
        for position in program.sieves.indices {
            for index in values(of: program.sieves[position].subject) {
                let range = index < 0 ? event.line.bounds : fields[index].range.bounds
                guard sieveMatchers[source][position].matches(bytes, in: range) else { continue }
                for rule in program.sieves[position].rules { nominate(rule) }
                for regex in program.sieves[position].regexes { regexStamps[regex] = stamp }
                break
            }
        }
        // Findings of one event come in the order of the rules, whichever literal was seen first.
        if candidates.count > 1 { candidates.sort() }
    }

    /// The places of a field's values among the batch's fields; -1 stands for the raw line.
    @inline(__always)
    private func values(of subject: Predicate.Subject) -> Range<Int> {
        switch subject {
        case .line: return -1..<0
        case .field(let field):
            let first = Int(firstValue[Int(field.rawValue)])
            return first..<first + Int(valueCount[Int(field.rawValue)])
        }
    }

    @inline(__always)
    private mutating func nominate(_ output: Int32) {
        guard output >= 0 else {
            regexStamps[Int(-1 - output)] = stamp
            return
        }
        let rule = output
        if stamps[Int(rule)] != stamp {
            stamps[Int(rule)] = stamp
            candidates.append(rule)
        }
    }

    @inline(__always)
    private mutating func scan(_ automaton: LiteralAutomaton, _ bytes: Span<UInt8>, _ range: Range<Int>) {
        automaton.scan(bytes, range) { nominate($0) }
    }
}

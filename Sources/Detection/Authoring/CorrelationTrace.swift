import Events

/// Follows a correlation, and those that it counts, through an engine: what was counted where, event by event.
///
/// The engine counts and decides; here is only read what it did. In the set that it runs, every rule and correlation on the
/// way gives a finding of its own: these come in the order in which the engine went on, so they say which count led to what.
struct CorrelationTrace {
    /// What a member gave to be counted; or, of an absence, that its time was up.
    struct Visit {
        enum Outcome {
            case counted, late
            /// It lacks what is counted, or what groups are made of.
            case lacksValue, lacksGroup
        }

        /// Which correlation counts.
        var correlation: Int
        /// Which of its rules; `nil` where time was up.
        var member: Int?
        var time: Timestamp
        /// Where the event stands; of a finding, the last of its events.
        var event: StoredPlace
        var group: [KeyPart]
        var values: [KeyPart]
        /// The group's key, as the engine hashes it.
        var key: [UInt8] = []
        var address: IPAddress?
        var outcome = Outcome.counted
        /// What the group's window holds after the event at hand; for the last of its counts in a group.
        var window: Window?
        var finding: Finding?
    }

    struct StoredPlace: Hashable {
        var offset: Int64
        var line: Int64
    }

    /// A group's window, as the engine has it.
    struct Window {
        /// What conditions are about.
        var value: Double
        var total: Int
        /// The engine would report it.
        var isMet: Bool
        /// The rules of the events that it keeps, in the order of time.
        var members: [Int]
        var silentUntil: Timestamp
        /// It has fired and has not cleared since.
        var isRaised: Bool
        /// For an absence: the event at hand waits for its answer.
        var waits = false
        /// For an absence: the lines that the event at hand answered.
        var answers: [Int64] = []
    }

    let ruleSet: RuleSet
    let target: Int
    /// The one that is followed and all that it counts, in the order of the rule set.
    let followed: [Int]
    var visits: [Visit] = []
    /// Of the correlation that is followed, as the engine gave them.
    private(set) var findings: [Finding] = []
    private(set) var engine: Engine
    /// By correlation, what it had left out before the moment at hand.
    private(set) var leftOut: [Int: CorrelationState.Counters] = [:]
    /// Visits that wait for an answer, oldest first.
    var waiting: [Int] = []

    private let batch: EventBatch
    private let ruleOfID: [String: Int]
    private let correlationOfID: [String: Int]
    /// What the engine has found at the moment at hand, and how far it has been gone through.
    private var found: [Finding] = []
    private var next = 0

    /// - Parameter target: its place among the set's correlations.
    init(_ ruleSet: RuleSet, _ target: Int, _ batch: EventBatch) {
        var followed: Set<Int> = [target]
        // Whoever feeds another stands before it.
        for index in (0..<target).reversed()
        where ruleSet.correlations[index].feeds.contains(where: { followed.contains($0.correlation) }) {
            followed.insert(index)
        }
        var own = ruleSet
        var ruleOfID: [String: Int] = [:]
        var correlationOfID: [String: Int] = [:]
        for index in own.rules.indices {
            own.rules[index].feeds.removeAll { !followed.contains($0.correlation) }
            own.rules[index].isReported = !own.rules[index].feeds.isEmpty
            if own.rules[index].isReported { ruleOfID[own.rules[index].header.id] = index }
        }
        for index in own.correlations.indices {
            own.correlations[index].feeds.removeAll { !followed.contains($0.correlation) }
            own.correlations[index].isReported = followed.contains(index)
            if followed.contains(index) { correlationOfID[own.correlations[index].header.id] = index }
        }
        self.ruleSet = own
        self.target = target
        self.followed = followed.sorted()
        self.ruleOfID = ruleOfID
        self.correlationOfID = correlationOfID
        self.batch = batch
        engine = Engine(own)
        for event in batch.events { follow(event) }
    }

    /// Of an absence: the lines that wait for an answer still, and until when no event has come.
    var pending: (lines: [Int64], until: Timestamp)? {
        let rule = ruleSet.correlations[target]
        let due = { (place: Int) in visits[place].time.nanoseconds.plus(rule.timespan).plus(rule.lateness) }
        let left = waiting.filter { visits[$0].correlation == target && due($0) >= engine.correlator.clock }
        guard let first = left.map(due).min() else { return nil }
        return (left.map { visits[$0].event.line }, Timestamp(nanoseconds: first))
    }

    // MARK: Event by event

    private mutating func follow(_ event: EventRecord) {
        let batch = self.batch
        // The engine does both at once; apart, it is plain which finding is whose.
        begin()
        engine.advance(to: event.time, into: &found)
        let passed = visits.count
        keepFindings()
        while let finding = take() {
            guard let index = correlationOfID[finding.rule.id] else { continue }
            timeIsUp(index, finding)
        }
        settle(from: passed)
        begin()
        var single = batch
        single.events = [event]
        engine.consume(single, into: &found)
        let first = visits.count
        keepFindings()
        let cause = Cause(
            event: event, time: event.time, place: StoredPlace(offset: event.offset, line: event.lineNumber),
            address: batch.range(of: .sourceIP, in: event).flatMap { IPAddress(batch.bytes.span.extracting($0.bounds)) })
        while let finding = take() {
            guard let rule = ruleOfID[finding.rule.id] else { continue }
            for feed in ruleSet.rules[rule].feeds { visit(feed, cause) }
        }
        settle(from: first)
    }

    private mutating func begin() {
        found.removeAll(keepingCapacity: true)
        next = 0
        for index in followed { leftOut[index] = engine.correlator.states[index].counters }
    }

    private mutating func keepFindings() {
        let id = ruleSet.correlations[target].header.id
        findings += found.filter { $0.rule.id == id }
    }

    private mutating func take() -> Finding? {
        guard next < found.count else { return nil }
        next += 1
        return found[next - 1]
    }

    /// Takes the engine's next finding where it is this correlation's.
    private mutating func take(of correlation: Int) -> Finding? {
        guard next < found.count, found[next].rule.id == ruleSet.correlations[correlation].header.id else { return nil }
        return take()
    }

    // MARK: What led to what

    private mutating func visit(_ feed: CorrelationFeed, _ cause: Cause) {
        let rule = ruleSet.correlations[feed.correlation]
        let member = rule.members[feed.member]
        let batch = self.batch
        let read = { (field: CompiledCorrelation.MemberField) in KeyPart(field, cause, batch) }
        var visit = Visit(
            correlation: feed.correlation, member: feed.member, time: cause.time, event: cause.place,
            group: member.groupBy.map(read), values: member.values.map(read), address: cause.address)
        if !visit.values.allSatisfy({ $0.isCounted(by: rule.kind) }) {
            visit.outcome = .lacksValue
        } else if let key = KeyPart.key(visit.group, groupsMissing: rule.groupsMissing) {
            visit.key = key
        } else {
            visit.outcome = .lacksGroup
        }
        // What is waited for is found when time is up, never with an event.
        if rule.kind != .absence { visit.finding = take(of: feed.correlation) }
        visits.append(visit)
        if let finding = visit.finding { pass(finding, of: feed.correlation, cause.event, cause.address, visit.group) }
    }

    private mutating func timeIsUp(_ index: Int, _ finding: Finding) {
        let rule = ruleSet.correlations[index]
        let newest = finding.evidence.last.map { StoredPlace(offset: $0.offset, line: $0.line) }
        let isAsked = { (visit: Visit) in visit.correlation == index && visit.member == 0 && visit.event == newest }
        // An absence that another one counts may be up at the same moment, before anything else is known of it.
        let asked = waiting.map { visits[$0] }.first(where: isAsked) ?? visits.last(where: isAsked)
        let oldest = waiting.firstIndex {
            visits[$0].correlation == index && visits[$0].key == asked?.key
                && visits[$0].time.nanoseconds.plus(rule.timespan) == finding.time.nanoseconds
        }
        var visit = Visit(
            correlation: index, member: nil, time: finding.time, event: newest ?? StoredPlace(offset: 0, line: 0),
            group: asked?.group ?? [], values: [])
        if let oldest { visit.event = visits[waiting.remove(at: oldest)].event }
        visit.finding = finding
        visits.append(visit)
        pass(finding, of: index, nil, rule.keepsAddresses ? asked?.address : nil, visit.group)
    }

    private mutating func pass(
        _ finding: Finding, of index: Int, _ event: EventRecord?, _ address: IPAddress?, _ group: [KeyPart]
    ) {
        guard let last = finding.evidence.last else { return }
        let cause = Cause(
            event: event, time: finding.time, place: StoredPlace(offset: last.offset, line: last.line),
            address: finding.sourceIP == nil ? nil : address, key: group, sourceIP: finding.sourceIP, userName: finding.userName)
        for feed in ruleSet.correlations[index].feeds { visit(feed, cause) }
    }
}

import Detection
import Events
import Incidents
import Testing

@Suite("An incident's life")
struct LifecycleTests {
    @Test("from detection to review, and closed")
    func wholeLife() throws {
        var desk = Desk()
        try desk.open()
        try desk.order(.acknowledge, minutes: 5)
        for (minute, phase) in [
            (6, Phase.triage), (20, .containment), (40, .eradication), (90, .recovery), (120, .review),
        ] {
            try desk.order(.phase(phase), minutes: Int64(minute))
        }
        try desk.order(.close(.resolved), minutes: 180)
        let state = try #require(desk.state())
        #expect(state.phase == .closed && state.resolution == .resolved)
        #expect(
            state.milestones == [
                .opened: .minutes(0), .acknowledged: .minutes(5), .triaged: .minutes(20), .containing: .minutes(20),
                .contained: .minutes(40), .fixed: .minutes(90), .closed: .minutes(180),
            ])
    }

    /// Every pair that is not in the table is refused, and nothing of it is applied.
    @Test("only some phases follow each other", arguments: Phase.allCases)
    func transitions(from: Phase) throws {
        let way: [Phase: [Phase]] = [
            .detection: [], .triage: [.triage], .containment: [.triage, .containment],
            .eradication: [.triage, .containment, .eradication], .recovery: [.triage, .containment, .recovery],
            .review: [.triage, .review], .closed: [.triage, .review],
        ]
        let allowed: [Phase: Set<Phase>] = [
            .detection: [.triage], .triage: [.containment, .review], .containment: [.eradication, .recovery, .triage],
            .eradication: [.recovery, .containment], .recovery: [.review, .eradication, .containment], .review: [.recovery],
            .closed: [],
        ]
        for to in Phase.allCases {
            var desk = Desk()
            try desk.open()
            for phase in way[from] ?? [] { try desk.order(.phase(phase)) }
            if from == .closed { try desk.order(.close(.resolved)) }
            #expect(desk.state()?.phase == from)
            let before = desk.ledger
            if allowed[from]?.contains(to) == true {
                try desk.order(.phase(to))
                #expect(desk.state()?.phase == to)
            } else {
                #expect(throws: IncidentRefusal.self) { try desk.order(.phase(to)) }
                #expect(desk.ledger == before)
            }
        }
    }

    @Test("it cannot be closed as resolved before it is recovered, nor as anything while it is being contained")
    func closing() throws {
        var desk = Desk()
        try desk.open()
        #expect(throws: IncidentRefusal.self) { try desk.order(.close(.resolved)) }
        try desk.order(.phase(.triage))
        try desk.order(.phase(.containment))
        for resolution in Resolution.allCases {
            #expect(throws: IncidentRefusal.self) { try desk.order(.close(resolution)) }
        }
        try desk.order(.phase(.recovery))
        try desk.order(.close(.resolved))
        #expect(desk.state()?.isClosed == true)
    }

    @Test("a downgrade to a false positive keeps the severity of before, with who and why")
    func severityHistory() throws {
        var desk = Desk()
        try desk.open(.high)
        try desk.order(.severity(.low), minutes: 45, text: "the image was public")
        let state = try #require(desk.state())
        #expect(state.severity == .low)
        #expect(state.severities.map(\.severity) == [.high, .low])
        #expect(state.severities.last?.reason == "the image was public" && state.severities.last?.author == Desk.ana)
        #expect(throws: IncidentRefusal.self) { try desk.order(.severity(.low)) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.severity(.high), text: "  ") }
    }

    @Test("a person's severity stands until a rule says that it is worse than any rule has said so far")
    func severityOfRules() throws {
        var desk = Desk()
        desk.apply(
            [.opened(IncidentOpened(incident: "SEC-2026-0001", title: "t", severity: .high, firstSeen: Desk.start))],
            at: Desk.start)
        try desk.order(.severity(.low))
        #expect(desk.ledger.book.active["SEC-2026-0001"]?.severity == .high)
        #expect(desk.state()?.severity == .low)
    }

    @Test("what a person raised, a rule that is worse than earlier rules and not than that does not lower")
    func severityAboveRules() throws {
        var desk = Desk()
        let record = { (desk: inout Desk, number: Int, level: Level) in
            let before = desk.ledger.book
            let finding = Sample.finding(number, rule: Sample.rule(level: level))
            var ledger = desk.ledger
            let events = ledger.record(finding, lines: [], by: Grouping(), now: Desk.start)
            desk.apply(events, at: Desk.start)
            // What is read again is what was decided on.
            #expect(desk.ledger.book == ledger.book && desk.ledger.book != before)
        }
        record(&desk, 1, .low)
        #expect(desk.state()?.severity == .low)
        try desk.order(.severity(.critical))
        record(&desk, 2, .high)
        #expect(desk.state()?.severity == .critical && desk.state()?.severities.count == 2)
        try desk.order(.severity(.medium))
        record(&desk, 3, .high)
        #expect(desk.state()?.severity == .medium)
        record(&desk, 4, .critical)
        #expect(desk.state()?.severities.last?.severity == .critical && desk.state()?.severities.count == 4)
    }

    @Test("opened again, it is to be acknowledged again, and its first life stays known")
    func reopening() throws {
        var desk = Desk()
        try desk.open()
        try desk.order(.acknowledge, minutes: 1)
        try desk.order(.close(.falsePositive), minutes: 2)
        #expect(throws: IncidentRefusal.self) { try desk.order(.acknowledge, minutes: 3) }
        try desk.order(.reopen, minutes: 60)
        let state = try #require(desk.state())
        #expect(state.cycle == 2 && state.phase == .triage && !state.isAcknowledged && state.resolution == nil)
        #expect(state.milestones == [.opened: .minutes(60)])
        #expect(throws: IncidentRefusal.self) { try desk.order(.reopen, minutes: 61) }
        try desk.order(.acknowledge, minutes: 62)
    }

    @Test("the same request made twice is carried out once")
    func repeatedRequest() throws {
        var desk = Desk()
        try desk.open()
        try desk.order(.note, text: "once", request: "r1")
        try desk.order(.note, text: "once", request: "r1")
        #expect(desk.state()?.noteCount == 1)
    }

    @Test("what is missing, too long, in the future or about nothing is refused")
    func refusals() throws {
        var desk = Desk()
        try desk.open()
        let before = desk.ledger
        #expect(throws: IncidentRefusal.self) { try desk.order(.note, text: " \n") }
        #expect(throws: IncidentRefusal.self) { try desk.order(.note, text: String(repeating: "x", count: 16_385)) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.note, text: String(repeating: "\u{1}", count: 3000)) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.acknowledge, "SEC-2026-0009") }
        #expect(throws: IncidentRefusal.self) { try desk.order(.assign(role: "king", person: "ana")) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.link(.related, to: "SEC-2026-0001")) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.link(.related, to: "SEC-2026-0002")) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.restrict(readers: [])) }
        let long = String(repeating: "x", count: 500)
        for list in [Array(repeating: long, count: 40), [long + long], Array(repeating: "x", count: 201)] {
            #expect(throws: IncidentRefusal.self) { try desk.order(.restrict(readers: list)) }
            #expect(throws: IncidentRefusal.self) { try desk.order(.affected(users: 1, data: list)) }
        }
        #expect(throws: IncidentRefusal.self) { try desk.order(.note, request: long + long) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.unrestrict) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.affected(users: -1, data: [])) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.acknowledge, minutes: -1) }
        let order = IncidentOrder(incident: "SEC-2026-0001", verb: .acknowledge, author: Desk.ana, at: .minutes(2))
        #expect(throws: IncidentRefusal.self) { try desk.ledger.decide(order, policies: Policies(), now: .minutes(1)) }
        #expect(desk.ledger == before)
    }

    @Test("a person can have several roles, of any set, and lose one of them")
    func roles() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open()
        for role in ["incident_lead", "network_lead", "legal_counsel"] { try desk.order(.assign(role: role, person: "ana")) }
        try desk.order(.assign(role: "network_lead", person: "bo"))
        #expect(throws: IncidentRefusal.self) { try desk.order(.assign(role: "network_lead", person: "bo")) }
        try desk.order(.release(role: "network_lead", person: "ana"))
        let state = try #require(desk.state())
        #expect(state.roles.map(\.role) == ["incident_lead", "legal_counsel", "network_lead"])
        #expect(state.roles.map(\.person) == ["ana", "ana", "bo"])
    }

    @Test("only readers and those with a role may know of a restricted incident")
    func needToKnow() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open()
        #expect(desk.state()?.isReadable(by: "0b", named: "bo") == true)
        try desk.order(.restrict(readers: ["0a"]))
        try desk.order(.assign(role: "legal_counsel", person: "cy"))
        let state = try #require(desk.state())
        #expect(state.isReadable(by: "0a", named: "ana") && state.isReadable(by: "0c", named: "cy"))
        #expect(!state.isReadable(by: "0b", named: "bo"))
        try desk.order(.unrestrict)
        #expect(desk.state()?.isReadable(by: "0b", named: "bo") == true)
    }
}

import Events
import Incidents
import Testing

@Suite("Whom escalation pages, and when")
struct EscalationPlanTests {
    /// The shipped policy with people in it.
    static func policies(severityRoutes: String? = nil) throws -> Policies {
        var files = [
            "channels.yml": """
            channels:
              mail: {kind: smtp, url: "smtp://localhost:25", from: vigie@example.org}
              pager: {kind: pagerduty, key_file: key}
            """,
            "oncall.yml": """
            people:
              ana: {contacts: [{channel: mail, address: ana@example.org}, {channel: pager}]}
              bo: {contacts: [{channel: mail, address: bo@example.org}]}
              cy: {contacts: [{channel: mail, address: cy@example.org}]}
            rotations:
              on-call: {zone: Europe/Stockholm, starts: "2026-03-02T09:00", days: 7, people: [ana, bo]}
              security-lead: {zone: Etc/UTC, starts: "2026-01-05T09:00", people: [bo]}
              engineering-manager: {zone: Etc/UTC, starts: "2026-01-05T09:00", people: [cy]}
              security-officer: {zone: Etc/UTC, starts: "2026-01-05T09:00", people: [cy]}
            """,
        ]
        files["escalation.yml"] = severityRoutes
        return try ShippedPolicies.load(replacing: files)
    }

    /// What a server that looks every minute writes down between two minutes: keys, by minute.
    private func run(_ desk: inout Desk, _ minutes: ClosedRange<Int64>) throws -> [String] {
        var lines: [String] = []
        for minute in minutes {
            let new = EscalationPlan.events(for: try #require(desk.state()), desk.policies, now: .minutes(minute))
            for event in new {
                switch event.what {
                case .intended(let intent): lines.append("\(minute) \(intent.step) \(intent.person ?? "-") \(intent.channel)")
                case .cancelled(let reason): lines.append("\(minute) cancelled \(reason)")
                default: break
                }
            }
            desk.apply(new.map { .page($0) }, at: .minutes(minute))
        }
        return lines
    }

    @Test("four levels, each when the one before had its time to answer, each once")
    func fourLevels() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open(.critical)
        #expect(
            try run(&desk, 0...400) == [
                "0 L1 ana mail", "0 L1 ana pager", "15 L2 bo mail", "45 L3 cy mail", "105 L4 cy mail",
            ])
        let keys = try #require(desk.state()).pages.keys.sorted()
        #expect(keys.first == "SEC-2026-0001/1/full.L1/rotation:on-call/mail" && keys.count == 5)
    }

    @Test("a server that was down for hours pages everything that is due, once")
    func afterDowntime() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open(.critical)
        #expect(try run(&desk, 300...301).count == 5)
    }

    @Test("acknowledged: nothing more is paged, what waits is cancelled, and what pages by itself is told to stop")
    func acknowledged() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open(.critical)
        _ = try run(&desk, 0...0)
        let pager = "SEC-2026-0001/1/full.L1/rotation:on-call/pager"
        for what in [PageEvent.What.attempted(number: 1), .sent(number: 1)] {
            desk.apply([.page(PageEvent(incident: "SEC-2026-0001", key: pager, at: .minutes(0), what: what))], at: .minutes(0))
        }
        try desk.order(.acknowledge, minutes: 10)
        #expect(
            try run(&desk, 10...400) == ["10 cancelled the incident is acknowledged", "10 L1 ana pager"])
        #expect(try #require(desk.state()).pages[pager + "/stop"]?.intent.purpose == .stop)
    }

    @Test("opened again, it pages again under other keys")
    func reopened() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open(.critical)
        _ = try run(&desk, 0...1)
        try desk.order(.acknowledge, minutes: 2)
        try desk.order(.close(.falsePositive), minutes: 3)
        _ = try run(&desk, 3...4)
        try desk.order(.reopen, minutes: 60)
        #expect(try run(&desk, 60...61) == ["60 L1 ana mail", "60 L1 ana pager"])
    }

    @Test("another severity takes its own way, from when it was set")
    func severityRoutes() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open(.low)
        #expect(try run(&desk, 0...60).isEmpty)
        try desk.order(.severity(.critical), minutes: 61)
        #expect(try run(&desk, 61...80) == ["61 L1 ana mail", "61 L1 ana pager", "76 L2 bo mail"])
        try desk.order(.severity(.low), minutes: 81)
        #expect(try run(&desk, 81...400) == Array(repeating: "81 cancelled the severity leads to other people now", count: 3))
    }

    @Test("a rule that finds old events worse pages as of now, step by step, not everybody at once")
    func severityOfOldEvents() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open(.low)
        let raised = SeverityChange(
            incident: "SEC-2026-0001", from: .low, to: .critical, reason: "a rule", at: .minutes(-600))
        desk.apply([.severityChanged(raised)], at: .minutes(61))
        #expect(try run(&desk, 61...80) == ["61 L1 ana mail", "61 L1 ana pager", "76 L2 bo mail"])
    }

    @Test("back to a severity that was left, its people are paged again, under keys of their own")
    func backOnTheRoute() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open(.critical)
        #expect(try run(&desk, 0...1) == ["0 L1 ana mail", "0 L1 ana pager"])
        try desk.order(.severity(.low), minutes: 5)
        _ = try run(&desk, 5...6)
        try desk.order(.severity(.critical), minutes: 30)
        #expect(try run(&desk, 30...45) == ["30 L1 ana mail", "30 L1 ana pager", "45 L2 bo mail"])
        #expect(try #require(desk.state()).pages["SEC-2026-0001/1/full(2).L1/rotation:on-call/mail"]?.status == .waiting)
        // Opened again it is another cycle, in which this is the first time.
        try desk.order(.close(.falsePositive), minutes: 46)
        try desk.order(.reopen, minutes: 60)
        _ = try run(&desk, 60...60)
        #expect(try #require(desk.state()).pages["SEC-2026-0001/2/full.L1/rotation:on-call/mail"]?.status == .waiting)
    }

    @Test("drills page as real ones do; tests and imports page nobody")
    func kinds() throws {
        for (kind, count) in [(IncidentKind.drill, 2), (.test, 0), (.imported, 0)] {
            var desk = Desk(policies: try Self.policies())
            try desk.open(.critical, kind: kind)
            #expect(try run(&desk, 0...1).count == count)
        }
    }

    @Test("a clock that was missed is told to whom the policy names")
    func missedClock() throws {
        let text = """
            use: t
            tables: {t: {k: {title: Acknowledgement, starts: opened, stops: acknowledged, within: 15m, tells: ["person:cy"]}}}
            """
        var desk = Desk(policies: try Self.policies())
        desk.policies.clocks = try Policies(
            files: ["clocks.yml": text, "oncall.yml": "people: {cy: {contacts: []}}"], folder: "policies"
        ).clocks
        try desk.open(.low)
        let missed = desk.policies.clocks.missed(of: try #require(desk.state()), now: .minutes(16))
        desk.apply(missed.map { .clockMissed($0) }, at: .minutes(16))
        #expect(try run(&desk, 16...40) == ["16 Acknowledgement cy mail"])
    }

    @Test("turns change at the hand-over by the wall clock, through the change of clocks, and back beyond the start")
    func rotations() throws {
        let rotation = try #require(try Self.policies().onCall.rotations["on-call"])
        let person = { (text: String) in rotation.person(at: try #require(Timestamp(rfc3339: text))) }
        #expect(try person("2026-03-02T08:00:00Z") == "ana")
        #expect(try person("2026-03-02T07:59:59Z") == "bo")
        #expect(try person("2026-03-09T07:59:59Z") == "ana")
        #expect(try person("2026-03-09T08:00:00Z") == "bo")
        // Summer time from 29 March: nine o'clock is 07:00 UTC.
        #expect(try person("2026-03-30T06:59:59Z") == "bo")
        #expect(try person("2026-03-30T07:00:00Z") == "ana")
        #expect(try person("2026-04-06T06:59:59Z") == "ana")
        #expect(try person("2026-04-06T07:00:00Z") == "bo")
    }

    @Test("whoever steps in takes the turn, from and until the moment given")
    func overrides() throws {
        var rotation = try #require(try Self.policies().onCall.rotations["on-call"])
        rotation.overrides = [.init(person: "cy", from: .minutes(0), until: .minutes(60))]
        #expect(rotation.person(at: .minutes(-1)) == "ana" && rotation.person(at: .minutes(0)) == "cy")
        #expect(rotation.person(at: .minutes(59)) == "cy" && rotation.person(at: .minutes(60)) == "ana")
    }
}

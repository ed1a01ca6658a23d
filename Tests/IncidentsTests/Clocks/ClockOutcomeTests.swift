import Events
import Incidents
import Testing

@Suite("What becomes of clocks")
struct ClockOutcomeTests {
    private func outcomes(_ desk: Desk) throws -> [String: ClockStatus.Outcome] {
        let state = try #require(desk.state())
        return desk.policies.clocks.statuses(of: state).reduce(into: [:]) { $0[$1.clock] = $1.outcome }
    }

    /// Lets Vigie look at the clocks at that minute, as a running server does.
    private func look(_ desk: inout Desk, minute: Int64) throws -> [String] {
        let missed = desk.policies.clocks.missed(of: try #require(desk.state()), now: .minutes(minute))
        desk.apply(missed.map { .clockMissed($0) }, at: .minutes(minute))
        return missed.map(\.key)
    }

    @Test("met, missed, and not exercised")
    func threeOutcomes() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open(.high)
        try desk.order(.acknowledge, minutes: 15)
        try desk.order(.phase(.triage), minutes: 16)
        try desk.order(.phase(.containment), minutes: 46)
        try desk.order(.phase(.recovery), minutes: 90)
        try desk.order(.close(.resolved), minutes: 100)
        #expect(
            try outcomes(desk) == [
                "acknowledgement": .met, "triage": .missed, "containment": .met, "fix": .met, "user_notice": .notExercised,
                "status_update": .notExercised, "review": .running,
            ])
        try desk.order(.milestone(.reviewed), minutes: 100 + 48 * 60 + 1)
        #expect(try outcomes(desk)["review"] == .missed)
    }

    @Test("a false positive that is closed in triage has triaged in time, and exercised nothing else")
    func falsePositive() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open(.high)
        try desk.order(.acknowledge, minutes: 5)
        try desk.order(.phase(.triage), minutes: 6)
        try desk.order(.close(.falsePositive), minutes: 15)
        let outcomes = try outcomes(desk)
        #expect(outcomes["acknowledgement"] == .met && outcomes["triage"] == .met)
        for clock in ["containment", "fix", "user_notice"] { #expect(outcomes[clock] == .notExercised) }
    }

    @Test("closed without being acknowledged: missed when it was due by then, not exercised when it was not")
    func closedUnacknowledged() throws {
        for (minute, outcome) in [(15, ClockStatus.Outcome.notExercised), (16, .missed)] {
            var desk = Desk(policies: try ShippedPolicies.load())
            try desk.open(.high)
            try desk.order(.close(.falsePositive), minutes: Int64(minute))
            #expect(try outcomes(desk)["acknowledgement"] == outcome)
        }
    }

    @Test("a clock that is missed is recorded once, never early, and stays missed")
    func recordedOnce() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open(.high)
        #expect(try look(&desk, minute: 15).isEmpty)
        #expect(try look(&desk, minute: 16) == ["SEC-2026-0001/1/acknowledgement"])
        #expect(try look(&desk, minute: 17).isEmpty)
        try desk.order(.pauseClock(nil), minutes: 18)
        #expect(try outcomes(desk)["acknowledgement"] == .missed)
        try desk.order(.acknowledge, minutes: 20)
        #expect(try outcomes(desk)["acknowledgement"] == .missed)
    }

    @Test("status updates: a reminder for every quarter of an hour without one, until there have been too many")
    func statusUpdates() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open(.high)
        try desk.order(.acknowledge, minutes: 0)
        try desk.order(.phase(.triage), minutes: 0)
        try desk.order(.phase(.containment), minutes: 0)
        #expect(try look(&desk, minute: 16) == ["SEC-2026-0001/1/status_update/0.1"])
        #expect(try look(&desk, minute: 29).isEmpty)
        #expect(try look(&desk, minute: 31) == ["SEC-2026-0001/1/status_update/0.2"])
        try desk.order(.statusUpdate, minutes: 35)
        #expect(try look(&desk, minute: 50).isEmpty)
        #expect(try look(&desk, minute: 51) == ["SEC-2026-0001/1/status_update/1.1"])
        var count = 0
        for minute in stride(from: Int64(52), to: 600, by: 1) {
            count += try look(&desk, minute: minute).count { $0.contains("status_update") }
        }
        #expect(count == ClockPolicy.maximumReminders - 1)
    }

    @Test("a containment that did not hold is not contained any more")
    func containedAgain() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open(.high)
        try desk.order(.phase(.triage), minutes: 1)
        try desk.order(.phase(.containment), minutes: 2)
        try desk.order(.phase(.recovery), minutes: 30)
        #expect(try outcomes(desk)["containment"] == .met)
        try desk.order(.phase(.containment), minutes: 40)
        #expect(try outcomes(desk)["containment"] == .running)
        try desk.order(.phase(.recovery), minutes: 101)
        #expect(try outcomes(desk)["containment"] == .missed)
    }

    @Test("a severity has its own limits, and what was met is not missed for a severity of later")
    func severities() throws {
        let text = "use: t\ntables: {t: {k: {title: T, starts: opened, stops: acknowledged, within: {P0: 5m, P1: 15m}}}}"
        var desk = Desk(policies: try Policies(files: ["clocks.yml": text], folder: "policies"))
        try desk.open(.low)
        #expect(try outcomes(desk).isEmpty)
        try desk.order(.severity(.high), minutes: 1)
        #expect(desk.policies.clocks.nextDue(of: try #require(desk.state())) == .minutes(15))
        try desk.order(.acknowledge, minutes: 10)
        try desk.order(.severity(.critical), minutes: 11)
        #expect(try outcomes(desk) == ["k": .met])
    }

    @Test("back to a phase that did not hold, its clock begins anew, and what became of it the first time stays")
    func backAPhase() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open(.high)
        try desk.order(.acknowledge, minutes: 1)
        try desk.order(.phase(.triage), minutes: 2)
        try desk.order(.phase(.containment), minutes: 3)
        try desk.order(.phase(.eradication), minutes: 20)
        try desk.order(.phase(.recovery), minutes: 200)
        _ = try look(&desk, minute: 201)
        try desk.order(.phase(.containment), minutes: 300)
        #expect(try look(&desk, minute: 301).filter { !$0.contains("status_update") }.isEmpty)
        let containment = { (desk: Desk) throws -> [ClockStatus] in
            desk.policies.clocks.statuses(of: try #require(desk.state())).filter { $0.clock == "containment" }
        }
        let clocks = try containment(desk)
        #expect(clocks.map(\.outcome) == [.met, .running])
        #expect(clocks.map(\.start) == [.minutes(3), .minutes(300)] && clocks.last?.due == .minutes(360))
        let fix = desk.policies.clocks.statuses(of: try #require(desk.state())).filter { $0.clock == "fix" }
        #expect(fix.map(\.outcome) == [.met, .notStarted])
        #expect(fix.first?.start == .minutes(20) && fix.first?.stopped == .minutes(200))
        #expect(try look(&desk, minute: 361).contains("SEC-2026-0001/1/containment/2"))
        try desk.order(.phase(.recovery), minutes: 370)
        #expect(try containment(desk).map(\.outcome) == [.met, .missed])
        try desk.order(.phase(.review), minutes: 371)
        try desk.order(.close(.resolved), minutes: 372)
        try desk.order(.reopen, minutes: 400)
        #expect(try #require(desk.state()).setbacks.isEmpty)
        #expect(desk.policies.clocks.statuses(of: try #require(desk.state()).cycles[0]).count { $0.clock == "containment" } == 2)
    }
}

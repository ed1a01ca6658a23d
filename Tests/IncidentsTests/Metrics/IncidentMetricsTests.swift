import Events
import Incidents
import Testing

@Suite("Metrics of incidents")
struct IncidentMetricsTests {
    private static let march = IncidentMetrics.Period(
        from: Desk.start.advanced(bySeconds: -86_400), until: Desk.start.advanced(bySeconds: 30 * 86_400))

    private func metrics(_ desk: Desk, _ period: IncidentMetrics.Period = march) -> IncidentMetrics {
        IncidentMetrics(of: desk.ledger.incidents.values, desk.policies, in: period)
    }

    private func times(_ metrics: IncidentMetrics, _ measure: Measure) throws -> [MeasuredTime] {
        try #require(metrics.times.first { $0.measure == measure }).times
    }

    private func minutes(_ time: MeasuredTime) -> Int64? { time.nanoseconds.map { $0 / 60_000_000_000 } }

    /// One that went as it should.
    private func resolved(_ desk: inout Desk, at start: Int64 = 0) throws -> String {
        let id = try desk.open(.high, at: .minutes(start))
        try desk.order(.acknowledge, id, minutes: start + 5)
        try desk.order(.phase(.triage), id, minutes: start + 6)
        try desk.order(.phase(.containment), id, minutes: start + 20)
        try desk.order(.phase(.recovery), id, minutes: start + 50)
        try desk.order(.close(.resolved), id, minutes: start + 90)
        return id
    }

    @Test("each time is from its start to its end, and what is not over is listed, never averaged")
    func measured() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        let done = try resolved(&desk)
        let open = try desk.open(.low, at: .minutes(10))
        let metrics = metrics(desk)
        #expect(metrics.incidents == [done, open] && metrics.cycleCount == 2)
        #expect(try times(metrics, .acknowledge).map(minutes) == [5, nil])
        #expect(try times(metrics, .acknowledge)[1].outcome == .running)
        #expect(try times(metrics, .contain).map(minutes) == [50, nil])
        #expect(try times(metrics, .contain)[1].outcome == .notExercised)
        #expect(try times(metrics, .resolve).map(minutes) == [90, nil])
        // Opened by a person: no rule detected it.
        #expect(try times(metrics, .detect).isEmpty)
        let acknowledgement = try #require(metrics.times.first { $0.measure == .acknowledge }?.distribution)
        #expect(acknowledgement.count == 1 && acknowledgement.median == 5 * 60_000_000_000)
    }

    @Test("closed without an acknowledgement is missed; a false positive was not to be resolved")
    func missed() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        let id = try desk.open(.high)
        try desk.order(.close(.falsePositive), id, minutes: 40)
        let metrics = metrics(desk)
        #expect(try times(metrics, .acknowledge).map(\.outcome) == [.missed])
        #expect(try times(metrics, .contain).map(\.outcome) == [.notExercised])
        #expect(try times(metrics, .resolve).map(\.outcome) == [.notExercised])
        let clock = try #require(metrics.clocks.first { $0.clock == "acknowledgement" })
        #expect(clock.missed == [id] && clock.attainment.whole == 1 && clock.attainment.part == 0)
    }

    @Test("what was not exercised is in no attainment")
    func attainment() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        _ = try resolved(&desk)
        let id = try desk.open(.high, at: .minutes(200))
        try desk.order(.acknowledge, id, minutes: 201)
        try desk.order(.close(.falsePositive), id, minutes: 210)
        let containment = try #require(metrics(desk).clocks.first { $0.clock == "containment" })
        #expect(containment.met.count == 1 && containment.notExercised == [id])
        #expect(containment.attainment == Share(part: 1, whole: 1))
    }

    @Test("an incident that was opened again counts once for each cycle, and each keeps what it measured")
    func cycles() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        let id = try resolved(&desk)
        let before = metrics(desk)
        try desk.order(.reopen, id, minutes: 300)
        try desk.order(.acknowledge, id, minutes: 302)
        let after = metrics(desk)
        #expect(after.cycleCount == 2 && after.incidents == [id])
        #expect(try times(after, .acknowledge).map(minutes) == [5, 2])
        #expect(try times(after, .resolve).map(\.outcome).last == .running)
        #expect(try times(after, .resolve).first == times(before, .resolve).first)
        let clock = try #require(after.clocks.first { $0.clock == "containment" })
        #expect(clock.met == [id] && clock.running == [id])
        #expect(after.rates.first { $0.id == "recurrence" }?.share == Share(part: 1, whole: 2))
    }

    @Test("drills are never counted with what really happened")
    func kinds() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        let real = try desk.open(.high)
        let drill = try desk.open(.high, kind: .drill, at: .minutes(1))
        #expect(metrics(desk).incidents == [real])
        var period = Self.march
        period.kind = .drill
        #expect(metrics(desk, period).incidents == [drill])
    }

    @Test("merged incidents are counted where they went, and false positives by both definitions")
    func rates() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        let kept = try resolved(&desk)
        let gone = try desk.open(.high, at: .minutes(100))
        try desk.order(.merge(into: try desk.open(.high, at: .minutes(101))), gone, minutes: 102)
        let wrong = try desk.open(.low, at: .minutes(103))
        try desk.order(.close(.falsePositive), wrong, minutes: 104)
        let metrics = metrics(desk)
        #expect(!metrics.incidents.contains(gone) && metrics.incidents.contains(kept))
        let rate = try #require(metrics.rates.first { $0.id == "false_positive_incidents" })
        #expect(rate.share == Share(part: 1, whole: 2) && rate.incidents == [wrong])
    }

    @Test("a period takes what began in it, and its twelfths add up to it")
    func period() throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        for hour in 0..<48 { try desk.open(.medium, at: .minutes(Int64(hour) * 60)) }
        let day = metrics(desk, .init(from: .minutes(0), until: .minutes(24 * 60)))
        #expect(day.cycleCount == 24 && day.trend.count == 12 && day.trend.allSatisfy { $0.total == 2 })
        #expect(day.trend.first?.from == day.period.from && day.trend.last?.until == day.period.until)
        let odd = metrics(desk, .init(from: .minutes(-7), until: .minutes(48 * 60 + 1)))
        #expect(odd.trend.map(\.total).reduce(0, +) == 48)
    }
}

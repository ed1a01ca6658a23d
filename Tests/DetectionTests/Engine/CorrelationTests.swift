import Events
import Testing

@testable import Detection

@Suite struct CorrelationTests {
    static let failures = """
        title: Failure
        id: 00000000-0000-4000-8000-000000000001
        name: failure
        logsource: {category: application}
        detection: {s: {event.action: fail}, condition: s}
        vigie: {hostile: true, category: brute_force}
        ---
        title: Burst
        id: 00000000-0000-4000-8000-000000000002
        correlation: {type: event_count, rules: [failure], group-by: [vigie.source.prefix], timespan: 60s, condition: {gte: 3}}
        level: high
        ---
        title: Accounts
        id: 00000000-0000-4000-8000-000000000003
        correlation: {type: value_count, rules: [failure], group-by: [source.ip], timespan: 1h, condition: {field: user.name, gte: 3}}
        level: medium
        """

    static func event(_ second: Int, _ address: String = "192.0.2.1", user: String = "root", action: String = "fail") -> String {
        #"{"@timestamp": \#(1_800_000_000 + second), "event.action": "\#(action)", "source.ip": "\#(address)", "user.name": "\#(user)"}"#
    }

    private func bursts(_ events: [String]) -> [Finding] {
        var trial = EngineTrial(Self.failures)
        return trial.consume(events).filter { $0.rule.title == "Burst" }
    }

    @Test func firesWithTheEventThatReachesTheThreshold() throws {
        let finding = try #require(bursts([0, 10, 20].map { Self.event($0) }).first)
        #expect(finding.count == 3)
        #expect(finding.time == Timestamp(seconds: 1_800_000_020))
        #expect(finding.firstSeen == Timestamp(seconds: 1_800_000_000))
        #expect(finding.evidence.map(\.line) == [1, 2, 3])
        #expect(finding.sourceIP == "192.0.2.1")
    }

    @Test func anEventExactlyOneTimespanOldStillCounts() {
        #expect(bursts([0, 30, 60].map { Self.event($0) }).count == 1)
        #expect(bursts([0, 30, 61].map { Self.event($0) }).isEmpty)
    }

    @Test func isSilentForOneTimespanAfterFiringAndThenFiresAgain() {
        let found = bursts((0...13).map { Self.event($0 * 10) })
        #expect(found.map { $0.time.seconds - 1_800_000_000 } == [20, 80])
    }

    @Test func groupsAreApartAndAnIPv6SiteIsOneGroup() {
        #expect(bursts([0, 1, 2].map { Self.event($0, "192.0.2.\($0)") }).isEmpty)
        #expect(bursts([0, 1, 2].map { Self.event($0, "2001:db8:1:2::\($0 + 1)") }).count == 1)
    }

    @Test func anEventOutOfOrderInsideTheWindowCounts() {
        #expect(bursts([0, 40, 20].map { Self.event($0) }).count == 1)
    }

    @Test func aLateEventIsCountedAsLateAndNotInTheWindow() {
        var trial = EngineTrial(Self.failures)
        #expect(trial.consume([200, 210, 100].map { Self.event($0) }).isEmpty)
        #expect(trial.engine.counters.late == 1)
    }

    @Test func anEventWithoutTheGroupFieldIsNotCounted() {
        #expect(bursts(Array(repeating: #"{"@timestamp": 1800000000, "event.action": "fail"}"#, count: 5)).isEmpty)
    }

    @Test func valueCountCountsEachValueOnce() throws {
        var trial = EngineTrial(Self.failures)
        let users = ["a", "a", "b", "a", "c"]
        let found = trial.consume(users.enumerated().map { Self.event($0.offset * 100, user: $0.element) }).filter {
            $0.rule.title == "Accounts"
        }
        let finding = try #require(found.first)
        #expect(found.count == 1)
        #expect(finding.count == 3)
        #expect(finding.userName == nil, "three accounts are not one")
    }

    /// Law: cutting the events into batches, and restarting between any two of them, changes nothing.
    @Test(arguments: 1...30)
    func restartsAndBatchesChangeNothing(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var second = 0
        let events = (0..<120).map { _ in
            second += Int.random(in: -5...25, using: &random)
            return Self.event(
                max(0, second), "192.0.2.\(Int.random(in: 1...3, using: &random))",
                user: ["a", "b", "c", "d"].randomElement(using: &random) ?? "a",
                action: Bool.random(using: &random) ? "fail" : "login")
        }
        var whole = EngineTrial(Self.failures)
        let expected = whole.consume(events)
        var cut = EngineTrial(Self.failures)
        var found: [Finding] = []
        var rest = events[...]
        while !rest.isEmpty {
            let next = rest.prefix(Int.random(in: 1...7, using: &random))
            found += cut.consume(Array(next))
            rest = rest.dropFirst(next.count)
            #expect(cut.restart().isEmpty)
        }
        #expect(found == expected)
    }

    /// A regression: sweeps came at other moments after a restart, and what they let go was counted differently.
    @Test func sweepsOfManyGroupsComeAtTheSameMomentsAfterARestart() {
        let rules = Self.failures.replacing("timespan: 1h", with: "timespan: 30d")
        var random = SeededGenerator(seed: 7)
        let events = (0..<6_000).map { index in
            Self.event(
                index * 5, "10.\(Int.random(in: 0...9, using: &random)).\(Int.random(in: 0...255, using: &random)).1",
                user: "u\(index % 5)")
        }
        var whole = EngineTrial(rules)
        let expected = whole.consume(events)
        var cut = EngineTrial(rules)
        var found: [Finding] = []
        for start in stride(from: 0, to: events.count, by: 500) {
            found += cut.consume(Array(events[start..<start + 500]))
            #expect(cut.restart().isEmpty)
        }
        #expect(expected.count > 100)
        #expect(found == expected)
        #expect(cut.engine.snapshot() == whole.engine.snapshot())
    }

    @Test func windowsOfAChangedRuleAreLetGoAndNamed() {
        var trial = EngineTrial(Self.failures)
        _ = trial.consume([Self.event(0), Self.event(1)])
        let snapshot = trial.engine.snapshot()
        var changed = EngineTrial(Self.failures.replacing("gte: 3", with: "gte: 2"))
        #expect(changed.engine.restore(snapshot).count == 2)
    }

    @Test func damagedWindowsAreLetGoRatherThanTrusted() {
        var trial = EngineTrial(Self.failures)
        _ = trial.consume([Self.event(0), Self.event(1)])
        let snapshot = trial.engine.snapshot()
        for position in 0..<2 {
            let bytes = snapshot.correlations[position].bytes
            for length in 0..<bytes.count {
                var cut = snapshot
                cut.correlations[position].bytes = Array(bytes[..<length])
                var engine = Engine(trial.ruleSet)
                #expect(engine.restore(cut) == [snapshot.correlations[position].ruleID])
            }
        }
    }
}

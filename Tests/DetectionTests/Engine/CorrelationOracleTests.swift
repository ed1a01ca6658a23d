import Events
import Testing

@testable import Detection

/// Every kind of correlation, held against one that keeps everything and recomputes everything.
@Suite struct CorrelationOracleTests {
    static let counted = """
        title: Knock
        id: 00000000-0000-4000-8000-000000000001
        name: knock
        logsource: {category: application}
        detection: {s: {event.action: knock}, condition: s}
        ---
        title: Enter
        id: 00000000-0000-4000-8000-000000000002
        name: enter
        logsource: {category: application}
        detection: {s: {event.action: enter}, condition: s}
        ---
        title: Leave
        id: 00000000-0000-4000-8000-000000000003
        name: leave
        logsource: {category: application}
        detection: {s: {event.action: leave}, condition: s}
        """

    /// Bodies of correlations; every kind at least once.
    static let bodies = [
        "type: event_count, rules: [knock], group-by: [source.ip], timespan: 40s, condition: {gte: 3}",
        "type: event_count, rules: [knock, enter], timespan: 25s, condition: {gt: 4, lt: 7}",
        "type: event_count, rules: [knock, enter, leave], group-by: [source.ip, user.name], timespan: 1m, condition: {eq: 2}",
        "type: event_count, rules: [leave], timespan: 2m, condition: {neq: 1}",
        "type: event_count, rules: [knock, enter, leave], timespan: 10m, condition: {gte: 80}",
        "type: value_count, rules: [knock], group-by: [source.ip], timespan: 1m, condition: {field: user.name, gte: 3}",
        "type: value_count, rules: [knock, leave], timespan: 30s, condition: {field: [user.name, source.ip], gte: 5}",
        "type: temporal, rules: [knock, enter, leave], group-by: [source.ip], timespan: 30s",
        "type: temporal, rules: [knock, enter, leave], group-by: [user.name], timespan: 30s, condition: {gte: 2}",
        "type: temporal, rules: [knock, enter, leave], group-by: [source.ip], timespan: 20s, condition: knock and (enter or not leave)",
        "type: temporal_ordered, rules: [knock, enter, leave], group-by: [source.ip], timespan: 30s",
        "type: temporal_ordered, rules: [leave, enter, knock], timespan: 20s, condition: {eq: 2}",
        "type: temporal_ordered, rules: [knock, enter, leave], group-by: [user.name], timespan: 30s, condition: knock and enter and not leave",
        "type: value_sum, rules: [enter], group-by: [source.ip], timespan: 1m, condition: {field: bytes, gt: 1500}",
        "type: value_sum, rules: [enter, knock, leave], timespan: 8m, condition: {field: bytes, gt: 30000}",
        "type: value_avg, rules: [enter, leave], group-by: [user.name], timespan: 1m, condition: {field: bytes, gte: 400, lt: 600}",
        "type: value_median, rules: [enter, leave], group-by: [source.ip], timespan: 1m, condition: {field: bytes, gt: 700}",
        "type: value_percentile, rules: [enter, leave], timespan: 1m, condition: {field: bytes, lte: 300, percentile: 50}",
        "type: value_percentile, rules: [enter, knock, leave], timespan: 8m, condition: {field: bytes, gte: 960, percentile: 95}",
    ]
    static let options = [
        "{}", "{suppress: 0s}", "{suppress: 5s}", "{suppress: 3m}", "{lateness: 5s}", "{missing: group}", "{clear: {lte: 1}}",
        "{clear: {lt: 2}, suppress: 20s}", "{clear: {gte: 900}}",
    ]
    static let absences = [
        "type: temporal_ordered, rules: [knock, enter], group-by: [source.ip], timespan: 20s, condition: knock and not enter",
        "type: temporal_ordered, rules: [leave, knock], group-by: [user.name, source.ip], timespan: 45s, condition: leave and not knock",
    ]

    static func correlation(_ body: String, _ own: String, _ number: Int) -> String {
        """
        ---
        title: Trial \(number)
        id: 00000000-0000-4000-8000-0000000001\(number < 10 ? "0" : "")\(number)
        name: trial_\(number)
        correlation: {\(body)}
        vigie: \(own)
        """
    }

    static func json(_ event: NaiveCorrelation.Event) -> String {
        let fields = event.fields.sorted { $0.key < $1.key }.map { #""\#($0.key)": "\#($0.value)""# }
        return "{\"@timestamp\": \(event.time / 1_000_000_000), \(fields.joined(separator: ", "))}"
    }

    /// Out of order by less than the shortest timespan; fields missing now and then.
    static func stream(_ random: inout SeededGenerator, count: Int) -> [NaiveCorrelation.Event] {
        var second = 1_800_000_000
        return (1...count).map { line in
            second += [0, 0, 1, 1, 2, 3, 5, 30].randomElement(using: &random) ?? 1
            let time = Int64(second - ([0, 0, 0, 1, 4, 12].randomElement(using: &random) ?? 0)) * 1_000_000_000
            var fields = [
                "event.action": ["knock", "knock", "enter", "leave", "none"].randomElement(using: &random) ?? "",
                "source.ip": "192.0.2.\(Int.random(in: 1...3, using: &random))",
                "user.name": ["a", "b", "c", "d", "e"].randomElement(using: &random) ?? "",
                "bytes": ["\(Int.random(in: 0...1000, using: &random))", "1.5e2", "0.25", "many"].randomElement(using: &random)
                    ?? "",
            ]
            if Int.random(in: 0..<12, using: &random) == 0 { fields["user.name"] = nil }
            if Int.random(in: 0..<12, using: &random) == 0 { fields["source.ip"] = nil }
            if Int.random(in: 0..<12, using: &random) == 0 { fields["bytes"] = nil }
            return NaiveCorrelation.Event(time: time, line: Int64(line), fields: fields, lines: [Int64(line)], firstSeen: time)
        }
    }

    private static func parse(_ text: String) -> [(title: String, rule: SigmaCorrelation)] {
        SigmaParser.parse(RuleSource(path: "trial.yml", text: text)).compactMap { try? $0.get() }.compactMap { document in
            guard case .correlation(let correlation) = document.body else { return nil }
            return (document.header.title, correlation)
        }
    }

    private static func found(_ finding: Finding) -> NaiveCorrelation.Found {
        NaiveCorrelation.Found(
            time: finding.time.nanoseconds, title: finding.rule.title, count: finding.count,
            firstSeen: finding.firstSeen.nanoseconds, lastSeen: finding.lastSeen.nanoseconds, lines: finding.evidence.map(\.line))
    }

    /// The engine's findings, with the events cut into batches anywhere and a restart after each where `random` says so.
    private static func engine(
        _ rules: String, _ events: [NaiveCorrelation.Event], _ random: inout SeededGenerator
    ) -> (findings: [Finding], trial: EngineTrial) {
        var trial = EngineTrial(rules)
        #expect(trial.ruleSet.problems.isEmpty, "\(trial.ruleSet.problems)")
        var findings: [Finding] = []
        var rest = events[...]
        while !rest.isEmpty {
            let next = rest.prefix(Int.random(in: 1...20, using: &random))
            findings += trial.consume(next.map(json))
            rest = rest.dropFirst(next.count)
            if Bool.random(using: &random) { #expect(trial.restart().isEmpty) }
        }
        return (findings, trial)
    }

    @Test(arguments: 1...12)
    func everyKindFindsWhatTheObviousWayFinds(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var text = Self.counted
        for (number, body) in Self.bodies.enumerated() {
            text += "\n" + Self.correlation(body, Self.options.randomElement(using: &random) ?? "{}", number)
        }
        let events = Self.stream(&random, count: 300)
        var expected: [NaiveCorrelation.Found] = []
        var late = 0
        for (title, rule) in Self.parse(text) {
            var naive = NaiveCorrelation(title: title, rule: rule)
            for event in events {
                if let found = naive.count(event, as: event.fields["event.action"] ?? "") { expected.append(found) }
            }
            late += naive.late
        }
        let (findings, trial) = Self.engine(text, events, &random)
        let got = findings.map(Self.found).sorted()
        expected.sort()
        #expect(expected.count > 40)
        let difference = zip(got, expected).first { $0 != $1 }
        #expect(difference == nil)
        #expect(got.count == expected.count)
        #expect(trial.engine.counters.late == late)
        #expect(findings.allSatisfy { !$0.isLowerBound })
        #expect(Set(findings.map(\.id)).count == findings.count)
    }

    @Test(arguments: 1...12)
    func absencesAreThoseOfTheObviousWay(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var text = Self.counted
        for (number, body) in Self.absences.enumerated() {
            let own = ["absence: true", "absence: true, suppress: 0s", "absence: true, lateness: 12s"].randomElement(
                using: &random)
            text += "\n" + Self.correlation(body, "{\(own ?? "")}", number)
        }
        let events = Self.stream(&random, count: 300)
        var expected: [NaiveCorrelation.Found] = []
        for (title, rule) in Self.parse(text) {
            var naive = NaiveCorrelation(title: title, rule: rule)
            var now = Int64.min
            for event in events {
                if event.time > now {
                    now = event.time
                    expected += naive.unanswered(before: now)
                }
                naive.wait(event, as: event.fields["event.action"] ?? "", now: now)
            }
        }
        let got = Self.engine(text, events, &random).findings.map(Self.found).sorted()
        expected.sort()
        #expect(expected.count > 10)
        let difference = zip(got, expected).first { $0 != $1 }
        #expect(difference == nil)
        #expect(got.count == expected.count)
    }

    @Test(arguments: 1...8)
    func chainsAreThoseOfTheObviousWay(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let text =
            Self.counted + "\n" + Self.correlation(Self.bodies[0], "{suppress: 5s}", 0) + "\n"
            + Self.correlation(Self.bodies[10], "{suppress: 0s}", 1) + "\n"
            + Self.correlation(
                "type: temporal, rules: [trial_0, trial_1, leave], group-by: [source.ip], timespan: 5m, generate: true",
                "{suppress: 10s}", 2) + "\n"
            + Self.correlation(
                "type: event_count, rules: [trial_2], timespan: 1h, condition: {gte: 2}, generate: true", "{suppress: 0s}", 3)
        let events = Self.stream(&random, count: 500)
        var naive = Self.parse(text).map { NaiveCorrelation(title: $0.title, rule: $0.rule) }
        let names = ["trial_0", "trial_1", "trial_2", "trial_3"]
        var expected: [NaiveCorrelation.Found] = []
        func count(_ event: NaiveCorrelation.Event, _ name: String) {
            for index in naive.indices where naive[index].rule.rules.contains(name) {
                guard let found = naive[index].count(event, as: name) else { continue }
                expected.append(found)
                var passed = event
                passed.lines = found.lines
                passed.firstSeen = found.firstSeen
                count(passed, names[index])
            }
        }
        for event in events { count(event, event.fields["event.action"] ?? "") }
        let got = Self.engine(text, events, &random).findings.filter { $0.rule.title.hasPrefix("Trial") }.map(Self.found).sorted()
        expected.sort()
        #expect(expected.contains { $0.title == "Trial 3" })
        let difference = zip(got, expected).first { $0 != $1 }
        #expect(difference == nil)
        #expect(got.count == expected.count)
    }
}

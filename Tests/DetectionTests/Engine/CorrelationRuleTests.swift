import Events
import Ingest
import Testing

@testable import Detection

/// What correlations say of themselves and of each other.
@Suite struct CorrelationRuleTests {
    private func found(_ rules: String, _ events: [String]) -> [Finding] {
        var trial = EngineTrial(CorrelationOracleTests.counted + "\n" + rules)
        #expect(trial.ruleSet.problems.isEmpty, "\(trial.ruleSet.problems)")
        return trial.consume(events).filter { $0.rule.title.hasPrefix("Trial") }
    }

    private func event(_ second: Int, _ action: String, _ fields: String) -> String {
        #"{"@timestamp": \#(1_800_000_000 + second), "event.action": "\#(action)", \#(fields)}"#
    }

    @Test func aliasesGroupWhatRulesCallDifferently() {
        let rule = CorrelationOracleTests.correlation(
            "type: temporal, rules: [knock, enter], group-by: [who], timespan: 1m, "
                + "aliases: {who: {knock: visitor.name, enter: user.name}}", "{}", 1)
        let same = found(rule, [event(0, "knock", #""visitor.name": "a""#), event(1, "enter", #""user.name": "a""#)])
        let other = found(rule, [event(0, "knock", #""visitor.name": "a""#), event(1, "enter", #""user.name": "b""#)])
        #expect(same.count == 1)
        #expect(other.isEmpty)
    }

    @Test func anExpressionNamesTheRulesWhereThereIsNoList() {
        let rule = CorrelationOracleTests.correlation("type: temporal, timespan: 1m, condition: knock and enter", "{}", 1)
        #expect(found(rule, [event(0, "knock", #""a": "b""#), event(1, "enter", #""a": "b""#)]).count == 1)
    }

    /// A rule that the condition can do without does not have to stand where the order would have it.
    @Test(arguments: [
        (["enter", "knock", "leave"], "(knock or enter) and leave", true),
        (["leave", "enter", "knock"], "(knock or enter) and leave", false),
        (["knock", "leave"], "(knock or enter) and leave", true),
        (["enter", "knock", "leave"], "knock and enter and leave", false),
        (["enter", "knock", "leave"], "(knock and not enter or enter) and leave", true),
        (["enter", "knock", "leave"], "knock and not enter and leave", false),
    ])
    func aConditionAboutOrderIsMetByAnyOfItsWays(actions: [String], condition: String, isMet: Bool) {
        let rule = CorrelationOracleTests.correlation(
            "type: temporal_ordered, rules: [knock, enter, leave], timespan: 1m, condition: '\(condition)'", "{}", 1)
        let events = actions.enumerated().map { event($0.offset, $0.element, #""a": "b""#) }
        #expect(found(rule, events).isEmpty != isMet)
    }

    @Test func whatOtherRulesCallTheirFieldsIsNothingToACorrelation() throws {
        let counted = """
            title: Missing page
            name: missing
            id: 6f0f9d7c-1f0a-4d3e-9d51-000000000001
            logsource: {category: webserver}
            detection: {s: {http.response.status_code: 404}, condition: s}
            ---
            title: Trial
            id: 6f0f9d7c-1f0a-4d3e-9d51-000000000002
            correlation: {type: event_count, rules: [missing], group-by: [c-ip], timespan: 1m, condition: {gte: 2}}
            """
        let other = """
            title: Another
            id: 6f0f9d7c-1f0a-4d3e-9d51-000000000003
            logsource: {product: zeek}
            detection: {s: {c-ip: 192.0.2.1}, condition: s}
            """
        let pipelines = try Pipeline.parse(
            RuleSource(path: "p.yml", text: "logsource: {category: webserver}\nfields: {c-ip: source.ip}"))
        let event = #"{"remote_addr": "192.0.2.7", "status": 404, "request_uri": "/x"}"#
        for rules in [counted, other + "\n---\n" + counted] {
            let set = RuleSet(sources: [RuleSource(path: "r.yml", text: rules)], pipelines: pipelines)
            #expect(set.problems.isEmpty)
            let correlation = try #require(set.correlations.first)
            #expect(correlation.members.map { $0.groupBy.map { set.fields[$0.field] } } == [["source.ip"]])
            #expect(try WindowsEvents.matches(set, event + "\n" + event, format: .json))
        }
    }

    @Test func aChainShowsTheEvidenceOfWhatItCounts() throws {
        let rules =
            CorrelationOracleTests.correlation(
                "type: event_count, rules: [knock], group-by: [source.ip], timespan: 1m, condition: {gte: 3}", "{}", 1) + "\n"
            + CorrelationOracleTests.correlation(
                "type: temporal_ordered, rules: [trial_1, enter], group-by: [source.ip], timespan: 5m", "{}", 2)
        let events =
            (0..<3).map { event($0, "knock", #""source.ip": "192.0.2.1""#) } + [event(60, "enter", #""source.ip": "192.0.2.1""#)]
        let findings = found(rules, events)
        let finding = try #require(findings.first)
        #expect(findings.count == 1, "what a chain counts gives no finding of its own")
        #expect(finding.evidence.map(\.line) == [1, 2, 3, 4])
        #expect(finding.firstSeen == Timestamp(seconds: 1_800_000_000))
        #expect(finding.sourceIP == "192.0.2.1")
    }

    @Test func correlationsMayStandBeforeWhatTheyCountAndNotCountEachOther() throws {
        let circle =
            CorrelationOracleTests.correlation("type: event_count, rules: [trial_2], timespan: 1m, condition: {gte: 2}", "{}", 1)
            + "\n"
            + CorrelationOracleTests.correlation(
                "type: event_count, rules: [trial_1], timespan: 1m, condition: {gte: 2}", "{}", 2)
        let refused = RuleSet(sources: [RuleSource(path: "r.yml", text: CorrelationOracleTests.counted + "\n" + circle)])
        #expect(refused.problems.count == 2)
        #expect(refused.problems.first?.reason == "it counts itself, through 'trial_1' → 'trial_2' → 'trial_1'")
        let fine = RuleSet(sources: [
            RuleSource(
                path: "r.yml",
                text: CorrelationOracleTests.counted + "\n" + circle.replacing("rules: [trial_1]", with: "rules: [knock]"))
        ])
        #expect(fine.problems.isEmpty)
        #expect(fine.correlations.map(\.header.title) == ["Trial 2", "Trial 1"])
    }

    @Test func anAbsenceIsFoundByTheClockWhenNothingComes() throws {
        let rule = CorrelationOracleTests.correlation(
            "type: temporal_ordered, rules: [knock, enter], group-by: [source.ip], timespan: 1m, condition: knock and not enter",
            "{absence: true}", 1)
        var trial = EngineTrial(CorrelationOracleTests.counted + "\n" + rule)
        #expect(trial.consume([event(0, "knock", #""source.ip": "192.0.2.1", "user.name": "a""#)]).isEmpty)
        #expect(trial.restart().isEmpty)
        let deadline = Timestamp(seconds: 1_800_000_060)
        #expect(trial.engine.nextDeadline == deadline)
        var findings: [Finding] = []
        trial.engine.advance(to: deadline, into: &findings)
        #expect(findings.isEmpty, "an answer may still come in this very moment")
        trial.engine.advance(to: deadline.advanced(byNanoseconds: 1), into: &findings)
        let finding = try #require(findings.first)
        #expect(finding.time == deadline)
        #expect(finding.evidence.map(\.line) == [1])
        #expect(finding.sourceIP == "192.0.2.1")
        #expect(finding.userName == "a")
        #expect(trial.engine.nextDeadline == nil)
    }

    @Test func anAbsenceMayBeCountedByItsAddress() {
        let rules =
            CorrelationOracleTests.correlation(
                "type: temporal_ordered, rules: [knock, enter], group-by: [user.name], timespan: 1m, "
                    + "condition: knock and not enter", "{absence: true}", 1) + "\n"
            + CorrelationOracleTests.correlation(
                "type: event_count, rules: [trial_1], group-by: [source.ip, user.name], timespan: 1h, condition: {gte: 2}", "{}",
                2)
        let fields = #""source.ip": "192.0.2.1", "user.name": "a""#
        let findings = found(rules, [event(0, "knock", fields), event(130, "knock", fields), event(300, "leave", fields)])
        #expect(findings.map(\.rule.title) == ["Trial 2"])
        #expect(findings.first?.evidence.map(\.line) == [1, 2])
    }

    @Test func whatIsLeftOutIsCounted() throws {
        let rule = CorrelationOracleTests.correlation(
            "type: value_sum, rules: [knock], group-by: [source.ip], timespan: 1m, condition: {field: bytes, gt: 5}", "{}", 1)
        var trial = EngineTrial(CorrelationOracleTests.counted + "\n" + rule)
        _ = trial.consume([
            event(0, "knock", #""source.ip": "192.0.2.1", "bytes": "many""#), event(0, "knock", #""source.ip": "192.0.2.1""#),
            event(0, "knock", #""bytes": "1""#), event(500, "knock", #""source.ip": "192.0.2.1", "bytes": "2""#),
            event(0, "knock", #""source.ip": "192.0.2.1", "bytes": "3""#),
        ])
        let statistics = try #require(trial.engine.correlationStatistics.first)
        #expect(statistics.ignoredValues == 2)
        #expect(statistics.ungrouped == 1)
        #expect(statistics.late == 1)
        #expect(statistics.groups == 1)
        #expect(statistics.bytes > 0)
    }

    @Test func aNewTitleLeavesTheWindowsAsTheyAreAndANewThresholdDoesNot() {
        let rule = CorrelationOracleTests.correlation(
            "type: event_count, rules: [knock], timespan: 1m, condition: {gte: 2}", "{}", 1)
        let text = CorrelationOracleTests.counted + "\n" + rule
        var trial = EngineTrial(text)
        _ = trial.consume([event(0, "knock", #""a": "b""#)])
        let snapshot = trial.engine.snapshot()
        var titled = EngineTrial(text.replacing("title: Trial", with: "title: Renamed"))
        #expect(titled.engine.restore(snapshot).isEmpty)
        #expect(titled.engine.correlationStatistics.first?.events == 1)
        var changed = EngineTrial(text.replacing("gte: 2", with: "gte: 3"))
        #expect(changed.engine.restore(snapshot).count == 1)
        #expect(changed.engine.correlationStatistics.first?.events == 0)
    }

    @Test func allCorrelationsTogetherAreBoundedToo() {
        let rules = (1...3).map { number in
            CorrelationOracleTests.correlation(
                "type: event_count, rules: [knock], group-by: [user.name], timespan: 1h, condition: {gte: 99}", "{}", number)
        }
        var trial = EngineTrial(([CorrelationOracleTests.counted] + rules).joined(separator: "\n"))
        trial.engine.correlator.maximumBytes = 30_000
        _ = trial.consume((0..<500).map { event($0, "knock", #""user.name": "u\#($0)""#) })
        let statistics = trial.engine.correlationStatistics
        #expect(statistics.map(\.bytes).reduce(0, +) <= 30_000)
        #expect(statistics.map(\.evictedGroups).reduce(0, +) > 1000)
        #expect(trial.engine.counters.evictedGroups > 1000)
    }
}

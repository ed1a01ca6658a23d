import Events
import Testing

@testable import Detection

/// What `rules explain` says of single correlations; that it always agrees with the engine, `ExplanationAgreementTests` says.
@Suite struct CorrelationExplanationTests {
    private func explain(
        _ rules: String, _ events: [String], rule: String = "Trial 1", pipelines: String? = nil
    ) throws -> CorrelationExplanation {
        let trial = try ExplainedTrial(
            rule, rules: CorrelationOracleTests.counted + "\n" + rules, pipelines: pipelines, events)
        #expect(trial.difference == nil)
        return trial.explanation
    }

    private func correlation(_ body: String, _ own: String = "{}", _ number: Int = 1) -> String {
        CorrelationOracleTests.correlation(body, own, number)
    }

    private func event(_ second: Int, _ action: String, _ fields: String = #""user.name": "a""#) -> String {
        #"{"@timestamp": \#(1_800_000_000 + second), "event.action": "\#(action)", \#(fields)}"#
    }

    @Test func anAliasIsReadWhereEachRuleHasIt() throws {
        let rule = correlation(
            "type: temporal_ordered, rules: [knock, enter], group-by: [who], timespan: 1m, "
                + "aliases: {who: {knock: visitor.name, enter: user.name}}")
        let explanation = try explain(
            rule,
            [
                event(0, "knock", #""visitor.name": "a""#), event(1, "enter", #""user.name": "a""#),
                event(2, "enter", #""x": "y""#),
            ])
        #expect(explanation.matches)
        #expect(explanation.steps.map { $0.group.first?.name } == ["who", "who", "who"])
        #expect(explanation.steps.map { $0.group.first?.field } == ["visitor.name", "user.name", "user.name"])
        #expect(explanation.steps.map { $0.group.first?.value } == ["a", "a", nil])
        #expect(explanation.steps.map(\.counted) == ["knock", "enter", "enter"])
        #expect(explanation.steps.map(\.value) == [1, 2, nil])
        #expect(explanation.steps.last?.note == "not counted: the event has no user.name (who)")
    }

    @Test func aPipelinesNameIsReadWhereEventsHaveIt() throws {
        let rule = correlation("type: event_count, rules: [knock], group-by: [c-ip], timespan: 1m, condition: {gte: 2}")
        let events = (0..<2).map { event($0, "knock", #""source.ip": "192.0.2.1""#) }
        let explanation = try explain(rule, events, pipelines: "fields: {c-ip: source.ip}")
        #expect(explanation.matches)
        #expect(explanation.steps.map { $0.group.first?.field } == ["source.ip", "source.ip"])
        #expect(explanation.steps.map(\.reading) == ["1 event; wants gte 2", "2 events; wants gte 2"])
    }

    @Test func aChainShowsWhatItsInnerOneCounts() throws {
        let rules =
            correlation("type: event_count, rules: [knock], group-by: [user.name], timespan: 1m, condition: {gte: 3}") + "\n"
            + correlation("type: temporal_ordered, rules: [trial_1, enter], group-by: [user.name], timespan: 5m", "{}", 2)
        let explanation = try explain(rules, (0..<3).map { event($0, "knock") } + [event(60, "enter")], rule: "Trial 2")
        #expect(explanation.matches)
        #expect(explanation.inner.map(\.name) == ["trial_1"])
        #expect(explanation.inner.map(\.wants) == ["gte 3 events within 1m, per user.name"])
        #expect(explanation.steps.map(\.isInner) == [true, true, true, false, false])
        #expect(explanation.steps.map(\.counted) == ["knock", "knock", "knock", "trial_1", "enter"])
        #expect(explanation.steps.map(\.value) == [1, 2, 3, 1, 2])
        #expect(explanation.steps.map { $0.finding != nil } == [false, false, true, false, true])
        #expect(explanation.steps[3].group.first?.inner == "trial_1")
        #expect(explanation.steps[3].group.first?.value == "a")
        #expect(Set(explanation.rules.map { $0.header.name }) == ["knock", "enter"])
    }

    @Test func whatOnlyFeedsAnotherSaysSo() throws {
        let rules =
            correlation("type: event_count, rules: [knock], timespan: 1m, condition: {gte: 1}") + "\n"
            + correlation("type: event_count, rules: [trial_1], timespan: 5m, condition: {gte: 2}", "{}", 2)
        let explanation = try explain(rules, [event(0, "knock")])
        #expect(explanation.matches)
        #expect(explanation.countedBy == ["trial_2"])
    }

    private static let absence =
        "type: temporal_ordered, rules: [knock, enter], group-by: [user.name], timespan: 1m, condition: knock and not enter"

    @Test func anAbsenceIsFoundWhenItsTimeIsUp() throws {
        let rule = correlation(Self.absence, "{absence: true}")
        let explanation = try explain(rule, [event(0, "knock"), event(90, "leave")])
        #expect(explanation.matches)
        #expect(explanation.steps.map(\.line) == [1, 1])
        #expect(explanation.steps.map(\.counted) == ["knock", nil])
        #expect(explanation.steps.first?.note == "waits for enter until 2027-01-15T08:01:00Z")
        #expect(explanation.steps.last?.note == "time is up: no enter came within 1m")
        #expect(explanation.steps.last?.group.first?.value == "a")
    }

    @Test func anAbsenceThatIsNotUpYetOrWasAnsweredSaysSo() throws {
        let rule = correlation(Self.absence, "{absence: true}")
        let early = try explain(rule, [event(0, "knock"), event(30, "leave")])
        #expect(!early.matches)
        #expect(early.reason?.hasPrefix("line 1 waits still: no event comes after 2027-01-15T08:01:00Z") == true)
        let answered = try explain(rule, [event(0, "knock"), event(30, "enter"), event(300, "leave")])
        #expect(!answered.matches)
        #expect(answered.steps.last?.note == "answers line 1")
        let reversed = try explain(rule, [event(0, "enter"), event(30, "knock")])
        #expect(
            reversed.steps.map(\.note) == [
                "answers nothing: no knock waits in its group", "waits for enter until 2027-01-15T08:01:30Z",
            ])
    }

    @Test func anAbsenceIsCountedUnderItsOwnGroup() throws {
        let rules =
            correlation(Self.absence, "{absence: true}") + "\n"
            + correlation(
                "type: event_count, rules: [trial_1], group-by: [source.ip, user.name], timespan: 1h, condition: {gte: 2}", "{}",
                2)
        let fields = #""source.ip": "192.0.2.1", "user.name": "a""#
        let events = [event(0, "knock", fields), event(130, "knock", fields), event(300, "leave", fields)]
        let explanation = try explain(rules, events, rule: "Trial 2")
        #expect(explanation.matches)
        let own = explanation.steps.filter { !$0.isInner }
        #expect(own.map { $0.group.map(\.value) } == [["192.0.2.1", "a"], ["192.0.2.1", "a"]])
        #expect(own.map(\.value) == [1, 2])
    }

    @Test(arguments: [
        "type: temporal_ordered, rules: [knock, enter], group-by: [user.name], timespan: 1m",
        "type: temporal_ordered, rules: [knock, enter], group-by: [user.name], timespan: 1m, condition: knock and enter",
        "type: temporal_ordered, rules: [knock, enter, leave], group-by: [user.name], timespan: 1m, "
            + "condition: knock and enter and not leave",
    ])
    func theOrderIsNamedWhereNothingElseIsMissing(body: String) throws {
        let explanation = try explain(correlation(body), [event(0, "enter"), event(1, "knock")])
        #expect(!explanation.matches)
        #expect(explanation.steps.first?.note == nil)
        let note = "the order is the reason: the window has enter, knock, the rules come in the order knock, enter"
        #expect(explanation.steps.last?.note?.hasPrefix(note) == true)
        #expect(explanation.reason?.contains(note) == true)
    }

    @Test func anExpressionIsShownBesideWhatTheWindowHas() throws {
        let body =
            "type: temporal, rules: [knock, enter, leave], group-by: [user.name], timespan: 1m, "
            + "condition: (knock or enter) and leave"
        let explanation = try explain(correlation(body), [event(0, "knock"), event(1, "enter")])
        #expect(explanation.wants == "(knock or enter) and leave, rules within 1m, per user.name")
        #expect(explanation.reason == "the window has knock, enter; wants (knock or enter) and leave")
        #expect(try explain(correlation(body), [event(0, "knock"), event(1, "leave")]).matches)
    }

    @Test func whatIsSilentLateOrNoNumberIsNamed() throws {
        let silent = try explain(
            correlation("type: event_count, rules: [knock], timespan: 1m, condition: {gte: 1}"),
            [event(0, "knock"), event(1, "knock")])
        #expect(silent.steps.last?.note == "silent until 2027-01-15T08:01:00Z: it has fired")
        let raised = try explain(
            correlation("type: event_count, rules: [knock], timespan: 1m, condition: {gte: 2}", "{clear: {lte: 1}}"),
            (0..<3).map { event($0, "knock") })
        #expect(raised.steps.last?.note == "silent: it has fired, and fires again when its value was lte 1")
        let late = try explain(
            correlation("type: event_count, rules: [knock], timespan: 1m, condition: {gte: 2}"),
            [event(100, "knock"), event(0, "knock")])
        #expect(late.steps.last?.note == "not counted: it is more than 1m older than the newest event of its group")
        #expect(late.steps.last?.value == nil)
        let text = try explain(
            correlation("type: value_sum, rules: [knock], timespan: 1m, condition: {field: bytes, gt: 5}"),
            [event(0, "knock", #""bytes": "many""#), event(1, "knock", #""bytes": "4""#)])
        #expect(text.steps.map(\.note) == ["not counted: bytes is no number below 2^63", nil])
        #expect(text.steps.map { $0.values.first?.value } == ["many", "4"])
        #expect(text.reason == "sum 4; wants gt 5")
    }

    @Test func aBoundLargerThanAnyIntegerIsShown() throws {
        let rule = correlation("type: value_sum, rules: [knock], timespan: 1m, condition: {field: bytes, gt: 1.0e+30}")
        #expect(try explain(rule, [event(0, "knock", #""bytes": "4""#)]).wants.hasPrefix("gt 1e+30 as the sum of bytes"))
    }
}

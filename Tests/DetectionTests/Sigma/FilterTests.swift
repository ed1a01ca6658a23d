import Testing

@testable import Detection

/// Filter documents: conditions that are joined to the rules they name.
@Suite struct FilterTests {
    private static let rules = """
        title: One
        name: one
        id: 6f0f9d7c-1f0a-4d3e-9d51-000000000001
        logsource: {category: application}
        detection:
          s: {a: x}
          condition: s
        ---
        title: Two
        id: 6f0f9d7c-1f0a-4d3e-9d51-000000000002
        logsource: {category: application, product: shop}
        detection:
          s: {a: x}
          t: {b: y}
          condition: [s, t]

        """

    private func filter(_ rules: String, _ condition: String, logsource: String = "{category: application}") -> String {
        """
        ---
        title: Known good
        logsource: \(logsource)
        filter:
          rules: \(rules)
          selection: {user|startswith: adm_}
          condition: \(condition)

        """
    }

    private func titles(_ text: String, _ event: String) -> [String] {
        var trial = EngineTrial(text)
        #expect(trial.ruleSet.problems == [])
        return trial.consume([event]).map(\.rule.title)
    }

    @Test(arguments: ["[one]", "[6f0f9d7c-1f0a-4d3e-9d51-000000000001]", "[6F0F9D7C-1F0A-4D3E-9D51-000000000001]", "any"])
    func theRulesItNamesAreFiltered(names: String) {
        let text = Self.rules + filter(names, "not selection")
        #expect(titles(text, #"{"a": "x", "user": "adm_root"}"#) == [])
        #expect(titles(text, #"{"a": "x", "user": "root"}"#) == ["One"])
        #expect(titles(text, #"{"a": "x"}"#) == ["One"])
    }

    @Test func otherRulesAreNot() {
        let two = "6f0f9d7c-1f0a-4d3e-9d51-000000000002"
        let text = Self.rules + filter("[\(two)]", "not selection")
        #expect(titles(text, #"{"a": "x", "user": "adm_root"}"#) == ["One"])
    }

    @Test func itsConditionIsJoinedAsItStands() {
        let text = Self.rules + filter("[one]", "selection")
        #expect(titles(text, #"{"a": "x", "user": "adm_root"}"#) == ["One"])
        #expect(titles(text, #"{"a": "x", "user": "root"}"#) == [])
    }

    @Test func severalFiltersAllHaveToHold() {
        let text = Self.rules + filter("[one]", "not selection") + filter("any", "selection")
        #expect(titles(text, #"{"a": "x", "user": "adm_root"}"#) == [])
        #expect(titles(text, #"{"a": "x", "user": "root"}"#) == [])
    }

    @Test func itMayStandBeforeTheRules() {
        let text = filter("[one]", "not selection") + "---\n" + Self.rules
        #expect(titles(text, #"{"a": "x", "user": "adm_root"}"#) == [])
    }

    @Test func aRuleOfAnotherLogSourceIsAMistake() {
        let text = Self.rules + filter("[one]", "not selection", logsource: "{product: shop}")
        let problems = RuleSet(sources: [RuleSource(path: "r.yml", text: text)]).problems
        #expect(problems.map(\.reason) == ["it filters rule 'one', which is not of the filter's log source"])
    }
}

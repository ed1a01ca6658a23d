import Testing

@testable import Detection

/// What Sigma 2.1 says about values and modifiers, one table.
@Suite struct MatchingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var detection: String
        var event: String
        var matches: Bool

        var testDescription: String { "\(detection) on \(event)" }

        init(_ item: String, _ event: String, _ matches: Bool) {
            detection = "s:\n  \(item)\ncondition: s"
            self.event = event
            self.matches = matches
        }
    }

    @Test(arguments: [
        Case("a: Value", #"{"a": "vALUE"}"#, true), Case("a: Value", #"{"a": "values"}"#, false),
        Case("a: va*e", #"{"a": "valve"}"#, true), Case("a: va?e", #"{"a": "vae"}"#, false), Case("a: '*'", #"{"a": ""}"#, true),
        Case(#"a: 'c:\*'"#, #"{"a": "c:*"}"#, true), Case(#"a: 'c:\*'"#, #"{"a": "c:x"}"#, false),
        Case(#"a: 'c:\\*'"#, #"{"a": "c:\\x"}"#, true), Case(#"a: 'c:\\\*'"#, #"{"a": "c:\\*"}"#, true),
        Case(#"a: 'c:\dir'"#, #"{"a": "c:\\dir"}"#, true),
        Case("a|contains: lu", #"{"a": "value"}"#, true), Case("a|startswith: va", #"{"a": "value"}"#, true),
        Case("a|endswith: va", #"{"a": "value"}"#, false), Case("a|contains|all: [va, ue]", #"{"a": "value"}"#, true),
        Case("a|contains|all: [va, ux]", #"{"a": "value"}"#, false), Case("a|cased: Value", #"{"a": "value"}"#, false),
        Case("a|exists: true", #"{"b": "x"}"#, false), Case("a|exists: false", #"{"b": "x"}"#, true),
        Case("a: null", #"{"b": "x"}"#, true), Case("a: null", #"{"a": null}"#, true), Case("a: ''", #"{"a": ""}"#, true),
        Case("a|neq: x", #"{"a": "y"}"#, true), Case("a|gte: 10", #"{"a": 9.5}"#, false),
        Case("a|gte: 10", #"{"a": "10"}"#, true),
        Case("a: 404", #"{"a": 404}"#, true), Case("a: true", #"{"a": true}"#, true),
        Case("a|re: '^v.*[0-9]+$'", #"{"a": "v12"}"#, true), Case("a|re: 'V'", #"{"a": "v"}"#, false),
        Case("a|re|i: 'V'", #"{"a": "v"}"#, true),
        Case("a|cidr: 192.0.2.0/24", #"{"a": "192.0.2.9"}"#, true),
        Case("a|cidr: '2001:db8::/32'", #"{"a": "2001:db9::1"}"#, false),
        Case("a|base64: foo", #"{"a": "Zm9v"}"#, true), Case("a|base64offset|contains: foobar", #"{"a": "xxZm9vYmFyxx"}"#, true),
        Case("a|base64offset|contains: /bin/bash", #"{"a": "L2Jpbi9iYXNo"}"#, true),
        Case("a|wide|base64offset|contains: ping", #"{"a": "cABpAG4AZwA="}"#, true),
        Case("a|windash|contains: ' -x'", #"{"a": "cmd /x"}"#, true), Case("a|fieldref: b", #"{"a": "Same", "b": "same"}"#, true),
        Case("a|fieldref: b", #"{"a": "same", "b": "other"}"#, false), Case("a|hour: 3", #"{"a": "2026-03-01T03:15:00Z"}"#, true),
        Case("a|week: 53", #"{"a": "2027-01-01T00:00:00Z"}"#, true),
        Case("a|month|gte: 4", #"{"a": "2026-03-01T03:15:00Z"}"#, false),
        Case("a: b", #"{"a": ["x", "b"]}"#, true), Case("nested.key: b", #"{"nested": {"key": "b"}}"#, true),
        Case("a: union", #"{"a": "\u0075nion"}"#, true),
    ])
    func value(_ example: Case) {
        #expect(EngineTrial.matches(example.detection, example.event) == example.matches)
    }

    @Test(arguments: [
        ("[failed, error]", true), ("[absent, missing]", false),
    ])
    func keywordsAreSoughtInTheWholeEvent(words: String, matches: Bool) {
        #expect(EngineTrial.matches("keywords: \(words)\ncondition: keywords", #"{"a": "it FAILED"}"#) == matches)
    }

    @Test func allKeywordsWithAll() {
        #expect(EngineTrial.matches("keywords:\n  '|all': [one, two]\ncondition: keywords", #"{"a": "two one"}"#))
        #expect(!EngineTrial.matches("keywords:\n  '|all': [one, two]\ncondition: keywords", #"{"a": "one"}"#))
    }

    @Test(arguments: [
        ("{category: application}", true), ("{product: linux}", false), ("{service: sshd}", false),
        ("{category: webserver}", false),
    ])
    func rulesSeeOnlyTheirLogSources(logsource: String, matches: Bool) {
        #expect(EngineTrial.matches("s: {a: b}\ncondition: s", #"{"a": "b"}"#, logsource: logsource) == matches)
    }

    @Test(arguments: [
        ("a and b or c", "a and (b or c)", false), ("a or b and c", "(a or b) and c", false),
        ("not a and b", "not (a and b)", false),
        ("a and b or c", "(a and b) or c", true), ("not a and b", "(not a) and b", true),
    ])
    func operatorsBindAsTheSpecificationSays(left: String, right: String, isSame: Bool) throws {
        var random = SeededGenerator(seed: 1)
        var differs = false
        for _ in 0..<64 {
            let truth = ["a", "b", "c"].map { ($0, Bool.random(using: &random)) }
            let event = "{" + truth.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
            let searches = truth.map { "\($0.0): {\($0.0): true}" }.joined(separator: "\n")
            let results = [left, right].map { EngineTrial.matches("\(searches)\ncondition: \($0)", event) }
            differs = differs || results[0] != results[1]
        }
        #expect(differs != isSame)
    }
}

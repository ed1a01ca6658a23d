import Testing

@testable import Detection

/// The engine and the naive evaluator agree on every pair of a random rule and a random event.
@Suite struct EngineAgainstOracleTests {
    private static let fields = ["a", "b", "nested.c"]
    private static let letters = ["x", "Y", "ab", "-", "1", "20", "é", " "]

    @Test(arguments: 1...24)
    func agree(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<25 {
            let rule = EngineTrial.rule(Self.detection(&random))
            guard
                case .detection(let detection) = try #require(SigmaParser.parse(RuleSource(path: "r.yml", text: rule)).first)
                    .get().body
            else { return }
            var trial = EngineTrial(rule)
            #expect(trial.ruleSet.problems.isEmpty, "\(rule)")
            for _ in 0..<20 {
                let (event, line) = Self.event(&random)
                let expected = NaiveEvaluator.matches(detection, event, line: line)
                #expect(!trial.consume([line]).isEmpty == expected, "\(rule)\n\(line)")
            }
        }
    }

    /// Many rules in one engine, and events that come again: what is shared between rules and kept between events must not
    /// show. Values are also longer than what is kept, empty, and equal in several fields.
    @Test(arguments: 1...4)
    func agreeWithManyRulesAndRepeatedEvents(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) &* 1_000_003)
        var detections: [String: SigmaDetection] = [:]
        var text: [String] = []
        for number in 0..<40 {
            let id = "00000000-0000-4000-8000-0000000000" + String(number + 10)
            let rule = EngineTrial.rule(Self.detection(&random)).replacing("6f0f9d7c-1f0a-4d3e-9d51-0123456789ab", with: id)
            guard
                case .detection(let detection) = try #require(SigmaParser.parse(RuleSource(path: "r.yml", text: rule)).first)
                    .get().body
            else { continue }
            detections[id] = detection
            text.append(rule)
        }
        #expect(detections.count == 40)
        var trial = EngineTrial(text.joined(separator: "\n---\n"))
        #expect(trial.ruleSet.problems.isEmpty)
        let events = (0..<30).map { number in
            var (event, line) = Self.event(&random)
            if number % 15 == 0, let value = event["a"]?.first {
                // Beyond what the memory keeps, and one value in two fields.
                let long = String(repeating: "z", count: 230) + value
                event = ["a": [long], "b": [long]]
                line = #"{"a": "\#(long)", "b": "\#(long)"}"#
            } else if number % 7 == 0 {
                event = ["a": [""], "b": ["", "x"]]
                line = #"{"a": "", "b": ["", "x"]}"#
            }
            return (event, line)
        }
        for _ in 0..<60 {
            guard let (event, line) = events.randomElement(using: &random) else { return }
            let found = Set(trial.consume([line]).map(\.rule.id))
            let expected = detections.filter { NaiveEvaluator.matches($0.value, event, line: line) }
            #expect(found == Set(expected.keys), "\(line)")
        }
    }

    private static func word(_ random: inout SeededGenerator) -> String {
        (0..<Int.random(in: 1...3, using: &random)).map { _ in letters.randomElement(using: &random) ?? "x" }.joined()
    }

    private static func detection(_ random: inout SeededGenerator) -> String {
        let names = ["s1", "s2", "_hidden"].prefix(Int.random(in: 1...3, using: &random))
        var lines: [String] = []
        for name in names {
            lines.append("\(name):")
            if Bool.random(using: &random), Bool.random(using: &random) {
                lines.append("  - '\(pattern(&random))'")
                lines.append("  - '\(pattern(&random))'")
                continue
            }
            for field in fields.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)) {
                lines.append("  \(item(field, &random))")
            }
        }
        let conditions = [
            "s1", "not s1", "1 of s*", "all of them", "1 of them", names.count > 1 ? "s1 and not s2" : "s1",
            names.count > 1 ? "(s1 or s2) and not (s1 and s2)" : "not (not s1)",
        ]
        lines.append("condition: \(conditions.randomElement(using: &random) ?? "s1")")
        return lines.joined(separator: "\n")
    }

    private static func pattern(_ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: word(&random) + "*"
        case 1: "*" + word(&random)
        case 2: word(&random) + "?" + word(&random)
        case 3: word(&random) + "\\*"
        default: word(&random)
        }
    }

    private static func item(_ field: String, _ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<11, using: &random) {
        case 0: "\(field)|exists: \(Bool.random(using: &random))"
        case 1: "\(field): null"
        case 2: "\(field)|gte: \(Int.random(in: 0...20, using: &random))"
        case 3: "\(field)|lt: \(Int.random(in: 0...20, using: &random))"
        case 4: "\(field)|contains|all: ['\(word(&random))', '\(word(&random))']"
        case 5: "\(field)|contains|cased: '\(word(&random))'"
        case 6: "\(field)|startswith: ['\(pattern(&random))', '\(word(&random))']"
        case 8: "\(field)|fieldref\(["", "|cased", "|contains", "|startswith|cased"].randomElement(using: &random) ?? ""): a"
        case 9: "\(field)|neq: ['\(pattern(&random))', '\(word(&random))']"
        case 7: "\(field)|endswith|neq: '\(word(&random))'"
        default: "\(field): ['\(pattern(&random))', '\(pattern(&random))']"
        }
    }

    private static func event(_ random: inout SeededGenerator) -> (NaiveEvaluator.Event, String) {
        var event: NaiveEvaluator.Event = [:]
        var parts: [String] = []
        for field in fields where Int.random(in: 0..<4, using: &random) > 0 {
            let values = (0..<Int.random(in: 1...2, using: &random)).map { _ in word(&random) }
            event[field] = values
            // A value may stand in the line with an escape: rules see what it means.
            let written = values.map { "\"" + $0.replacing("x", with: "\\u0078") + "\"" }
            parts.append("\"\(field)\": " + (values.count == 1 ? written[0] : "[" + written.joined(separator: ", ") + "]"))
        }
        return (event, "{" + parts.joined(separator: ", ") + "}")
    }
}

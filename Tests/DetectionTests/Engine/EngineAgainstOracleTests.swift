import Testing

@testable import Detection

/// The engine and the naive evaluator agree on every pair of a random rule and a random event, whatever the modifiers.
@Suite struct EngineAgainstOracleTests {
    private static let pipeline: Pipeline = {
        var pipeline = Pipeline()
        pipeline.placeholders = NaiveEvaluator.placeholders.mapValues { $0.map { .text($0) } }
        return pipeline
    }()

    private static func parsed(_ rule: String) throws -> SigmaDetection {
        let document = try #require(SigmaParser.parse(RuleSource(path: "r.yml", text: rule)).first).get()
        guard case .detection(let detection) = document.body else { throw NoDetection() }
        return detection
    }

    private struct NoDetection: Error {}

    @Test(arguments: 1...24)
    func agree(seed: Int) throws {
        var random = RandomDetection(seed: UInt64(seed))
        for _ in 0..<25 {
            let rule = EngineTrial.rule(random.detection())
            let detection = try Self.parsed(rule)
            var trial = EngineTrial(rule, pipelines: [Self.pipeline])
            #expect(trial.ruleSet.problems.isEmpty, "\(rule)")
            for _ in 0..<12 {
                let (event, line) = random.event()
                let expected = NaiveEvaluator.matches(detection, event, line: line)
                #expect(!trial.consume([line]).isEmpty == expected, "\(rule)\n\(line)")
            }
        }
    }

    /// Many rules in one engine, and events that come again: what is shared between rules and kept between events must not
    /// show. Values are also longer than what is kept, empty, and equal in several fields.
    @Test(arguments: 1...4)
    func agreeWithManyRulesAndRepeatedEvents(seed: Int) throws {
        var random = RandomDetection(seed: UInt64(seed) &* 1_000_003)
        var detections: [String: SigmaDetection] = [:]
        var text: [String] = []
        for number in 0..<40 {
            let id = "00000000-0000-4000-8000-0000000000" + String(number + 10)
            let rule = EngineTrial.rule(random.detection()).replacing("6f0f9d7c-1f0a-4d3e-9d51-0123456789ab", with: id)
            detections[id] = try Self.parsed(rule)
            text.append(rule)
        }
        var trial = EngineTrial(text.joined(separator: "\n---\n"), pipelines: [Self.pipeline])
        #expect(trial.ruleSet.problems.isEmpty)
        let events = (0..<30).map { number in
            var (event, line) = random.event()
            if number % 15 == 0, let value = event["network"]?.first {
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
        var order = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<40 {
            let (event, line) = try #require(events.randomElement(using: &order))
            let found = Set(trial.consume([line]).map(\.rule.id))
            let expected = detections.filter { NaiveEvaluator.matches($0.value, event, line: line) }
            #expect(found == Set(expected.keys), "\(line)")
        }
    }
}

import Events
import Foundation
import Ingest
import Testing

@testable import Detection

/// Law: of a correlation the explanation says what the engine finds, no more and no less.
@Suite struct ExplanationAgreementTests {
    private func agree(_ rules: String, _ events: [NaiveCorrelation.Event]) throws -> Int {
        let set = RuleSet(sources: [RuleSource(path: "rules.yml", text: rules)])
        #expect(set.problems.isEmpty, "\(set.problems)")
        let lines = events.map(CorrelationOracleTests.json)
        var found = 0
        for correlation in set.correlations {
            let trial = try ExplainedTrial(correlation.header.id, rules: rules, lines)
            #expect(trial.difference == nil, "\(correlation.header.title)")
            found += trial.findings.count
            guard let trace = trial.trace, trace.followed.count == 1 else { continue }
            // Each event matches one rule at most: what becomes of its group is known of every one.
            let unknown = trace.visits.first { $0.member != nil && $0.outcome == .counted && $0.window == nil }
            #expect(unknown?.event.line == nil, "\(correlation.header.title)")
        }
        return found
    }

    @Test(arguments: 1...4)
    func onEveryKind(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var text = CorrelationOracleTests.counted
        for (number, body) in CorrelationOracleTests.bodies.enumerated() {
            text +=
                "\n"
                + CorrelationOracleTests.correlation(
                    body, CorrelationOracleTests.options.randomElement(using: &random) ?? "{}", number)
        }
        #expect(try agree(text, CorrelationOracleTests.stream(&random, count: 150)) > 10)
    }

    @Test(arguments: 1...4)
    func onAbsences(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var text = CorrelationOracleTests.counted
        for (number, body) in CorrelationOracleTests.absences.enumerated() {
            let own = ["absence: true", "absence: true, suppress: 0s", "absence: true, lateness: 12s"]
            text += "\n" + CorrelationOracleTests.correlation(body, "{\(own.randomElement(using: &random) ?? "")}", number)
        }
        text +=
            "\n"
            + CorrelationOracleTests.correlation(
                "type: event_count, rules: [trial_0, leave], group-by: [source.ip], timespan: 5m, condition: {gte: 2}, "
                    + "generate: true",
                "{suppress: 0s}", 2)
        text +=
            "\n"
            + CorrelationOracleTests.correlation(
                "type: temporal_ordered, rules: [trial_1, enter], group-by: [vigie.source.prefix], timespan: 1m, "
                    + "condition: trial_1 and not enter, generate: true", "{absence: true, lateness: 2m}", 3)
        #expect(try agree(text, CorrelationOracleTests.stream(&random, count: 200)) > 3)
    }

    @Test(arguments: 1...4)
    func onChains(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let bodies = [
            CorrelationOracleTests.bodies[0], CorrelationOracleTests.bodies[10],
            "type: temporal, rules: [trial_0, trial_1, leave], group-by: [source.ip], timespan: 5m, generate: true",
            "type: event_count, rules: [trial_2, trial_0], timespan: 1h, condition: {gte: 2}",
            "type: value_count, rules: [trial_0, knock], timespan: 5m, condition: {field: source.ip, gte: 2}",
            "type: temporal_ordered, rules: [trial_0, enter], aliases: {who: {trial_0: user.name, enter: user.name}}, "
                + "group-by: [who], timespan: 5m",
        ]
        var text = CorrelationOracleTests.counted
        for (number, body) in bodies.enumerated() {
            let own = ["{}", "{suppress: 0s}", "{suppress: 10s}"].randomElement(using: &random) ?? "{}"
            text += "\n" + CorrelationOracleTests.correlation(body, own, number)
        }
        #expect(try agree(text, CorrelationOracleTests.stream(&random, count: 200)) > 3)
    }

    @Test("On every correlation that ships and the samples of its file")
    func onThePack() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        var folder = RuleFolder(paths: [root.appendingPathComponent("rules").path])
        let formats = FormatFolder(paths: [root.appendingPathComponent("rules").path])
        formats.intern(into: &folder.logSources)
        var compared = 0
        var found = 0
        for source in folder.rules where source.text.contains("\ncorrelation:") {
            let ruleSet = ExplainedTrial.reported(folder.compile(file: source.path, logSources: folder.logSources))
            let files = Set(ruleSet.headers.map(\.header.file))
            var needed = RuleFolder(rules: folder.rules.filter { files.contains($0.path) }, pipelines: folder.pipelines)
            needed.logSources = folder.logSources
            let samples = try folder.samples(of: source)
            let batches = ExplanationAgreementTests.parse(samples, formats, ruleSet)
            for correlation in ruleSet.correlations where correlation.header.file == source.path {
                let explainer = try RuleExplainer(needed, rule: correlation.header.id)
                let explained = ExplanationAgreementTests.parse(samples, formats, explainer.dissection.ruleSet)
                for (place, sample) in samples.enumerated() {
                    let trial = try ExplainedTrial(explainer, explained[place], ruleSet, batches[place])
                    #expect(trial.difference == nil, "\(correlation.header.title): \(sample.name)")
                    compared += 1
                    found += trial.findings.count
                }
            }
        }
        #expect(compared > 100, "\(compared)")
        #expect(found > 50, "\(found)")
    }

    private static func parse(_ samples: [RuleSample], _ folder: FormatFolder, _ ruleSet: RuleSet) -> [EventBatch] {
        let formats = FormatSet(
            folder, fields: ruleSet.fields, logSources: ruleSet.logSources, taxonomy: ruleSet.taxonomy)
        return samples.map { sample in
            var parser = BatchParser(
                format: LogFormat(rawValue: sample.format) ?? .auto, plan: formats.plan, formats: formats)
            return LogStream.parse(
                sample.lines, name: sample.name, parser: &parser,
                reference: sample.referenceTime ?? Timestamp(seconds: 1_900_000_000))
        }
    }
}

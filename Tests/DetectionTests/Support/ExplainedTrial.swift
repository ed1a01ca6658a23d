import Events
import Ingest

@testable import Detection

/// A correlation explained, and beside it an engine that ran on the same lines.
struct ExplainedTrial {
    var explanation: CorrelationExplanation
    /// What the engine found by this correlation, had no other one counted it.
    var findings: [Finding] = []
    /// What the engine left out of it.
    var statistics: CorrelationStatistics?
    /// How the engine was followed.
    var trace: CorrelationTrace?

    /// - Parameters:
    ///   - explained: the lines as events, under the fields that the explainer has.
    ///   - ruleSet: of `reported`.
    ///   - batch: the same lines under its fields.
    init(_ explainer: RuleExplainer, _ explained: EventBatch, _ ruleSet: RuleSet, _ batch: EventBatch) throws {
        guard case .correlation(let explanation) = explainer.explain(explained) else {
            throw RuleProblem(file: "", line: 0, reason: "no correlation")
        }
        self.explanation = explanation
        var engine = Engine(ruleSet)
        engine.consume(batch, into: &findings)
        findings.removeAll { $0.rule.id != explanation.header.id }
        statistics = engine.correlationStatistics.first { $0.ruleID == explanation.header.id }
        trace = ruleSet.correlations.firstIndex { $0.header.id == explanation.header.id }
            .map { CorrelationTrace(ruleSet, $0, batch) }
    }

    /// The set with every correlation reported, whoever counts it.
    static func reported(_ ruleSet: RuleSet) -> RuleSet {
        var ruleSet = ruleSet
        for index in ruleSet.correlations.indices { ruleSet.correlations[index].isReported = true }
        return ruleSet
    }

    /// Of JSON lines.
    init(_ rule: String, rules: String, pipelines: String? = nil, _ lines: [String]) throws {
        let parsed = try pipelines.map { try Pipeline.parse(RuleSource(path: "pipelines/p.yml", text: $0)) } ?? []
        let folder = RuleFolder(rules: [RuleSource(path: "rules.yml", text: rules)], pipelines: parsed)
        let explainer = try RuleExplainer(folder, rule: rule)
        let ruleSet = ExplainedTrial.reported(folder.compile().ruleSet)
        let parse = { (ruleSet: RuleSet) in
            var parser = BatchParser(format: .json, plan: JSONFieldPlan(ruleSet.fields, taxonomy: ruleSet.taxonomy))
            return LogStream.parse(
                lines.map { $0 + "\n" }.joined(), name: "trial", parser: &parser, reference: Timestamp(seconds: 4_000_000_000))
        }
        try self.init(explainer, parse(explainer.dissection.ruleSet), ruleSet, parse(ruleSet))
    }

    /// What explanation and engine differ in; `nil` where they are one.
    var difference: String? {
        if explanation.findings != findings {
            return "explained \(explanation.findings.map(\.time)), found \(findings.map(\.time))"
        }
        if explanation.matches == findings.isEmpty { return "the verdict is another" }
        if explanation.matches != (explanation.reason == nil) { return "a reason for what was found, or none for what was not" }
        let shown = explanation.steps.filter { !$0.isInner }.compactMap(\.finding)
        if shown != findings { return "the steps show \(shown.count) of \(findings.count) findings" }
        guard let trace, let statistics else { return "it was not followed" }
        let own = trace.visits.filter { $0.correlation == trace.target && $0.member != nil }
        let leftOut = [CorrelationTrace.Visit.Outcome.lacksValue, .lacksGroup, .late].map { outcome in
            own.count { $0.outcome == outcome }
        }
        guard leftOut == [statistics.ignoredValues, statistics.ungrouped, statistics.late] else {
            return "left out are said to be \(leftOut), and were \(statistics)"
        }
        return nil
    }
}

import Events
import Ingest

@testable import Detection

/// Runs rules over lines, as one batch or cut as a test likes.
struct EngineTrial {
    var ruleSet: RuleSet
    var engine: Engine
    private var parser: BatchParser
    private var offset: Int64 = 0
    private var line: Int64 = 1

    init(_ rules: String, file: String = "rules.yml", pipelines: [Pipeline] = []) {
        ruleSet = RuleSet(sources: [RuleSource(path: file, text: rules)], pipelines: pipelines)
        engine = Engine(ruleSet)
        parser = BatchParser(format: .json, plan: JSONFieldPlan(ruleSet.fields))
    }

    /// The findings that one more batch of JSON lines completes.
    mutating func consume(_ lines: [String]) -> [Finding] {
        var batch = EventBatch(origin: BatchOrigin(source: "trial", generation: 0))
        var assembler = LineAssembler(offset: offset, nextLine: line)
        var raw: [RawLine] = []
        assembler.begin(&batch)
        batch.bytes.append(contentsOf: lines.map { $0 + "\n" }.joined().utf8)
        assembler.finish(batch, isFinal: false, into: &raw)
        parser.parse(raw, of: &batch, consumed: assembler.offset - offset, reference: Timestamp(seconds: 4_000_000_000))
        offset = assembler.offset
        line = assembler.nextLine
        var findings: [Finding] = []
        engine.consume(batch, into: &findings)
        return findings
    }

    /// Goes on with another engine that has nothing but the snapshot of this one.
    mutating func restart() -> [String] {
        let snapshot = engine.snapshot()
        engine = Engine(ruleSet)
        return engine.restore(snapshot)
    }

    /// Whether a single rule with this detection matches the event.
    static func matches(_ detection: String, _ event: String, logsource: String = "{category: application}") -> Bool {
        var trial = EngineTrial(rule(detection, logsource: logsource))
        return !trial.consume([event]).isEmpty
    }

    static func rule(_ detection: String, logsource: String = "{category: application}") -> String {
        """
        title: Trial
        id: 6f0f9d7c-1f0a-4d3e-9d51-0123456789ab
        logsource: \(logsource)
        detection:
        \(detection.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n"))
        """
    }
}

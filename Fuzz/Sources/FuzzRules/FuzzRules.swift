import Detection
import Events
import Fuzzing
import Ingest

/// An input is a rule file, a NUL, and lines of JSON to run it on.
///
/// Laws: nothing traps; a file that is refused says at which line, inside the file; what loads runs; and the engine gives the same
/// findings when it is stopped and restored between two lines.
@main enum FuzzRules {
    static func main() {
        fuzz(examine)
    }

    private static func examine(_ data: [UInt8]) {
        let parts = data.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let text = String(decoding: parts[0], as: UTF8.self)
        let rules = RuleSet(sources: [RuleSource(path: "fuzzed.yml", text: text)])
        let lineCount = yamlLineCount(text)
        for problem in rules.problems {
            precondition(problem.line >= 0 && problem.line <= lineCount + 1, "a problem at a line that the file does not have")
            precondition(!problem.reason.isEmpty)
        }
        guard rules.count > 0, parts.count == 2 else { return }
        let plan = JSONFieldPlan(rules.fields)
        let through = findings(rules, plan, Array(parts[1]), restarts: false)
        precondition(through == findings(rules, plan, Array(parts[1]), restarts: true), "a restart changed the findings")
    }
}

private func findings(_ rules: RuleSet, _ plan: JSONFieldPlan, _ bytes: [UInt8], restarts: Bool) -> [String] {
    var engine = Engine(rules)
    var parser = BatchParser(format: .json, plan: plan)
    var assembler = LineAssembler()
    var found: [Finding] = []
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
        let before = assembler.offset
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        assembler.begin(&batch)
        batch.bytes.append(contentsOf: line + [0x0A])
        var raw: [RawLine] = []
        assembler.finish(batch, isFinal: index == lines.count - 1, into: &raw)
        parser.parse(raw, of: &batch, consumed: assembler.offset - before, reference: Timestamp(seconds: 1_800_000_000))
        engine.consume(batch, into: &found)
        if restarts {
            let snapshot = engine.snapshot()
            engine = Engine(rules)
            _ = engine.restore(snapshot)
        }
    }
    return found.map { "\($0.id) \($0.time.nanoseconds) \($0.count)" }
}

import Detection
import Events
import Fuzzing
import Ingest

/// What a start reads from its own disk, damaged: the rule cache without its checksum (first byte even), and the windows of a
/// correlation (odd; which one, the second byte says).
///
/// Laws: nothing traps, whatever the bytes; what is taken for windows is written as bytes that are taken again, and goes on counting.
@main enum FuzzStates {
    static func main() {
        fuzz(examine)
    }

    private static let rules = RuleSet(sources: [
        RuleSource(
            path: "states.yml",
            text: ["event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile"]
                .enumerated().map { index, kind in
                    let isTemporal = kind.hasPrefix("temporal")
                    let field = isTemporal || kind == "event_count" ? "" : ", field: v"
                    return """
                        title: C\(index)
                        id: 00000000-0000-4000-8000-00000000000\(index)
                        correlation:
                          type: \(kind)
                          rules: \(isTemporal ? "[one, two]" : "[one]")
                          group-by: [g]
                          timespan: 10m
                          \(isTemporal ? "" : "condition: {gte: 3\(field)}")
                        level: low
                        vigie: {category: scan}

                        """
                }.joined(separator: "---\n")
                + ["one", "two"].map { name in
                    """
                    ---
                    title: \(name)
                    name: \(name)
                    id: 00000000-0000-4000-8000-0000000000\(name == "one" ? 21 : 22)
                    logsource: {category: application}
                    detection: {s: {a: \(name)}, condition: s}
                    level: informational
                    vigie: {category: scan}

                    """
                }.joined())
    ])

    private static let lines = (0..<6).map {
        #"{"time": "2026-03-01T10:00:0\#($0)Z", "a": "\#($0 % 2 == 0 ? "one" : "two")", "g": "x", "v": \#($0)}"#
    }.joined(separator: "\n")

    private static func examine(_ data: [UInt8]) {
        guard data.count >= 2 else { return }
        let bytes = Array(data[2...])
        if data[0] % 2 == 0 {
            _ = RuleCache(unsealed: bytes)
            return
        }
        var engine = Engine(rules)
        var snapshot = engine.snapshot()
        precondition(snapshot.correlations.count >= 5, "the rules of this fuzzer are refused: \(rules.problems)")
        snapshot.origins = [BatchOrigin(source: "a", generation: 0), BatchOrigin(source: "b", generation: 1)]
        snapshot.correlations[Int(data[1]) % snapshot.correlations.count].bytes = bytes
        guard engine.restore(snapshot).isEmpty else { return }
        var again = Engine(rules)
        precondition(again.restore(engine.snapshot()).isEmpty, "windows that were written are not taken again")
        var found: [Finding] = []
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(rules.fields))
        engine.consume(
            LogStream.parse(lines, name: "", parser: &parser, reference: Timestamp(seconds: 1_800_000_000)), into: &found)
        engine.advance(to: Timestamp(seconds: 1_900_000_000), into: &found)
        _ = engine.correlationStatistics
        _ = engine.snapshot()
    }
}

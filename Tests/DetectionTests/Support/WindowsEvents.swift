import Events
import Foundation
import Ingest

@testable import Detection

/// Runs rules over events in a format, with the pipelines of the rule set.
enum WindowsEvents {
    static let pipelines = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../rules/pipelines").standardized.path

    static func matches(_ rules: RuleSet, _ events: String, format: LogFormat = .windows) throws -> Bool {
        try count(rules, events, format: format) > 0
    }

    /// How many events of the text any rule matches.
    static func count(_ rules: RuleSet, _ events: String, format: LogFormat = .windows) throws -> Int {
        var parser = BatchParser(format: format, plan: JSONFieldPlan(rules.fields, taxonomy: rules.taxonomy))
        let batch = LogStream.parse(events, name: "trial", parser: &parser, reference: Timestamp(seconds: 4_000_000_000))
        var engine = Engine(rules)
        var matched: Set<Int64> = []
        engine.matchLines(batch) { event, _ in matched.insert(event.offset) }
        return matched.count
    }
}

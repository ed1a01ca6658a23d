import Events
import Yams

/// What a correlation counts.
extension RuleLinter {
    /// Longer windows hold state for longer than logs are usually kept.
    static let longestTimespan: Int64 = 30 * 86_400 * 1_000_000_000

    mutating func checkCorrelation(_ correlation: SigmaCorrelation, _ document: Document, among documents: [Document]) {
        let node = document.node.mapping?["correlation"]?.mapping
        if correlation.timespan > RuleLinter.longestTimespan {
            report(.longTimespan, document, at: node?["timespan"], "windows are \(TimespanText.words(correlation.timespan)) long")
        }
        checkThreshold(correlation, document, at: node?["condition"])
        // The fields that the counted events have: of each rule, by its log source.
        for counted in documents where correlation.rules.contains(where: counted.header.answers) {
            guard case .detection(let detection) = counted.body else { continue }
            let reading = reading(counted.header, detection.logSource)
            var fields = correlation.groupBy.map { ($0, node?["group-by"]?.mark?.line) }
            fields += correlation.kind.fields.map { ($0, node?["condition"]?.mark?.line) }
            for (name, line) in fields {
                let alias = correlation.aliases[name]?.first { counted.header.answers(to: $0.key) }
                checkField(alias?.value ?? name, reading, document, line: line ?? correlation.line, as: .unknownGroupField)
            }
        }
    }

    private mutating func checkThreshold(_ correlation: SigmaCorrelation, _ document: Document, at node: Node?) {
        switch correlation.kind {
        case .eventCount, .valueCount: break
        // A sum may be any number, and what is temporal has no count of events.
        case .temporal, .sum, .average, .percentile, .median, .absence: return
        }
        // Counts are whole numbers from 1: one on, between and beside the limits is enough to try.
        let limits = correlation.bounds.map(\.value)
        let tried = limits.flatMap { [$0.rounded(.down) - 1, $0.rounded(.down), $0.rounded(.up), $0.rounded(.up) + 1] }
        let counts = Set(tried.filter { $0 >= 1 } + [1])
        let holds = { (count: Double) in correlation.bounds.allSatisfy { $0.holds(count) } }
        if case .valueCount(let fields) = correlation.kind, fields.allSatisfy(correlation.groupBy.contains), !holds(1) {
            report(
                .correlationNever, document, at: node,
                "there is one value of '\(fields.joined(separator: "', '"))' in each group, for that is what 'group-by' groups by"
            )
        } else if !counts.contains(where: holds) {
            report(.correlationNever, document, at: node, "no count satisfies the condition")
        } else if holds(1) {
            report(.correlationAlways, document, at: node, "a count of 1 satisfies the condition")
        }
    }
}

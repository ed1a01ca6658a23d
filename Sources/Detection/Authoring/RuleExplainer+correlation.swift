import Events

/// A correlation's groups, counted again in the plainest way: every step is there to be read, not only the last one.
extension RuleExplainer {
    private struct Counted {
        var time: Timestamp
        var group: [String]
        /// Of each field whose values are counted.
        var values: [String]
        /// The rules that the event matched.
        var rules: [String]
    }

    func correlation(
        _ correlation: SigmaCorrelation, _ rules: [Explanation], _ batch: EventBatch, _ results: [Set<Int>]
    ) -> CorrelationExplanation {
        let header = target.header
        let findings = dissection.findings(batch).filter { $0.rule.id == header.id }
        var past: [Counted] = []
        var steps: [CorrelationExplanation.Step] = []
        for (place, event) in batch.events.enumerated() {
            let counted = rules.filter { $0.events[place].matches }.map { $0.header.name ?? $0.header.title }
            guard !counted.isEmpty else { continue }
            let reader = EventReader(batch: batch, event: event, fields: fields, reading: PipelineReading(logSource: LogSource()))
            let group = correlation.groupBy.map { (field: $0, value: value(of: $0, reader)) }
            var step = CorrelationExplanation.Step(
                line: event.lineNumber, time: event.time, counted: counted, group: group, count: nil, note: nil,
                findings: findings.filter { $0.evidence.last?.line == event.lineNumber && $0.time == event.time })
            if let missing = group.first(where: { $0.value == nil }) {
                step.note = "not counted: the event has no \(missing.field)"
            } else {
                let values = correlation.kind.fields.map { value(of: $0, reader) }
                if values.contains(nil) {
                    step.note = "not counted: the event lacks the field whose values are counted"
                } else {
                    let own = Counted(
                        time: event.time, group: group.compactMap(\.value), values: values.compactMap { $0 }, rules: counted)
                    past.append(own)
                    let horizon = own.time.advanced(byNanoseconds: -correlation.timespan)
                    let window = past.filter { $0.group == own.group && $0.time >= horizon && $0.time <= own.time }
                    switch correlation.kind {
                    case .eventCount: step.count = window.count
                    case .valueCount: step.count = Set(window.map(\.values)).count
                    case .temporal: step.count = Set(window.flatMap(\.rules)).count
                    case .sum, .average, .percentile, .median:
                        step.note = RuleExplainer.running(
                            correlation.kind, window.compactMap { $0.values.first.flatMap(Double.init) })
                    case .absence: step.note = "waits for what should follow, or ends the wait"
                    }
                }
            }
            steps.append(step)
        }
        return CorrelationExplanation(header: header, wants: words(correlation), steps: steps, rules: rules)
    }

    /// What a window's numbers amount to so far, as the engine reckons it.
    private static func running(_ kind: SigmaCorrelation.Kind, _ numbers: [Double]) -> String? {
        let sorted = numbers.sorted()
        guard let last = sorted.last else { return nil }
        func text(_ number: Double) -> String {
            number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
        }
        switch kind {
        case .sum: return "sum \(text(sorted.reduce(0, +)))"
        case .average: return "mean \(text(sorted.reduce(0, +) / Double(sorted.count))) of \(sorted.count)"
        case .percentile(_, let rank):
            let place = max(Int((rank * Double(sorted.count) / 100).rounded(.up)), 1) - 1
            return "percentile \(text(rank)) is \(text(place < sorted.count ? sorted[place] : last)) of \(sorted.count)"
        case .median:
            let middle = sorted.count / 2
            let median = sorted.count.isMultiple(of: 2) ? sorted[middle - 1] / 2 + sorted[middle] / 2 : sorted[middle]
            return "median \(text(median)) of \(sorted.count)"
        case .eventCount, .valueCount, .temporal, .absence: return nil
        }
    }

    private func value(of field: String, _ reader: EventReader) -> String? {
        guard fields.find(field) == .sourcePrefix else { return reader.values(field).first }
        guard let address = reader.values(fields[.sourceIP]).first else { return nil }
        return IPAddress(address)?.prefix.description ?? address
    }

    private func words(_ correlation: SigmaCorrelation) -> String {
        let kind: String
        switch correlation.kind {
        case .eventCount: kind = "events"
        case .valueCount(let fields): kind = "different values of \(fields.joined(separator: ", "))"
        case .temporal(let isOrdered): kind = isOrdered ? "rules in their order" : "rules"
        case .sum(let field): kind = "as the sum of \(field)"
        case .average(let field): kind = "as the mean of \(field)"
        case .percentile(let field, let rank): kind = "as percentile \(rank) of \(field)"
        case .median(let field): kind = "as the median of \(field)"
        case .absence: kind = "the first rule and not the second"
        }
        let condition = correlation.bounds.map { bound in
            let value = bound.value
            return "\(bound.comparison.rawValue) \(value == value.rounded() ? String(Int(value)) : String(value))"
        }
        let wanted = (condition.isEmpty ? "" : condition.joined(separator: " and ") + " ") + kind
        let group = correlation.groupBy.isEmpty ? "over all" : "per \(correlation.groupBy.joined(separator: ", "))"
        return "\(wanted) within \(TimespanText.words(correlation.timespan)), \(group)"
    }
}

/// A timespan as rules write it.
enum TimespanText {
    static func words(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        for (size, unit) in [(86_400, "d"), (3_600, "h"), (60, "m")] as [(Int64, String)] where seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }
}

package import Events

/// Explains what a rule makes of events.
package struct RuleExplainer {
    package enum Result: Sendable {
        case rule(Explanation)
        case correlation(CorrelationExplanation)
    }

    let dissection: RuleDissection
    let target: SigmaDocument
    /// By id, as they stand in their documents.
    let correlations: [String: SigmaCorrelation]

    /// - Throws: `RuleProblem` when no such rule loads, or several fit.
    package init(_ folder: RuleFolder, rule name: String) throws(RuleProblem) {
        let documents = folder.rules.flatMap(SigmaParser.parse).compactMap { try? $0.get() }
        let fitting = RuleExplainer.fitting(name, documents)
        guard let target = fitting.first else {
            // Why it is not there may be known: a refused rule has no name, but it has a file.
            let problems =
                folder.problems
                + RuleSet(sources: folder.rules, pipelines: folder.pipelines, logSources: folder.logSources).problems
            if let refused = problems.first(where: { $0.file == name || $0.file.hasSuffix("/" + name) }) { throw refused }
            let names = documents.flatMap { [$0.header.title, $0.header.name ?? ""] }
            let nearest = NearestName.find(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
            throw RuleProblem(file: name, line: 0, reason: "no rule has that id, name, title or file\(nearest)")
        }
        guard fitting.count == 1 else {
            let titles = fitting.map { "'\($0.header.title)'" }.joined(separator: ", ")
            throw RuleProblem(
                file: name, line: 0, reason: "there are several rules there: \(titles); name one by its title or id")
        }
        var correlations: [String: SigmaCorrelation] = [:]
        for case (let id, .correlation(let correlation)) in documents.map({ ($0.header.id, $0.body) }) {
            if correlations[id] == nil { correlations[id] = correlation }
        }
        self.correlations = correlations
        var wanted: Set<String> = [target.header.id]
        var open: [SigmaCorrelation] = correlations[target.header.id].map { [$0] } ?? []
        while let correlation = open.popLast() {
            for document in documents where correlation.rules.contains(where: { document.header.answers(to: $0) }) {
                guard wanted.insert(document.header.id).inserted, let inner = correlations[document.header.id] else { continue }
                open.append(inner)
            }
        }
        self.target = target
        dissection = RuleDissection(folder) { wanted.contains($0.id) }
        guard dissection.ruleSet.headers.contains(where: { $0.header.id == target.header.id }) else {
            let problems = dissection.ruleSet.problems.filter { $0.file == target.header.file }
            throw problems.first
                ?? RuleProblem(file: target.header.file, line: target.header.line, reason: "the rule was refused")
        }
    }

    private static func fitting(_ name: String, _ documents: [SigmaDocument]) -> [SigmaDocument] {
        let byName = documents.filter { $0.header.answers(to: name) || $0.header.title.lowercased() == name.lowercased() }
        if !byName.isEmpty { return byName }
        return documents.filter { document in
            let file = document.header.file
            return file == name || file.hasSuffix("/" + name) || file.hasSuffix("/" + name + ".yml")
        }
    }

    /// What the lines have to be parsed with.
    package var fields: FieldTable { dissection.ruleSet.fields }
    /// What the pipelines say of the lines' events.
    package var taxonomy: EventTaxonomy { dissection.ruleSet.taxonomy }
    /// Every log source that the lines can come from.
    package var logSources: LogSourceTable { dissection.ruleSet.logSources }

    package func explain(_ batch: EventBatch) -> Result {
        let results = dissection.results(batch)
        let rules = dissection.probes.map { explanation(of: $0, batch, results) }
        switch target.body {
        case .correlation: return .correlation(correlation(rules, batch))
        default:
            return .rule(
                rules.first
                    ?? Explanation(header: target.header, wants: "any", events: []))
        }
    }

    private func explanation(of probes: RuleProbes, _ batch: EventBatch, _ results: [Set<Int>]) -> Explanation {
        let events = zip(batch.events, results).map { event, held in
            let reader = EventReader(batch: batch, event: event, fields: fields, reading: probes.reading)
            let isRouted = dissection.isRouted(probes.reading.logSource, to: event.logSource)
            return Explanation.Event(
                line: event.lineNumber, time: event.time, text: batch.text(event.line),
                logSource: event.logSource == .unknown
                    ? "unknown: no format could read the line" : dissection.ruleSet.logSources[event.logSource].words,
                isRouted: isRouted, matches: held.contains(probes.whole),
                condition: step(probes.condition, probes, held, reader, isRouted: isRouted))
        }
        return Explanation(header: probes.header, wants: probes.reading.logSource.words, events: events)
    }

    private func step(
        _ tree: ConditionTree, _ probes: RuleProbes, _ held: Set<Int>, _ reader: EventReader, isRouted: Bool
    ) -> Explanation.Step {
        let holds = tree.holds { held.contains(probes.searches[$0].probe) }
        let inner: [ConditionTree]
        switch tree {
        case .search(let index): return step(probes.searches[index], held, reader, isRouted: isRouted)
        case .not(let part): inner = [part]
        case .all(let parts, _), .any(let parts, _): inner = parts
        }
        return Explanation.Step(
            kind: .branch, text: tree.text(probes.names), holds: holds && isRouted, actual: [],
            note: nil,
            steps: inner.map { step($0, probes, held, reader, isRouted: isRouted) })
    }

    private func step(_ part: RuleProbes.Part, _ held: Set<Int>, _ reader: EventReader, isRouted: Bool) -> Explanation.Step {
        let holds = held.contains(part.probe)
        var step = Explanation.Step(
            kind: .search, text: part.text, holds: holds, actual: [], note: nil,
            steps: part.parts.map { self.step($0, held, reader, isRouted: isRouted) })
        switch part.kind {
        case .search: break
        case .alternative: step.kind = .alternative
        case .value: step.kind = .value
        case .keywords:
            step.kind = .item
            if !holds, isRouted { step.note = "not in the line" }
        case .item(let item):
            step.kind = .item
            step.actual = reader.values(item.field)
            if item.values.count == 1 { step.text += ": \(item.values[0].written)" }
            // Without routing nothing is compared: a difference would be made up.
            if !holds, isRouted { step.note = reader.difference(item) }
        }
        return step
    }
}

/// Reads one event's fields under the names that a rule uses.
struct EventReader {
    let batch: EventBatch
    let event: EventRecord
    let fields: FieldTable
    /// What the rule's names for fields mean.
    let reading: PipelineReading

    /// How many bytes of a value are shown.
    static let maximumShownBytes = 200

    func values(_ name: String) -> [String] {
        let wanted = reading.names(name).compactMap(fields.find)
        return event.fields.filter { wanted.contains(batch.fields[$0].field) }
            .map { EventReader.shown(batch.text(batch.fields[$0].range)) }
    }

    static func shown(_ text: String) -> String {
        guard text.utf8.count > maximumShownBytes else { return text }
        return String(decoding: Array(text.utf8.prefix(maximumShownBytes)), as: UTF8.self) + "…"
    }

    /// Why an item does not hold, as closely as can be said with certainty.
    func difference(_ item: SigmaItem) -> String {
        let values = values(item.field)
        let names = reading.names(item.field)
        let mapped = names == [item.field] ? "" : " (\(names.joined(separator: " or ")) in events)"
        guard let first = values.first else {
            let present = Set(event.fields.map { fields[batch.fields[$0].field] })
            let nearest = NearestName.find(names.first ?? item.field, among: present.sorted())
            return "field absent\(mapped)" + (nearest.map { "; the event has '\($0)'" } ?? "")
        }
        let shown = values.count == 1 ? "value is '\(first)'" : "values are \(values.map { "'\($0)'" }.joined(separator: ", "))"
        guard item.values.count == 1,
            item.modifiers.allSatisfy({ ["contains", "startswith", "endswith", "cased"].contains($0) }),
            case .text(let wanted) = item.values[0]
        else { return shown + mapped }
        if item.modifiers.contains("cased"), first.lowercased() == wanted.lowercased() {
            return "\(shown): only the case differs"
        }
        if item.modifiers.isEmpty, first.lowercased().contains(wanted.lowercased()) {
            return "\(shown): it contains the text, but is more than it (|contains?)"
        }
        let common = zip(first.lowercased(), wanted.lowercased()).prefix { $0 == $1 }.count
        if common > 2, !item.modifiers.contains("contains"), !item.modifiers.contains("endswith") {
            return "\(shown): the same up to character \(common)"
        }
        return shown + mapped
    }
}

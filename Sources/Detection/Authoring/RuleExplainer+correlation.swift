import Events

/// What the engine made of the events that a correlation counts, in words.
extension RuleExplainer {
    func correlation(_ rules: [Explanation], _ batch: EventBatch) -> CorrelationExplanation {
        let header = target.header
        let compiled = dissection.ruleSet.correlations
        guard let place = compiled.firstIndex(where: { $0.header.id == header.id }) else {
            return CorrelationExplanation(
                header: header, wants: "", inner: [], steps: [], findings: [], reason: "it is not loaded", countedBy: [],
                rules: rules)
        }
        let trace = CorrelationTrace(dissection.ruleSet, place, batch)
        let names = trace.memberNames
        let steps = trace.visits.map { step($0, names[$0.correlation] ?? [], trace) }
        let wanted = { (index: Int) in
            correlations[compiled[index].header.id].map { CorrelationWords($0).wants } ?? ""
        }
        var reason: String?
        if trace.findings.isEmpty {
            let last = steps.last { !$0.isInner }
            reason =
                last.map { [$0.reading, $0.note].compactMap(\.self).joined(separator: "; ") }
                ?? "none of the events is counted"
            if let pending = trace.pending {
                let lines = CorrelationWords.list(pending.lines.map(String.init))
                reason =
                    "line \(lines) waits still: no event comes after \(pending.until.rfc3339), which would say that time is up"
            }
        }
        return CorrelationExplanation(
            header: header, wants: wanted(place),
            inner: trace.followed.filter { $0 != place }.map { (name: compiled[$0].header.shortName, wants: wanted($0)) },
            steps: steps, findings: trace.findings, reason: reason,
            countedBy: compiled[place].isReported
                ? [] : compiled[place].feeds.map { compiled[$0.correlation].header.shortName },
            rules: rules)
    }

    /// - Parameter names: what the rules that the correlation counts are called.
    private func step(
        _ visit: CorrelationTrace.Visit, _ names: [String], _ trace: CorrelationTrace
    ) -> CorrelationExplanation.Step {
        let rule = trace.ruleSet.correlations[visit.correlation]
        let counted = visit.member.map { names[$0] }
        let source = correlations[rule.header.id]
        let part = { (name: String, key: CorrelationTrace.KeyPart) in
            CorrelationExplanation.Part(
                name: name, field: fields[key.field], inner: key.component == nil ? nil : counted, value: key.text)
        }
        var step = CorrelationExplanation.Step(
            line: visit.event.line, time: visit.time, correlation: rule.header.shortName,
            isInner: visit.correlation != trace.target, counted: counted,
            group: zip(rule.groupNames, visit.group).map { part($0, $1) },
            values: zip(source?.kind.fields ?? [], visit.values).map { part($0, $1) }, finding: visit.finding)
        switch visit.outcome {
        case .lacksValue: step.note = lack(step.values)
        case .lacksGroup: step.note = lack(step.group)
        case .late:
            let lateness = TimespanText.words(rule.lateness)
            step.note =
                rule.kind == .absence
                ? "not counted: it came when its time was up already"
                : "not counted: it is more than \(lateness) older than the newest event of its group"
        case .counted:
            guard let source else { break }
            let words = CorrelationWords(source)
            if visit.member == nil {
                step.note = "time is up: no \(names.last ?? "") came within \(TimespanText.words(rule.timespan))"
            } else if let window = visit.window {
                if rule.kind == .absence {
                    step.note = words.waiting(visit, window, names)
                } else {
                    step.value = window.value
                    step.reading = words.reading(window, names)
                    if visit.finding == nil { step.note = words.silence(visit, window, rule, names) }
                }
            }
        }
        return step
    }

    private func lack(_ parts: [CorrelationExplanation.Part]) -> String {
        guard let part = parts.first(where: { $0.value == nil }) else {
            return "not counted: \(parts.first?.field ?? "") is no number below 2^63"
        }
        let place = part.inner.map { "the finding of \($0) has" } ?? "the event has"
        let alias = part.name == part.field ? "" : " (\(part.name))"
        return "not counted: \(place) no \(part.field)\(alias)"
    }
}

extension CorrelationTrace {
    /// By correlation, what the rules that it counts are called, in its order.
    fileprivate var memberNames: [Int: [String]] {
        var names: [Int: [String]] = [:]
        for index in followed { names[index] = Array(repeating: "", count: ruleSet.correlations[index].members.count) }
        for rule in ruleSet.rules {
            for feed in rule.feeds { names[feed.correlation]?[feed.member] = rule.header.shortName }
        }
        for correlation in ruleSet.correlations {
            for feed in correlation.feeds { names[feed.correlation]?[feed.member] = correlation.header.shortName }
        }
        return names
    }
}

extension RuleHeader {
    fileprivate var shortName: String { name ?? title }
}

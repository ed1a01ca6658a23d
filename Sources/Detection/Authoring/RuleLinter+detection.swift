import Events
import Yams

/// What a detection looks for.
extension RuleLinter {
    mutating func checkDetection(_ detection: SigmaDetection, _ document: Document) {
        checkUse(detection.searches, detection.conditions, document)
        let reading = reading(document.header, detection.logSource)
        let isKnown = checkLogSource(reading.logSource, document)
        for (name, search) in detection.searches { checkSearch(search, name, reading, isKnown, document) }
        guard let rule = compiled(document.header) else { return }
        checkCondition(rule, document)
        checkCost(rule, document)
    }

    /// Its fields are those of the rules that it concerns, and checked there only by the rules' own log source.
    mutating func checkFilter(_ filter: SigmaFilter, _ document: Document) {
        checkUse(filter.searches, filter.conditions, document)
        let reading = reading(document.header, filter.logSource)
        let isKnown = checkLogSource(reading.logSource, document)
        for (name, search) in filter.searches { checkSearch(search, name, reading, isKnown, document) }
    }

    /// What stands under `detection`, or `filter`.
    private func body(_ document: Document) -> Node.Mapping? {
        let mapping = document.node.mapping
        return (mapping?["detection"] ?? mapping?["filter"])?.mapping
    }

    private func condition(_ document: Document) -> Node? { body(document)?["condition"] }

    /// Search-identifiers that nothing uses, quantifiers of one.
    private mutating func checkUse(
        _ searches: [(name: String, search: SigmaSearch)], _ conditions: [SigmaCondition], _ document: Document
    ) {
        let names = searches.map(\.name)
        var used: Set<String> = []
        var single: [String] = []
        func walk(_ condition: SigmaCondition) {
            switch condition {
            case .search(let name): used.insert(name)
            case .not(let inner): walk(inner)
            case .and(let parts), .or(let parts): parts.forEach(walk)
            case .quantified(let all, let pattern):
                let chosen = ConditionTree.chosen(pattern, names)
                used.formUnion(chosen.map { names[$0] })
                if chosen.count == 1 { single.append("'\(all ? "all" : "1") of \(pattern)' names only '\(names[chosen[0]])'") }
            }
        }
        conditions.forEach(walk)
        for reason in single { report(.quantifierOfOne, document, at: condition(document), reason) }
        for (key, _) in body(document) ?? [:] {
            guard let name = key.string, names.contains(name), !used.contains(name) else { continue }
            report(.unusedSearch, document, at: key, "the condition does not use '\(name)'")
        }
    }

    /// Whether any format gives events of the rule's log source.
    private mutating func checkLogSource(_ wanted: LogSource, _ document: Document) -> Bool {
        let isGiven = logSources.contains { $0.isWithin(wanted) }
        if !isGiven {
            report(
                .unknownLogSource, document, at: document.node.mapping?["logsource"],
                "no format gives events of \(wanted.words)")
        }
        return isGiven
    }

    private mutating func checkSearch(
        _ search: SigmaSearch, _ name: String, _ reading: PipelineReading, _ isKnown: Bool, _ document: Document
    ) {
        switch search {
        case .anyOf(let parts):
            for part in parts { checkSearch(part, name, reading, isKnown, document) }
        case .map(let items):
            for item in items {
                if isKnown {
                    checkField(item.field, reading, document, line: item.line)
                    for case .text(let other) in item.values where item.modifiers.contains("fieldref") {
                        checkField(other, reading, document, line: item.line)
                    }
                }
                checkValues(item.values, item.modifiers, document, line: item.line)
                checkDecodedText(item, document)
                checkShape(item, document)
            }
        case .keywords(let values, let all, let modifiers, let line):
            checkValues(values, modifiers + (all ? ["all"] : ["contains"]), document, line: line)
            if reading.logSource == LogSource() {
                report(.keywordsEverywhere, document, line: line, "'\(name)' is sought in every line")
            }
        }
    }

    mutating func checkField(
        _ name: String, _ reading: PipelineReading, _ document: Document, line: Int, as check: LintCheck = .unknownField
    ) {
        // What a pipeline maps, or maps to, it vouches for.
        guard reading.names(name) == [name], !wellKnown.contains(name), !reading.targets.contains(name) else { return }
        // The elements of Windows events have any names.
        guard !folder.pipelines.contains(where: { !$0.events.origins.isEmpty && $0.applies(to: reading.logSource) }) else {
            return
        }
        let nearest = NearestName.find(name, among: wellKnown.union(reading.targets)).map { "; did you mean '\($0)'?" } ?? ""
        report(
            check, document, line: line,
            "no format or pipeline gives '\(name)' for \(reading.logSource.words), only a JSON log with a key of that very name"
                + nearest)
    }

    private mutating func checkValues(_ values: [SigmaValue], _ modifiers: [String], _ document: Document, line: Int) {
        let isCased = modifiers.contains { ["cased", "re", "base64", "base64offset"].contains($0) }
        let fold = { (value: SigmaValue) in
            if case .text(let text) = value, !isCased { return SigmaValue.text(text.lowercased()) }
            return value
        }
        var seen: Set<SigmaValue> = []
        for value in values where !seen.insert(fold(value)).inserted {
            report(.duplicateValue, document, line: line, "\(value.written) stands twice")
        }
        // Alternatives of plain text: whatever contains the longer one contains the shorter.
        guard modifiers.contains("contains") || modifiers.contains("startswith") || modifiers.contains("endswith"),
            Set(modifiers).isSubset(of: ["contains", "startswith", "endswith", "cased"]), values.count <= 500
        else { return }
        let texts = seen.compactMap { value in
            if case .text(let text) = value, !text.contains(where: { "*?\\".contains($0) }), !text.isEmpty { text } else { nil }
        }.sorted { ($0.count, $0) < ($1.count, $1) }
        for (index, longer) in texts.enumerated() {
            let shorter = texts[..<index].first { shorter in
                guard shorter != longer else { return false }
                return modifiers.contains("startswith")
                    ? longer.hasPrefix(shorter)
                    : modifiers.contains("endswith") ? longer.hasSuffix(shorter) : longer.contains(shorter)
            }
            if let shorter {
                report(.redundantValue, document, line: line, "'\(longer)' is never needed beside '\(shorter)'")
            }
        }
    }

    /// Decoded fields hold no line breaks, no control bytes and no two spaces in a row.
    private mutating func checkDecodedText(_ item: SigmaItem, _ document: Document) {
        guard item.field.hasPrefix("vigie."), item.field.hasSuffix(".decoded"),
            Set(item.modifiers).isSubset(of: ["contains", "startswith", "endswith", "all", "cased", "neq"])
        else { return }
        for case .text(let text) in item.values {
            let isImpossible = text.contains("  ") || text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
            if isImpossible { report(.impossibleText, document, line: item.line, "'\(text)' never occurs in \(item.field)") }
        }
    }

    /// What formats give as numbers and as addresses is never anything else.
    private mutating func checkShape(_ item: SigmaItem, _ document: Document) {
        guard Set(item.modifiers).isSubset(of: ["all", "cased", "neq"]) else { return }
        for case .text(let text) in item.values where !text.isEmpty && !text.contains(where: { "*?\\".contains($0) }) {
            let what: String
            switch item.field {
            case "source.ip" where AddressBlock(text) == nil: what = "an address"
            case "source.ip" where text.contains("/"): what = "one address; a network is asked for with '|cidr'"
            case "http.response.status_code", "http.response.body.bytes", "source.port":
                guard Double(text) == nil else { continue }
                what = "a number"
            default: continue
            }
            report(.impossibleValue, document, line: item.line, "'\(text)' is never the value of \(item.field), which is \(what)")
        }
    }

    private mutating func checkCondition(_ rule: CompiledRule, _ document: Document) {
        let certainty = ExpressionCertainty(regexes: ruleSet.regexes)
        if certainty.isNever(rule.expression) {
            report(.neverMatches, document, at: condition(document), "the condition cannot become true")
        } else {
            for contradiction in certainty.contradictions(rule.expression) {
                report(
                    .contradiction, document, at: condition(document),
                    "no single value of '\(ruleSet.fields[contradiction.field])' fits: \(contradiction.reason)")
            }
        }
        if certainty.isAlways(rule.expression) {
            report(
                .alwaysMatches, document, at: condition(document),
                "the condition is true for every event of \(rule.logSource.words)")
        }
    }

    private mutating func checkCost(_ rule: CompiledRule, _ document: Document) {
        guard let witness = rule.witness else {
            report(.everyEvent, document, at: condition(document), "nothing in the condition has to occur in an event")
            return
        }
        for index in witness.patterns.map(\.regex).sorted() where ruleSet.regexes[index].searchableLiterals.isEmpty {
            let text = ruleSet.regexes[index].pattern
            report(
                .regexWithoutLiteral, document, at: condition(document), "'\(text.prefix(60))' has no text that it always needs")
        }
        // A short text that is a whole value, or begins or ends one, is looked for there only.
        let sought = witness.literals.map(\.literal).filter { $0.anchor == .contains }.map(\.bytes)
        let shortest = sought.min {
            ($0.count, String(decoding: $0, as: UTF8.self)) < ($1.count, String(decoding: $1, as: UTF8.self))
        }
        if let shortest, shortest.count < Witness.minimumLiteralBytes {
            let text = String(decoding: shortest, as: UTF8.self)
            report(.shortLiteral, document, at: condition(document), "'\(text)' makes the rule a candidate")
        }
    }
}

import Events

/// Compiles detections; collects the fields and regular expressions they use.
struct RuleCompiler {
    private(set) var fields = FieldTable()
    private(set) var regexes: [BoundedRegex] = []
    private let mappings: [FieldMapping]

    init(mappings: [FieldMapping]) {
        self.mappings = mappings
    }

    mutating func field(_ name: String, _ header: RuleHeader, _ line: Int) throws(RuleProblem) -> FieldID {
        guard let field = fields.intern(name) else {
            throw RuleProblem(file: header.file, line: line, reason: "there are more than 65,535 different fields")
        }
        return field
    }

    mutating func compile(_ detection: SigmaDetection, header: RuleHeader) throws(RuleProblem) -> CompiledRule {
        let names = mappings.filter { $0.applies(to: detection.logSource) }.reduce(into: [:]) { names, mapping in
            names.merge(mapping.fields) { first, _ in first }
        }
        var searches: [(name: String, expression: Expression)] = []
        for (name, search) in detection.searches {
            searches.append((name, try expression(search, header, names)))
        }
        var alternatives: [Expression] = []
        for condition in detection.conditions {
            alternatives.append(try resolve(condition, searches, header))
        }
        let whole: Expression = alternatives.count == 1 ? alternatives[0] : .any(alternatives)
        let witness = Witness.find(whole) { regexes[$0].searchableLiterals }
        return CompiledRule(header: header, logSource: detection.logSource, expression: whole, witness: witness)
    }

    private func resolve(
        _ condition: SigmaCondition, _ searches: [(name: String, expression: Expression)], _ header: RuleHeader
    ) throws(RuleProblem) -> Expression {
        func each(_ parts: [SigmaCondition]) throws(RuleProblem) -> [Expression] {
            var resolved: [Expression] = []
            for part in parts { resolved.append(try resolve(part, searches, header)) }
            return resolved
        }
        switch condition {
        case .and(let parts): return .all(try each(parts))
        case .or(let parts): return .any(try each(parts))
        case .not(let inner): return .not(try resolve(inner, searches, header))
        case .search(let name):
            guard let found = searches.first(where: { $0.name == name }) else {
                let nearest = NearestName.find(name, among: searches.map(\.name))
                throw RuleProblem(
                    file: header.file, line: header.line,
                    reason: "the condition names '\(name)', which is not there"
                        + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
            }
            return found.expression
        case .quantified(let all, let pattern):
            let glob = TextPattern(wildcards: pattern == "them" ? "*" : pattern, anchor: .equals, isCased: true)
            let chosen = searches.filter { search in
                let name = Array(search.name.utf8)
                return !(pattern == "them" && search.name.hasPrefix("_")) && glob.matches(name.span, 0..<name.count)
            }
            guard !chosen.isEmpty else {
                throw RuleProblem(file: header.file, line: header.line, reason: "'of \(pattern)' fits no search-identifier")
            }
            return all ? .all(chosen.map(\.expression)) : .any(chosen.map(\.expression))
        }
    }

    private mutating func expression(
        _ search: SigmaSearch, _ header: RuleHeader, _ names: [String: String]
    ) throws(RuleProblem) -> Expression {
        switch search {
        case .anyOf(let parts):
            var compiled: [Expression] = []
            for part in parts { compiled.append(try expression(part, header, names)) }
            return .any(compiled)
        case .map(let items):
            var compiled: [Expression] = []
            for item in items {
                let field = try self.field(names[item.field] ?? item.field, header, item.line)
                compiled.append(try expression(item.values, .field(field), item.modifiers, item.line, header, names))
            }
            return compiled.count == 1 ? compiled[0] : .all(compiled)
        case .keywords(let values, let all, let modifiers, let line):
            return try expression(values, .line, modifiers + (all ? ["all"] : []), line, header, names)
        }
    }

    private mutating func expression(
        _ values: [SigmaValue], _ subject: Predicate.Subject, _ modifiers: [String], _ line: Int, _ header: RuleHeader,
        _ names: [String: String]
    ) throws(RuleProblem) -> Expression {
        var table = fields
        var kept = regexes
        do {
            let compiler = try ValueCompiler(
                subject: subject, modifiers: modifiers,
                intern: { (name: String) throws(ValueCompiler.Failure) -> FieldID in
                    guard let field = table.intern(names[name] ?? name) else {
                        throw ValueCompiler.Failure(reason: "there are more than 65,535 different fields")
                    }
                    return field
                },
                keepRegex: { regex in
                    kept.append(regex)
                    return kept.count - 1
                })
            let compiled = try compiler.expression(values)
            fields = table
            regexes = kept
            return compiled
        } catch {
            throw RuleProblem(file: header.file, line: line, reason: error.reason)
        }
    }
}

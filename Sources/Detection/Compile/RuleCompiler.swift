import Events

/// Compiles detections; collects the fields and regular expressions they use.
struct RuleCompiler {
    private let tables: Tables
    private let pipelines: [Pipeline]
    /// What events have by themselves, whatever the rules are.
    private let eventFields: FieldTable
    /// What the pipelines make of rules of a log source.
    private var readings: [ReadingKey: PipelineReading] = [:]

    /// What rules share. A class, because the compilers of values add to it from closures; nobody else sees it.
    private final class Tables {
        var fields: FieldTable
        var regexes: [BoundedRegex] = []
        /// Regular expressions by what they are made of: rules repeat them.
        private var regexIndices: [RegexKey: Int] = [:]
        var literals: RegexLiteralMemory

        init(fields: FieldTable, literals: RegexLiteralMemory) {
            self.fields = fields
            self.literals = literals
        }

        func keep(
            _ pattern: String, _ options: BoundedRegex.Options, _ subject: Predicate.Subject
        ) throws(RegexError) -> Int {
            let key = RegexKey(pattern: pattern, options: options, subject: subject)
            if let known = regexIndices[key] { return known }
            regexes.append(try literals.compile(pattern, options))
            regexIndices[key] = regexes.count - 1
            return regexes.count - 1
        }
    }

    private struct RegexKey: Hashable {
        var pattern: String
        var options: BoundedRegex.Options
        /// The engine notes per expression that it was found, so one stands for one field.
        var subject: Predicate.Subject
    }

    private struct ReadingKey: Hashable {
        var logSource: LogSource
        var taxonomy: String
    }

    /// - Parameter literals: what is known of regular expressions from before.
    init(pipelines: [Pipeline], fields: FieldTable = FieldTable(), literals: RegexLiteralMemory = RegexLiteralMemory()) {
        self.pipelines = pipelines
        eventFields = fields
        tables = Tables(fields: fields, literals: literals)
    }

    /// What is known of regular expressions, those compiled here included.
    var literals: RegexLiteralMemory { tables.literals }

    var fields: FieldTable { tables.fields }
    var regexes: [BoundedRegex] { tables.regexes }

    mutating func field(_ name: String, _ header: RuleHeader, _ line: Int) throws(RuleProblem) -> FieldID {
        guard let field = tables.fields.intern(name) else {
            throw RuleProblem(file: header.file, line: line, reason: "there are more than 65,535 different fields")
        }
        return field
    }

    /// What the pipelines call a field of such a rule's events; the name that an event has for it stays. What other rules call their
    /// fields is nothing to it.
    mutating func mapped(_ name: String, _ logSource: LogSource, _ header: RuleHeader) -> String {
        let reading = reading(logSource, header)
        return eventFields.find(name) != nil || reading.isTarget(name) ? name : reading.names(name).first ?? name
    }

    /// - Parameter filters: what has to hold beside the rule's own conditions.
    mutating func compile(
        _ detection: SigmaDetection, header: RuleHeader, filters: [SigmaFilter] = []
    ) throws(RuleProblem) -> CompiledRule {
        let reading = reading(detection.logSource, header)
        var header = header
        for (key, value) in reading.attributes { try header.set(key, value) }
        var parts = [try expression(detection.searches, detection.conditions, header, reading)]
        for filter in filters { parts.append(try expression(filter.searches, filter.conditions, header, reading)) }
        for condition in reading.conditions {
            let added = try expression(condition.search, header, reading)
            parts.append(condition.isNegated ? .not(added) : added)
        }
        let whole: Expression = parts.count == 1 ? parts[0] : .all(parts)
        let witness = Witness.find(whole) { regexes[$0].searchableLiterals }
        return CompiledRule(
            header: header, definitionHash: RuleHash.combine([header.hash] + filters.map(\.hash)), logSource: reading.logSource,
            expression: whole, witness: witness)
    }

    /// A probe reports whatever it matches: what pipelines say about its rule does not concern it.
    mutating func compile(_ probe: RuleProbe) throws(RuleProblem) -> CompiledRule {
        let header = probe.header
        switch probe.part {
        case .whole(let detection, let filters):
            var rule = try compile(detection, header: header, filters: filters)
            rule.header = header
            return rule
        case .search(let search):
            let reading = reading(probe.logSource, header)
            let expression = try expression(search, header, reading)
            let witness = Witness.find(expression) { regexes[$0].searchableLiterals }
            return CompiledRule(
                header: header, definitionHash: header.hash, logSource: reading.logSource, expression: expression,
                witness: witness)
        }
    }

    private mutating func reading(_ logSource: LogSource, _ header: RuleHeader) -> PipelineReading {
        let key = ReadingKey(logSource: logSource, taxonomy: header.taxonomy)
        if let known = readings[key] { return known }
        let reading = PipelineReading(of: header, logSource, pipelines)
        readings[key] = reading
        return reading
    }

    /// The searches as the conditions join them; several conditions are alternatives.
    private mutating func expression(
        _ searches: [(name: String, search: SigmaSearch)], _ conditions: [SigmaCondition], _ header: RuleHeader,
        _ reading: PipelineReading
    ) throws(RuleProblem) -> Expression {
        var compiled: [(name: String, expression: Expression)] = []
        for (name, search) in searches { compiled.append((name, try expression(search, header, reading))) }
        var alternatives: [Expression] = []
        for condition in conditions { alternatives.append(resolve(condition, compiled)) }
        return Expression.any(of: alternatives)
    }

    /// The parser has refused names that are not there.
    private func resolve(
        _ condition: SigmaCondition, _ searches: [(name: String, expression: Expression)]
    ) -> Expression {
        switch condition {
        case .and(let parts): return .all(parts.map { resolve($0, searches) })
        case .or(let parts): return .any(parts.map { resolve($0, searches) })
        case .not(let inner): return .not(resolve(inner, searches))
        case .search(let name): return .any(of: searches.filter { $0.name == name }.map(\.expression))
        case .quantified(let all, let pattern):
            let fits = SigmaCondition.fits(pattern)
            let chosen = searches.filter { fits($0.name) }.map(\.expression)
            return all ? .all(chosen) : .any(chosen)
        }
    }

    private mutating func expression(
        _ search: SigmaSearch, _ header: RuleHeader, _ reading: PipelineReading
    ) throws(RuleProblem) -> Expression {
        switch search {
        case .anyOf(let parts):
            var compiled: [Expression] = []
            for part in parts { compiled.append(try expression(part, header, reading)) }
            return .any(compiled)
        case .map(let items):
            var compiled: [Expression] = []
            for item in items {
                var subjects: [Predicate.Subject] = []
                for name in reading.names(item.field) {
                    subjects.append(.field(try field(name, header, item.line)))
                    // Most lines say when they were written under names and in forms of their own.
                    if fields[.timestamp] == name { subjects.append(.time) }
                }
                compiled.append(try expression(item.values, subjects, item.modifiers, item.line, header, reading))
            }
            return compiled.count == 1 ? compiled[0] : .all(compiled)
        case .keywords(let values, let all, let modifiers, let line):
            let subjects: [Predicate.Subject] = [.line, .field(try field(FieldTable.decodedLine, header, line))]
            return try expression(values, subjects, modifiers + (all ? ["all"] : []), line, header, reading)
        }
    }

    private mutating func expression(
        _ values: [SigmaValue], _ subjects: [Predicate.Subject], _ modifiers: [String], _ line: Int, _ header: RuleHeader,
        _ reading: PipelineReading
    ) throws(RuleProblem) -> Expression {
        do {
            return try ValueCompiler(
                subjects: subjects, modifiers: modifiers,
                in: ValueCompiler.Surroundings(
                    placeholders: reading.placeholders,
                    fields: { [tables] (name: String) throws(ValueCompiler.Failure) -> [FieldID] in
                        var found: [FieldID] = []
                        for name in reading.names(name) {
                            guard let field = tables.fields.intern(name) else {
                                throw ValueCompiler.Failure(reason: "there are more than 65,535 different fields")
                            }
                            found.append(field)
                        }
                        return found
                    },
                    keepRegex: {
                        [tables] (pattern: String, options: BoundedRegex.Options, subject: Predicate.Subject) throws(RegexError)
                            -> Int in
                        try tables.keep(pattern, options, subject)
                    })
            ).expression(values)
        } catch {
            throw RuleProblem(file: header.file, line: line, reason: error.reason)
        }
    }
}

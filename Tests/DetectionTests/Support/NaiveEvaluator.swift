@testable import Detection

/// Evaluates a parsed detection the slow and obvious way: the oracle that the engine is held against.
///
/// Shares the parser with the engine, and nothing after it: no compilation, no automata, no indices, no bytes.
enum NaiveEvaluator {
    /// Field names to values.
    typealias Event = [String: [String]]

    /// What stands for `%name%` in the rules under trial; their pipeline says the same.
    static let placeholders = ["Names": ["foo", "Bar*"], "marks": ["x", "é", "?b"], "numbers": ["1", "20"]]

    static func matches(_ detection: SigmaDetection, _ event: Event, line: String) -> Bool {
        detection.conditions.contains { holds($0, detection, event, line) }
    }

    private static func holds(_ condition: SigmaCondition, _ detection: SigmaDetection, _ event: Event, _ line: String) -> Bool {
        switch condition {
        case .and(let parts): parts.allSatisfy { holds($0, detection, event, line) }
        case .or(let parts): parts.contains { holds($0, detection, event, line) }
        case .not(let inner): !holds(inner, detection, event, line)
        case .search(let name): detection.searches.filter { $0.name == name }.allSatisfy { holds($0.search, event, line) }
        case .quantified(let all, let pattern):
            quantified(
                all,
                detection.searches.filter { pattern == "them" ? !$0.name.hasPrefix("_") : NaiveText.glob(pattern, $0.name) },
                event, line)
        }
    }

    private static func quantified(
        _ all: Bool, _ searches: [(name: String, search: SigmaSearch)], _ event: Event, _ line: String
    ) -> Bool {
        all ? searches.allSatisfy { holds($0.search, event, line) } : searches.contains { holds($0.search, event, line) }
    }

    private static func holds(_ search: SigmaSearch, _ event: Event, _ line: String) -> Bool {
        switch search {
        case .anyOf(let parts): return parts.contains { holds($0, event, line) }
        case .map(let items):
            return items.allSatisfy { item in
                joined(item.values, all: false, item.modifiers) { holds($0, item, event) }
            }
        case .keywords(let values, let all, let modifiers, _):
            // A keyword stands in the line as it is written, or as it is meant.
            let texts = [line, NaiveText.unescaped(line)]
            let keyword = NaiveValue(modifiers: modifiers + ["contains"])
            return joined(values, all: all, modifiers) { value in texts.contains { keyword.holds(value, $0) } }
        }
    }

    /// Whether one of the values holds, or all of them, or none. A value with placeholders is any of those that they stand for.
    private static func joined(
        _ values: [SigmaValue], all: Bool, _ modifiers: [String], holds: (SigmaValue) -> Bool
    ) -> Bool {
        let tests = values.map { value in modifiers.contains("expand") ? expanded(value).contains(where: holds) : holds(value) }
        let result = all || modifiers.contains("all") ? tests.allSatisfy { $0 } : tests.contains(true)
        return modifiers.contains("neq") ? !result : result
    }

    private static func expanded(_ value: SigmaValue) -> [SigmaValue] {
        guard let text = value.text, let known = placeholders.first(where: { text.contains("%\($0.key)%") }) else {
            return [value]
        }
        return known.value.flatMap { expanded(.text(text.replacing("%\(known.key)%", with: $0, maxReplacements: 1))) }
    }

    private static func holds(_ value: SigmaValue, _ item: SigmaItem, _ event: Event) -> Bool {
        let found = event[item.field] ?? []
        if item.modifiers.contains("exists") { return value == .boolean(!found.isEmpty) }
        guard let wanted = value.text else { return found.isEmpty }
        let test = NaiveValue(modifiers: item.modifiers)
        guard item.modifiers.contains("fieldref") else { return found.contains { test.holds(value, $0) } }
        return found.contains { text in (event[wanted] ?? []).contains { test.stands($0, in: text) } }
    }
}

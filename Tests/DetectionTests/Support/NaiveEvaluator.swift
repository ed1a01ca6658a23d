@testable import Detection

/// Evaluates a parsed detection the slow and obvious way: the oracle that the engine is held against.
///
/// Shares the parser with the engine, and nothing after it: no compilation, no automata, no indices, no bytes.
enum NaiveEvaluator {
    /// Field names to values.
    typealias Event = [String: [String]]

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
                all, detection.searches.filter { pattern == "them" ? !$0.name.hasPrefix("_") : glob(pattern, $0.name) }, event,
                line)
        }
    }

    private static func quantified(
        _ all: Bool, _ searches: [(name: String, search: SigmaSearch)], _ event: Event, _ line: String
    ) -> Bool {
        all ? searches.allSatisfy { holds($0.search, event, line) } : searches.contains { holds($0.search, event, line) }
    }

    private static func holds(_ search: SigmaSearch, _ event: Event, _ line: String) -> Bool {
        switch search {
        case .anyOf(let parts): parts.contains { holds($0, event, line) }
        case .map(let items): items.allSatisfy { holds($0, event) }
        case .keywords(let values, let all, _, _):
            all ? values.allSatisfy { stands($0, line) } : values.contains { stands($0, line) }
        }
    }

    /// A keyword stands in the line as it is written, or as it is meant.
    private static func stands(_ value: SigmaValue, _ line: String) -> Bool {
        text(value).map { glob("*\($0)*", line) || glob("*\($0)*", unescaped(line)) } ?? false
    }

    /// JSON's escapes taken out, one after the other; those that the tests write.
    private static func unescaped(_ line: String) -> String {
        var text = ""
        var rest = line[...]
        while let first = rest.popFirst() {
            guard first == "\\", let kind = rest.popFirst() else {
                text.append(first)
                continue
            }
            if kind == "u", let code = UInt32(rest.prefix(4), radix: 16), let scalar = Unicode.Scalar(code) {
                text.unicodeScalars.append(scalar)
                rest = rest.dropFirst(4)
            } else {
                text.append(kind == "n" ? "\n" : kind == "t" ? "\t" : kind)
            }
        }
        return text
    }

    private static func holds(_ item: SigmaItem, _ event: Event) -> Bool {
        let found = event[item.field] ?? []
        let tests = item.values.map { value -> Bool in
            if item.modifiers.contains("exists") { return value == .boolean(!found.isEmpty) }
            guard let wanted = text(value) else { return found.isEmpty }
            if item.modifiers.contains("fieldref") {
                return found.contains { value in (event[wanted] ?? []).contains { refers(item.modifiers, value, $0) } }
            }
            if let comparison = ["lt", "lte", "gt", "gte"].first(where: item.modifiers.contains), let number = Double(wanted) {
                return found.contains { Double($0).map { compare(comparison, $0, number) } ?? false }
            }
            let pattern =
                item.modifiers.contains("contains")
                ? "*\(wanted)*"
                : item.modifiers.contains("startswith")
                    ? "\(wanted)*" : item.modifiers.contains("endswith") ? "*\(wanted)" : wanted
            return found.contains { glob(pattern, $0, isCased: item.modifiers.contains("cased")) }
        }
        let holds = item.modifiers.contains("all") ? tests.allSatisfy { $0 } : tests.contains(true)
        return item.modifiers.contains("neq") ? !holds : holds
    }

    private static func refers(_ modifiers: [String], _ value: String, _ other: String) -> Bool {
        let isCased = modifiers.contains("cased")
        let (value, other) = isCased ? (value, other) : (value.lowercased(), other.lowercased())
        if modifiers.contains("contains") { return other.isEmpty || value.contains(other) }
        if modifiers.contains("startswith") { return value.hasPrefix(other) }
        return modifiers.contains("endswith") ? value.hasSuffix(other) : value == other
    }

    private static func text(_ value: SigmaValue) -> String? {
        switch value {
        case .text(let text), .number(let text): text
        case .boolean(let flag): String(flag)
        case .null: nil
        }
    }

    private static func compare(_ name: String, _ left: Double, _ right: Double) -> Bool {
        switch name {
        case "lt": left < right
        case "lte": left <= right
        case "gt": left > right
        default: left >= right
        }
    }

    /// Sigma's wildcards, by trying everything.
    static func glob(_ pattern: String, _ text: String, isCased: Bool = false) -> Bool {
        match(
            Array((isCased ? pattern : pattern.lowercased()).unicodeScalars)[...],
            Array((isCased ? text : text.lowercased()).unicodeScalars)[...])
    }

    private static func match(_ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" { return match(rest, text) || (!text.isEmpty && match(pattern, text.dropFirst())) }
        if first == "?" { return !text.isEmpty && match(rest, text.dropFirst()) }
        if first == "\\", let next = rest.first, next == "*" || next == "?" || next == "\\" {
            return text.first == next && match(rest.dropFirst(), text.dropFirst())
        }
        return text.first == first && match(rest, text.dropFirst())
    }
}

import Events

/// What is certain about an expression before any event has been seen. Sound, not complete: what it says holds for every event.
struct ExpressionCertainty {
    let regexes: [BoundedRegex]

    /// Two tests of which one value can pass only one.
    struct Contradiction: Hashable {
        var field: FieldID
        var reason: String
    }

    /// No event satisfies it.
    func isNever(_ expression: Expression) -> Bool {
        switch expression {
        case .constant(let value): return !value
        case .predicate(let predicate): return isNever(predicate)
        case .not(let inner): return isAlways(inner)
        case .any(let parts): return parts.allSatisfy(isNever)
        case .all:
            let parts = conjuncts(expression)
            return parts.contains { isAll($0) ? false : isNever($0) } || excludesItself(parts)
        }
    }

    /// Every event satisfies it.
    func isAlways(_ expression: Expression) -> Bool {
        switch expression {
        case .constant(let value): return value
        case .predicate: return false
        case .not(let inner): return isNever(inner)
        case .all(let parts): return parts.allSatisfy(isAlways)
        case .any:
            let parts = disjuncts(expression)
            if parts.contains(where: { isAny($0) ? false : isAlways($0) }) { return true }
            // p or not p; present or absent.
            return excludesItself(parts.map { .not($0) })
        }
    }

    private func isAll(_ expression: Expression) -> Bool { if case .all = expression { true } else { false } }
    private func isAny(_ expression: Expression) -> Bool { if case .any = expression { true } else { false } }

    /// `not not p` is p, `not (p or q)` is `not p and not q`.
    private func conjuncts(_ expression: Expression) -> [Expression] {
        switch expression {
        case .all(let parts): return parts.flatMap(conjuncts)
        case .not(.not(let inner)): return conjuncts(inner)
        case .not(.any(let parts)): return parts.flatMap { conjuncts(.not($0)) }
        default: return [expression]
        }
    }

    private func disjuncts(_ expression: Expression) -> [Expression] {
        switch expression {
        case .any(let parts): return parts.flatMap(disjuncts)
        case .not(.not(let inner)): return disjuncts(inner)
        case .not(.all(let parts)): return parts.flatMap { disjuncts(.not($0)) }
        default: return [expression]
        }
    }

    /// p and not p; a field that is absent and has a value.
    private func excludesItself(_ parts: [Expression]) -> Bool {
        var asserted: Set<String> = []
        var denied: Set<String> = []
        var present: Set<FieldID> = []
        var absent: Set<FieldID> = []
        for part in parts {
            let (inner, isDenied) = stripped(part)
            let key = key(inner)
            if isDenied { denied.insert(key) } else { asserted.insert(key) }
            guard case .predicate(let predicate) = inner, case .field(let field) = predicate.subject else { continue }
            switch (predicate.test, isDenied) {
            case (.isNull, false), (.exists(false), false), (.exists(true), true): absent.insert(field)
            case (.isNull, true), (.exists(false), true), (.exists(true), false): present.insert(field)
            case (_, false): present.insert(field)
            default: break
            }
        }
        return !asserted.isDisjoint(with: denied) || !present.isDisjoint(with: absent)
    }

    private func stripped(_ expression: Expression) -> (Expression, isDenied: Bool) {
        var inner = expression
        var isDenied = false
        while case .not(let denied) = inner {
            inner = denied
            isDenied.toggle()
        }
        return (inner, isDenied)
    }

    private func isNever(_ predicate: Predicate) -> Bool {
        switch predicate.test {
        case .timePart(let part, let comparison, let value):
            let range: ClosedRange<Int>
            switch part {
            case .minute: range = 0...59
            case .hour: range = 0...23
            case .day: range = 1...31
            case .week: range = 1...53
            case .month: range = 1...12
            case .year: return false
            }
            return !range.contains { comparison.holds(Double($0), Double(value)) }
        default: return false
        }
    }

    /// Equal for tests that are the same.
    private func key(_ expression: Expression) -> String {
        switch expression {
        case .constant(let value): return "\(value)"
        case .not(let inner): return "not(\(key(inner)))"
        case .all(let parts): return "all(\(parts.map(key).sorted()))"
        case .any(let parts): return "any(\(parts.map(key).sorted()))"
        case .predicate(let predicate):
            if case .regex(let index) = predicate.test {
                return "\(predicate.subject) re \(regexes[index].options.rawValue) \(regexes[index].pattern)"
            }
            return "\(predicate)"
        }
    }

    // MARK: One value

    /// What no single value of one field can satisfy: certain where the field has one value, as it has in all but lists in JSON.
    func contradictions(_ expression: Expression) -> Set<Contradiction> {
        switch expression {
        case .constant, .predicate: return []
        case .not(let inner): return contradictions(inner)
        case .any(let parts): return parts.reduce(into: []) { $0.formUnion(contradictions($1)) }
        case .all:
            let parts = conjuncts(expression)
            var found: Set<Contradiction> = []
            for part in parts where !isAll(part) { found.formUnion(contradictions(part)) }
            let byField = Dictionary(grouping: parts.compactMap(alternatives)) { $0.field }
            for (field, lists) in byField where lists.count > 1 {
                for (index, left) in lists.enumerated() {
                    for right in lists[(index + 1)...]
                    where !left.tests.contains(where: { test in
                        right.tests.contains { ExpressionCertainty.areCompatible(test, $0) }
                    }) {
                        found.insert(Contradiction(field: field, reason: "two of its values or ranges exclude each other"))
                    }
                }
            }
            return found
        }
    }

    /// One test, or alternatives of one field; `nil` for anything else.
    private func alternatives(_ expression: Expression) -> (field: FieldID, tests: [Predicate.Test])? {
        switch expression {
        case .predicate(let predicate):
            guard case .field(let field) = predicate.subject else { return nil }
            return (field, [predicate.test])
        case .any(let parts):
            var tests: [Predicate.Test] = []
            var field: FieldID?
            for part in parts {
                guard let inner = alternatives(part), field == nil || field == inner.field else { return nil }
                field = inner.field
                tests += inner.tests
            }
            return field.map { ($0, tests) }
        default: return nil
        }
    }

    /// False only where no value passes both.
    private static func areCompatible(_ left: Predicate.Test, _ right: Predicate.Test) -> Bool {
        switch (left, right) {
        case (.text(let a), .text(let b)): return areCompatible(a, b) && areCompatible(b, a)
        case (.compare(let first, let a), .compare(let second, let b)):
            // Between, at and beyond the two limits: one number of each kind is enough to try.
            return [a, b, (a + b) / 2, min(a, b) - 1, max(a, b) + 1].contains { first.holds($0, a) && second.holds($0, b) }
        case (.text(let text), .compare(let comparison, let limit)), (.compare(let comparison, let limit), .text(let text)):
            guard let literal = text.literal, !text.anyBefore, !text.anyAfter else { return true }
            guard let number = Double(String(decoding: literal, as: UTF8.self)) else { return false }
            return comparison.holds(number, limit)
        default: return true
        }
    }

    /// Where `whole` is one text: whether it passes `other`. Where both begin or end with a text: whether one begins the other.
    private static func areCompatible(_ whole: TextPattern, _ other: TextPattern) -> Bool {
        guard let text = whole.literal, let part = other.literal else { return true }
        let fold = { (bytes: [UInt8]) in bytes.map(foldedToLowerCase) }
        if !whole.anyBefore, !whole.anyAfter {
            let folded = fold(text)
            // Folded on both sides: stricter case rules could only exclude more, and are left alone.
            let loose = TextPattern(
                pieces: [fold(part).map { $0 }], anyBefore: other.anyBefore, anyAfter: other.anyAfter, isCased: true)
            return loose.matches(folded.span, 0..<folded.count)
        }
        let a = fold(text), b = fold(part)
        if !whole.anyBefore, !other.anyBefore { return a.starts(with: b) || b.starts(with: a) }
        if !whole.anyAfter, !other.anyAfter {
            return a.reversed().starts(with: b.reversed()) || b.reversed().starts(with: a.reversed())
        }
        return true
    }
}

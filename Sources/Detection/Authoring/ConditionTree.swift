import Events

/// A rule's conditions with their quantifiers resolved: the branches that samples exercise and explanations show.
indirect enum ConditionTree {
    /// An index into the rule's searches.
    case search(Int)
    case not(ConditionTree)
    case all([ConditionTree], text: String)
    case any([ConditionTree], text: String)

    /// The conditions of a rule that has loaded: every name is there. Several conditions are alternatives.
    ///
    /// - Parameter names: what the searches are called.
    init(_ conditions: [SigmaCondition], _ names: [String]) {
        let trees = conditions.map { ConditionTree($0, names) }
        self = trees.count == 1 ? trees[0] : .any(trees, text: "or")
    }

    private init(_ condition: SigmaCondition, _ names: [String]) {
        switch condition {
        case .search(let name): self = .search(names.firstIndex(of: name) ?? 0)
        case .not(let inner): self = .not(ConditionTree(inner, names))
        case .and(let parts): self = .all(parts.map { ConditionTree($0, names) }, text: "and")
        case .or(let parts): self = .any(parts.map { ConditionTree($0, names) }, text: "or")
        case .quantified(let all, let pattern):
            let chosen = ConditionTree.chosen(pattern, names).map { ConditionTree.search($0) }
            self = all ? .all(chosen, text: "all of \(pattern)") : .any(chosen, text: "1 of \(pattern)")
        }
    }

    /// The same for searches that stand further back.
    func shifted(by count: Int) -> ConditionTree {
        switch self {
        case .search(let index): .search(index + count)
        case .not(let inner): .not(inner.shifted(by: count))
        case .all(let parts, let text): .all(parts.map { $0.shifted(by: count) }, text: text)
        case .any(let parts, let text): .any(parts.map { $0.shifted(by: count) }, text: text)
        }
    }

    /// The searches that a quantifier's pattern names.
    static func chosen(_ pattern: String, _ names: [String]) -> [Int] {
        let isThem = pattern.lowercased() == "them"
        let glob = TextPattern(wildcards: isThem ? "*" : pattern, anchor: .equals, isCased: true)
        return names.indices.filter { index in
            let name = Array(names[index].utf8)
            return !(isThem && names[index].hasPrefix("_")) && glob.matches(name.span, 0..<name.count)
        }
    }

    func holds(_ search: (Int) -> Bool) -> Bool {
        switch self {
        case .search(let index): search(index)
        case .not(let inner): !inner.holds(search)
        case .all(let parts, _): parts.allSatisfy { $0.holds(search) }
        case .any(let parts, _): parts.contains { $0.holds(search) }
        }
    }

    /// It and everything below it, outermost first.
    var branches: [ConditionTree] {
        switch self {
        case .search: [self]
        case .not(let inner): [self] + inner.branches
        case .all(let parts, _), .any(let parts, _): [self] + parts.flatMap(\.branches)
        }
    }

    func text(_ names: [String], isNested: Bool = false) -> String {
        let join = { (parts: [ConditionTree], word: String) in
            if word.contains(" of ") { return word }
            let joined = parts.map { $0.text(names, isNested: true) }.joined(separator: " \(word) ")
            return isNested ? "(\(joined))" : joined
        }
        switch self {
        case .search(let index): return names[index]
        case .not(let inner): return "not " + inner.text(names, isNested: true)
        case .all(let parts, let word), .any(let parts, let word): return join(parts, word)
        }
    }
}

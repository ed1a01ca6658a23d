/// What differs between two rule sets, by rule.
package struct RuleSetChange: Sendable, Equatable {
    /// Ids, sorted.
    package private(set) var added: [String] = []
    package private(set) var changed: [String] = []
    package private(set) var removed: [String] = []

    package init(from old: RuleSet?, to new: RuleSet) {
        let before = old?.definitionHashes ?? [:]
        let after = new.definitionHashes
        for (id, hash) in after {
            guard let known = before[id] else {
                added.append(id)
                continue
            }
            if known != hash { changed.append(id) }
        }
        removed = before.keys.filter { after[$0] == nil }.sorted()
        added.sort()
        changed.sort()
    }
}

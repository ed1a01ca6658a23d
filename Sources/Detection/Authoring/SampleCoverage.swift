package import Events

/// What samples exercise of rules: which parts were seen to hold, and which were seen not to.
///
/// Counted over events that the rule looks at. A part that never held has no sample that needs it; one that always held has no
/// sample that shows what it keeps out.
package struct SampleCoverage: Sendable {
    /// One thing that can hold or not.
    package struct Item: Sendable, Hashable {
        package enum Kind: String, Sendable, CaseIterable {
            case search, value, branch
        }

        package var kind: Kind
        /// As it stands in the rule.
        package var text: String
        package var line: Int
        package var wasTrue: Bool
        package var wasFalse: Bool

        /// A value of a list needs to be seen to match; the others to hold and not to hold.
        package var isExercised: Bool { wasTrue && (wasFalse || kind == .value) }
    }

    package struct Rule: Sendable {
        package var header: RuleHeader
        /// Events of its log source among the samples.
        package var events: Int
        package var items: [Item]

        package var exercised: Int { items.count(where: \.isExercised) }
    }

    package var rules: [Rule]

    package var exercised: Int { rules.reduce(0) { $0 + $1.exercised } }
    package var total: Int { rules.reduce(0) { $0 + $1.items.count } }
}

/// Collects coverage sample by sample. Compiles every rule's parts once.
package struct SampleCoverageRecorder {
    private let dissection: RuleDissection
    private var seen: [(isTrue: Set<Int>, isFalse: Set<Int>, events: Int)]
    private var branches: [(isTrue: Set<Int>, isFalse: Set<Int>)]

    /// - Parameter file: only the rules of one file; `nil` for all.
    package init(_ folder: RuleFolder, file: String? = nil) {
        dissection = RuleDissection(folder) { file == nil || $0.file == file }
        seen = Array(repeating: ([], [], 0), count: dissection.probes.count)
        branches = Array(repeating: ([], []), count: dissection.probes.count)
    }

    /// What the samples' lines have to be parsed with.
    package var fields: FieldTable { dissection.ruleSet.fields }
    /// What the pipelines say of the samples' events.
    package var taxonomy: EventTaxonomy { dissection.ruleSet.taxonomy }
    /// Every log source that the samples' events can come from.
    package var logSources: LogSourceTable { dissection.ruleSet.logSources }

    /// - Parameter file: the rule file whose samples these are; the events count for its rules, and for no others.
    package mutating func record(_ batch: EventBatch, file: String) {
        let results = dissection.results(batch)
        for (rule, probes) in dissection.probes.enumerated() where probes.header.file == file {
            let all = probes.all
            let tree = probes.own.branches
            for (event, held) in zip(batch.events, results)
            where dissection.isRouted(probes.reading.logSource, to: event.logSource) {
                seen[rule].events += 1
                for probe in all {
                    if held.contains(probe) { seen[rule].isTrue.insert(probe) } else { seen[rule].isFalse.insert(probe) }
                }
                for (index, branch) in tree.enumerated() {
                    let holds = branch.holds { held.contains(probes.searches[$0].probe) }
                    if holds { branches[rule].isTrue.insert(index) } else { branches[rule].isFalse.insert(index) }
                }
            }
        }
    }

    package var coverage: SampleCoverage {
        SampleCoverage(
            rules: dissection.probes.indices.map { rule in
                let probes = dissection.probes[rule]
                var items: [SampleCoverage.Item] = []
                for search in probes.searches.prefix(probes.ownCount) {
                    items.append(item(.search, search.text, search, rule))
                    for (value, owner) in search.values {
                        items.append(item(.value, "\(owner): \(value.text)", value, rule))
                    }
                }
                for (index, branch) in probes.own.branches.enumerated() {
                    if case .search = branch { continue }
                    items.append(
                        SampleCoverage.Item(
                            kind: .branch, text: branch.text(probes.names), line: probes.header.line,
                            wasTrue: branches[rule].isTrue.contains(index), wasFalse: branches[rule].isFalse.contains(index)))
                }
                return SampleCoverage.Rule(header: probes.header, events: seen[rule].events, items: items)
            })
    }

    private func item(_ kind: SampleCoverage.Item.Kind, _ text: String, _ part: RuleProbes.Part, _ rule: Int)
        -> SampleCoverage.Item
    {
        SampleCoverage.Item(
            kind: kind, text: text, line: part.line, wasTrue: seen[rule].isTrue.contains(part.probe),
            wasFalse: seen[rule].isFalse.contains(part.probe))
    }
}

extension RuleProbes {
    /// The place of each of the rule's own parts among the results.
    fileprivate var all: [Int] {
        func places(_ part: Part) -> [Int] { [part.probe] + part.parts.flatMap(places) }
        return searches.prefix(ownCount).flatMap(places)
    }
}

extension RuleProbes.Part {
    /// The values of lists in it, each with what it belongs to.
    fileprivate var values: [(value: RuleProbes.Part, owner: String)] {
        parts.flatMap { part in
            if case .value = part.kind { return [(part, text)] }
            return part.values
        }
    }

    /// As the rule's author wrote it.
    var text: String {
        switch kind {
        case .search(let name): name
        case .alternative(let number): "alternative \(number)"
        case .item(let item): ([item.field] + item.modifiers).joined(separator: "|")
        case .keywords(let modifiers): (["keywords"] + modifiers).joined(separator: "|")
        case .value(let value): value.written
        }
    }
}

extension SigmaValue {
    /// As YAML shows it.
    var written: String {
        switch self {
        case .text(let text): "'\(text)'"
        case .number(let text): text
        case .boolean(let flag): String(flag)
        case .null: "null"
        }
    }
}

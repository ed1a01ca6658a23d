import Events

/// A rule taken apart: each part of its conditions as a rule of its own, compiled and evaluated by the same engine.
///
/// So what `rules explain` and the coverage of `rules test` say about a part is what the engine does with it, and no second
/// evaluator can disagree.
struct RuleProbes {
    /// A part of a search-identifier.
    struct Part {
        enum Kind {
            case search(name: String)
            /// One of several maps of a list.
            case alternative(Int)
            case item(SigmaItem)
            case keywords(modifiers: [String])
            /// One value of an item's list.
            case value(SigmaValue)
        }

        var kind: Kind
        /// Its place among the results.
        var probe: Int
        var line: Int
        var parts: [Part]
    }

    let header: RuleHeader
    /// What the pipelines make of it.
    let reading: PipelineReading
    /// The rule's own condition; its searches come first.
    let own: ConditionTree
    /// The same, with what filters and pipelines add.
    let condition: ConditionTree
    /// What the searches are called.
    let names: [String]
    /// The place of the rule as a whole among the results.
    let whole: Int
    let searches: [Part]
    /// How many searches are the rule's own.
    let ownCount: Int

    /// The prefix of probes' ids: no rule's id is of that form.
    private static let prefix = "probe "

    /// - Parameter probes: what the probes are appended to.
    init(
        _ header: RuleHeader, _ detection: SigmaDetection, filters: [SigmaFilter], pipelines: [Pipeline],
        into probes: inout [RuleProbe]
    ) {
        self.header = header
        let reading = PipelineReading(of: header, detection.logSource, pipelines)
        var builder = Builder(header: header, logSource: detection.logSource, probes: probes)
        whole = builder.add(.whole(detection, filters: filters))
        var searches = detection.searches
        let own = ConditionTree(detection.conditions, searches.map(\.name))
        var trees = [own]
        for filter in filters {
            let tree = ConditionTree(filter.conditions, filter.searches.map(\.name)).shifted(by: searches.count)
            trees.append(tree)
            searches += filter.searches.map { ("\($0.name) (filter '\(filter.title)')", $0.search) }
        }
        for (number, condition) in reading.conditions.enumerated() {
            let tree = ConditionTree.search(searches.count)
            trees.append(condition.isNegated ? .not(tree) : tree)
            searches.append(("condition \(number + 1) of the pipelines", condition.search))
        }
        self.own = own
        self.reading = reading
        condition = trees.count == 1 ? own : .all(trees, text: "and")
        names = searches.map(\.name)
        ownCount = detection.searches.count
        self.searches = searches.map { builder.part(.search(name: $0.name), $0.search, line: header.line) }
        probes = builder.probes
    }

    /// The place of a probe among the results; `nil` for a rule.
    static func index(id: String) -> Int? {
        id.hasPrefix(prefix) ? Int(id.dropFirst(prefix.count)) : nil
    }

    private struct Builder {
        let header: RuleHeader
        let logSource: LogSource
        var probes: [RuleProbe]

        mutating func add(_ part: RuleProbe.Part) -> Int {
            var header = self.header
            header.id = RuleProbes.prefix + String(probes.count)
            header.name = nil
            header.isHostile = true
            probes.append(RuleProbe(header: header, logSource: logSource, part: part))
            return probes.count - 1
        }

        mutating func add(_ search: SigmaSearch) -> Int { add(.search(search)) }

        mutating func part(_ kind: Part.Kind, _ search: SigmaSearch, line: Int) -> Part {
            let probe = add(search)
            switch search {
            case .map(let items):
                let parts = items.map { item in
                    var values: [Part] = []
                    if item.values.count > 1 {
                        values = item.values.map { value in
                            var single = item
                            single.values = [value]
                            return Part(kind: .value(value), probe: add(.map([single])), line: item.line, parts: [])
                        }
                    }
                    return Part(kind: .item(item), probe: add(.map([item])), line: item.line, parts: values)
                }
                return Part(kind: kind, probe: probe, line: items.first?.line ?? line, parts: parts)
            case .anyOf(let alternatives):
                let parts = alternatives.enumerated().map { part(.alternative($0.offset + 1), $0.element, line: line) }
                return Part(kind: kind, probe: probe, line: parts.first?.line ?? line, parts: parts)
            case .keywords(let values, let all, let modifiers, let line):
                let values = values.map { value in
                    Part(
                        kind: .value(value),
                        probe: add(.keywords([value], all: false, modifiers: modifiers, line: line)), line: line, parts: [])
                }
                let shown = modifiers + (all ? ["all"] : [])
                let keywords = Part(kind: .keywords(modifiers: shown), probe: probe, line: line, parts: values)
                return Part(kind: kind, probe: probe, line: line, parts: [keywords])
            }
        }
    }
}

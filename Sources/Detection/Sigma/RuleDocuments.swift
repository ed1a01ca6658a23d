/// The documents of a rule set, sorted by kind, with every filter at the rules it concerns.
struct RuleDocuments {
    private(set) var detections: [(header: RuleHeader, detection: SigmaDetection)] = []
    private(set) var correlations: [(header: RuleHeader, correlation: SigmaCorrelation)] = []
    private(set) var problems: [RuleProblem] = []

    private var filters: [SigmaFilter] = []
    /// By detection: which filters concern it.
    private var filtersOf: [Int: [Int]] = [:]

    init(_ sources: [RuleSource]) {
        var cache = RuleCache(keeps: false)
        self.init(sources, cache: &cache)
    }

    init(_ sources: [RuleSource], cache: inout RuleCache) {
        var documents: [Result<SigmaDocument, RuleProblem>] = []
        for source in sources { documents += cache.documents(source) }
        self.init(documents)
    }

    init(_ documents: [Result<SigmaDocument, RuleProblem>]) {
        var seen: [String: RuleHeader] = [:]
        var named: [String: RuleHeader] = [:]
        var waiting: [(header: RuleHeader, filter: SigmaFilter)] = []
        for result in documents {
            let document: SigmaDocument
            switch result {
            case .failure(let problem):
                problems.append(problem)
                continue
            case .success(let parsed): document = parsed
            }
            let header = document.header
            if !header.id.isEmpty, let other = seen.updateValue(header, forKey: header.id) {
                problems.append(RuleDocuments.taken("id", header.id, by: other, at: header))
                continue
            }
            if let name = header.name, let other = named.updateValue(header, forKey: name) {
                problems.append(RuleDocuments.taken("name", name, by: other, at: header))
                continue
            }
            switch document.body {
            case .detection(let detection): detections.append((header, detection))
            case .correlation(let correlation): correlations.append((header, correlation))
            case .filter(let filter): waiting.append((header, filter))
            }
        }
        for (header, filter) in waiting { attach(filter, header) }
    }

    func filters(of detection: Int) -> [SigmaFilter] {
        (filtersOf[detection] ?? []).map { filters[$0] }
    }

    /// A filter that concerns no rule is a mistake that would otherwise show as a finding which it was to prevent.
    private mutating func attach(_ filter: SigmaFilter, _ header: RuleHeader) {
        var concerned: [Int] = []
        for (index, (_, detection)) in detections.enumerated() where detection.logSource.isWithin(filter.logSource) {
            concerned.append(index)
        }
        func fail(_ reason: String) {
            problems.append(RuleProblem(file: header.file, line: filter.line, reason: reason))
        }
        if let names = filter.rules {
            var chosen: [Int] = []
            for name in names {
                let isNamed = { (header: RuleHeader) in header.name == name || header.id == name.lowercased() }
                guard let index = detections.firstIndex(where: { isNamed($0.header) }) else {
                    let isCorrelation = correlations.contains { isNamed($0.header) }
                    fail(
                        isCorrelation
                            ? "'\(name)' is a correlation; filter the rules that it counts"
                            : "it filters rule '\(name)', which is not loaded")
                    return
                }
                guard concerned.contains(index) else {
                    fail("it filters rule '\(name)', which is not of the filter's log source")
                    return
                }
                chosen.append(index)
            }
            concerned = chosen
        } else if concerned.isEmpty {
            fail("it filters any rule of its log source, and none is loaded")
            return
        }
        filters.append(filter)
        for index in concerned { filtersOf[index, default: []].append(filters.count - 1) }
    }

    private static func taken(_ what: String, _ value: String, by other: RuleHeader, at header: RuleHeader) -> RuleProblem {
        RuleProblem(
            file: header.file, line: header.line,
            reason: "the \(what) \(value) is taken by '\(other.title)' (\(other.file):\(other.line))")
    }
}

import Events

/// Rules of a set with all their parts, ready to be run on samples or on an event.
struct RuleDissection {
    let probes: [RuleProbes]
    /// The rules themselves, and their probes after them.
    let ruleSet: RuleSet
    private let engine: Engine

    /// - Parameter wanted: of which rules the parts are wanted.
    init(_ folder: RuleFolder, wanted: (RuleHeader) -> Bool) {
        let documents = RuleDocuments(folder.rules)
        let plain = RuleSet(documents: documents, pipelines: folder.pipelines, logSources: folder.logSources)
        let loaded = Set(plain.headers.map(\.header.id))
        var parts: [RuleProbe] = []
        var probes: [RuleProbes] = []
        for (index, (header, detection)) in documents.detections.enumerated()
        where loaded.contains(header.id) && wanted(header) {
            probes.append(
                RuleProbes(
                    header, detection, filters: documents.filters(of: index), pipelines: folder.pipelines, into: &parts))
        }
        self.probes = probes
        ruleSet = RuleSet(documents: documents, probes: parts, pipelines: folder.pipelines, logSources: folder.logSources)
        engine = Engine(ruleSet)
    }

    /// For each event of the batch, which probes hold.
    func results(_ batch: EventBatch) -> [Set<Int>] {
        var places: [Int64: Int] = [:]
        for (place, event) in batch.events.enumerated() { places[event.offset] = place }
        var results = [Set<Int>](repeating: [], count: batch.events.count)
        var engine = engine
        engine.matchLines(batch) { event, header in
            if let probe = RuleProbes.index(id: header.id), let place = places[event.offset] { results[place].insert(probe) }
        }
        return results
    }

    /// Whether a rule looks at events of this log source at all.
    func isRouted(_ wanted: LogSource, to source: LogSourceID) -> Bool {
        ruleSet.logSources[source].isWithin(wanted)
    }
}

import Detection
import Events

extension DetectionStatus {
    init(_ engine: Engine) {
        self.init(
            events: engine.statistics.events, candidates: engine.statistics.candidates, matches: engine.statistics.matches,
            correlations: engine.correlationStatistics.map { statistics in
                Correlation(
                    ruleID: statistics.ruleID, title: statistics.title, groups: statistics.groups, events: statistics.events,
                    bytes: statistics.bytes, evictedGroups: statistics.evictedGroups, late: statistics.late,
                    ignoredValues: statistics.ignoredValues, ungrouped: statistics.ungrouped)
            })
    }
}

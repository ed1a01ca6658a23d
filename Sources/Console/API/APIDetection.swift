import Events

struct APIDetection: Encodable {
    struct Correlation: Encodable {
        var rule: String
        var title: String
        var groups: Int
        var events: Int
        var bytes: Int
        var evictedGroups: Int
        var late: Int
        var ignoredValues: Int
        var ungrouped: Int
    }

    var events: Int
    var candidates: Int
    var matches: Int
    var correlations: [Correlation]

    init(_ status: DetectionStatus) {
        events = status.events
        candidates = status.candidates
        matches = status.matches
        correlations = status.correlations.map { correlation in
            Correlation(
                rule: correlation.ruleID, title: correlation.title, groups: correlation.groups, events: correlation.events,
                bytes: correlation.bytes, evictedGroups: correlation.evictedGroups, late: correlation.late,
                ignoredValues: correlation.ignoredValues, ungrouped: correlation.ungrouped)
        }
    }
}

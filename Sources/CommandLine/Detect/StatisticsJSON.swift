import Detection
import Journal

/// What `vigie detect --statistics` prints, for `script/bench`.
enum StatisticsJSON {
    static func text(
        _ statistics: MatchStatistics, _ census: LiteralCensus, _ correlations: [CorrelationStatistics]
    ) -> String {
        FindingJSON.text([
            "events": .integer(Int64(statistics.events)), "values": .integer(Int64(statistics.values)),
            "remembered": .integer(Int64(statistics.remembered)), "literals": .integer(Int64(statistics.literals)),
            "regexes": .integer(Int64(statistics.regexes)), "candidates": .integer(Int64(statistics.candidates)),
            "matches": .integer(Int64(statistics.matches)), "necessary_literals": .integer(Int64(census.literalCount)),
            "necessary_literal_hits": .integer(Int64(census.hits)), "correlations": .array(correlations.map(correlation)),
        ])
    }

    private static func correlation(_ statistics: CorrelationStatistics) -> JSONValue {
        [
            "rule": .string(statistics.ruleID), "title": .string(statistics.title), "groups": .integer(Int64(statistics.groups)),
            "events": .integer(Int64(statistics.events)), "bytes": .integer(Int64(statistics.bytes)),
            "evicted_groups": .integer(Int64(statistics.evictedGroups)), "late": .integer(Int64(statistics.late)),
            "ignored_values": .integer(Int64(statistics.ignoredValues)), "ungrouped": .integer(Int64(statistics.ungrouped)),
        ]
    }
}

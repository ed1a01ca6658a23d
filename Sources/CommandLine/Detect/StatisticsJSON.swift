import Detection
import Journal

/// What `vigie detect --statistics` prints, for `script/bench`.
enum StatisticsJSON {
    static func text(_ statistics: MatchStatistics, _ census: LiteralCensus) -> String {
        FindingJSON.text([
            "events": .integer(Int64(statistics.events)), "values": .integer(Int64(statistics.values)),
            "remembered": .integer(Int64(statistics.remembered)), "literals": .integer(Int64(statistics.literals)),
            "regexes": .integer(Int64(statistics.regexes)), "candidates": .integer(Int64(statistics.candidates)),
            "matches": .integer(Int64(statistics.matches)), "necessary_literals": .integer(Int64(census.literalCount)),
            "necessary_literal_hits": .integer(Int64(census.hits)),
        ])
    }
}

/// Finds what somebody may have meant.
package enum NearestName {
    /// The candidate at the smallest edit distance, if that is small for the word's length.
    package static func find(_ word: String, among candidates: some Collection<String>) -> String? {
        let limit = max(1, word.count / 3)
        let ranked = candidates.map { (name: $0, distance: distance(Array(word), Array($0))) }
        // A name that shares no letter with the word is no help, however short both are.
        guard let best = ranked.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }), best.distance <= limit,
            best.distance < word.count
        else { return nil }
        return best.name
    }

    /// Levenshtein's, one row at a time.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let substituted = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j + 1] + 1, row[j] + 1)
            }
        }
        return row[right.count]
    }
}

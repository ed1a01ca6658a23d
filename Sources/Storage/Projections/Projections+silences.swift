package import Events
import GRDB
package import Incidents
import Journal

/// What silences took, and what they would have taken. A finding of an incident that the reader may not know of is not there.
extension Projections {
    /// Of which incident a silence came: what it takes is that incident's to know, where it is restricted.
    static func noteSilence(_ entry: Entry, _ database: Database) throws {
        guard entry.type == SilenceEvent.createdType, let silence = entry.data["silence"]?.stringValue,
            let incident = entry.data["incident"]?.stringValue
        else { return }
        try run(
            database, "INSERT OR IGNORE INTO silence_origin VALUES (:silence, :incident)",
            ["silence": silence, "incident": incident])
    }

    /// The incident on whose account a row of `finding` is to be known or not; `NULL` where there is none.
    static let findingHome = """
        coalesce(nullif(finding.incident, ''), (SELECT o.incident FROM silence_origin o WHERE o.silence = finding.silence))
        """

    /// The incidents that silences came of, by silence.
    package func silenceOrigins() async throws -> [String: String] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT silence, incident FROM silence_origin").reduce(into: [:]) {
                $0[$1["silence"] as String] = $1["incident"] as String
            }
        }
    }

    /// By silence.
    package func silenceTallies(for reader: IncidentReader?) async throws -> [String: SilenceTally] {
        try await pool.read { database in
            let (condition, arguments) = Projections.knowable(by: reader)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT silence, count(*) AS findings, max(recorded_at) AS last FROM finding
                    WHERE silence IS NOT NULL AND \(condition) GROUP BY silence
                    """, arguments: arguments)
            return rows.reduce(into: [:]) {
                $0[$1["silence"]] = SilenceTally(findings: $1["findings"], last: Projections.time($1, "last"))
            }
        }
    }

    /// Newest first.
    package func findings(takenBy silence: String, limit: Int, for reader: IncidentReader?) async throws -> [FindingView] {
        try await pool.read { database in
            let (condition, arguments) = Projections.knowable(by: reader)
            return try Row.fetchAll(
                database, sql: "SELECT * FROM finding WHERE silence = ? AND \(condition) ORDER BY sequence DESC LIMIT ?",
                arguments: [silence] + arguments + [limit]
            ).map(Projections.finding)
        }
    }

    /// What that would have taken of what is recorded, by now.
    ///
    /// - Parameter isCommander: whoever asks.
    package func preview(
        _ matcher: SilenceMatcher, isCommander: Bool, for reader: IncidentReader?, now: Timestamp
    ) async throws -> SilencePreview {
        try await pool.read { database in
            let (condition, arguments) = Projections.knowable(by: reader)
            var preview = SilencePreview(matcher, isCommander: isCommander)
            let whole = try database.makeStatement(sql: "SELECT * FROM finding WHERE id = ?")
            // One at a time: a storm of findings, each with lines that attackers wrote, is larger than memory should be.
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT id, sequence, incident, rule_id, rule_title, rule_hash, level, category, severity, techniques, entities,
                        count, first_seen, last_seen, recorded_at, grouping, '[]' AS evidence, FALSE AS is_lower_bound,
                        NULL AS silence, (SELECT title FROM incident WHERE id = finding.incident) AS incident_title
                    FROM finding
                    WHERE recorded_at >= ? AND rule_id = ifnull(?, rule_id) AND \(condition)
                    ORDER BY recorded_at DESC, sequence DESC LIMIT ?
                    """,
                arguments: [now.advanced(bySeconds: -SilencePreview.period).nanoseconds, matcher.rule] + arguments
                    + [SilencePreview.maximumFindings + 1])
            var seen = 0
            while let row = try rows.next() {
                seen += 1
                guard seen <= SilencePreview.maximumFindings else {
                    preview.isPartial = true
                    break
                }
                let finding = Projections.finding(row)
                try preview.add(finding, incidentTitle: row["incident_title"]) {
                    try Row.fetchOne(whole, arguments: [finding.id]).map(Projections.finding) ?? finding
                }
            }
            return preview
        }
    }

    private static func knowable(by reader: IncidentReader?) -> (sql: String, arguments: StatementArguments) {
        guard reader != nil else { return ("TRUE", []) }
        let (condition, arguments) = readable(by: reader)
        return ("(\(findingHome) IS NULL OR \(findingHome) IN (SELECT id FROM incident WHERE \(condition)))", arguments)
    }
}

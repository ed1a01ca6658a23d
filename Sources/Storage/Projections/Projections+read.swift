package import Events
import GRDB
package import Incidents

extension Projections: IncidentReading {
    package func incident(
        id: String, maximumFindings: Int, maximumTimeline: Int, reader: IncidentReader?
    ) async throws -> IncidentDetail? {
        try await pool.read { database in
            let (condition, arguments) = Projections.readable(by: reader)
            guard
                let row = try Row.fetchOne(
                    database, sql: "SELECT * FROM incident WHERE id = ? AND \(condition)", arguments: [id] + arguments)
            else { return nil }
            let timeline = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM (SELECT * FROM timeline WHERE incident = ? ORDER BY sequence DESC LIMIT ?)
                    ORDER BY occurred_at, sequence
                    """,
                arguments: [id, maximumTimeline])
            // Whoever wants nothing of the timeline does not wait until a hundred thousand entries are counted.
            let count =
                maximumTimeline == 0
                ? 0 : try Int.fetchOne(database, sql: "SELECT count(*) FROM timeline WHERE incident = ?", arguments: [id])
            let findings = try Row.fetchAll(
                database, sql: "SELECT * FROM finding WHERE incident = ? ORDER BY sequence DESC LIMIT ?",
                arguments: [id, maximumFindings])
            return IncidentDetail(
                summary: try Projections.summary(row, database), timeline: timeline.map(Projections.timelineItem),
                timelineCount: count,
                findings: findings.map(Projections.finding))
        }
    }

    /// What people did, oldest first, whether the timeline goes back to it or not.
    package func actions(ofIncident id: String) async throws -> [TimelineItem] {
        try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM timeline WHERE incident = ? AND kind <> 'finding.recorded' AND actor <> 'vigie'
                    ORDER BY sequence LIMIT ?
                    """,
                arguments: [id, IncidentDetail.allTimeline]
            ).map(Projections.timelineItem)
        }
    }

    package func isHidden(id: String, from reader: IncidentReader) async throws -> Bool {
        try await pool.read { database in
            let (condition, arguments) = Projections.readable(by: reader)
            return try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM incident WHERE id = ? AND NOT \(condition))",
                arguments: [id] + arguments
            )
                ?? false
        }
    }

    /// How many findings each rule has given, and event time of its newest; without those of restricted incidents.
    package func ruleActivity() async throws -> [String: (count: Int, last: Timestamp)] {
        try await pool.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT rule_id, count(*) AS findings, max(last_seen) AS last FROM finding
                    WHERE ifnull(\(Projections.findingHome), '') NOT IN (SELECT id FROM incident WHERE is_restricted)
                    GROUP BY rule_id
                    """)
            return rows.reduce(into: [:]) { $0[$1["rule_id"]] = (count: $1["findings"], last: Projections.time($1, "last")) }
        }
    }

    /// What of a need-to-know incident reaches whom: nothing, for those who are neither readers of it nor have a role in it.
    static func readable(by reader: IncidentReader?) -> (sql: String, arguments: StatementArguments) {
        guard let reader else { return ("TRUE", []) }
        return (
            """
            (NOT is_restricted
                OR EXISTS (SELECT 1 FROM incident_reader r WHERE r.incident = incident.id AND r.account = ?)
                OR EXISTS (SELECT 1 FROM incident_role r WHERE r.incident = incident.id AND r.person = ?))
            """, [reader.account, reader.name]
        )
    }

    /// Whether each of the findings is of that incident, by now.
    package func holds(_ incident: String, findings ids: [String]) async throws -> Bool {
        try await pool.read { database in
            for id in ids {
                let home = try String.fetchOne(database, sql: "SELECT incident FROM finding WHERE id = ?", arguments: [id])
                guard home == incident else { return false }
            }
            return true
        }
    }

    /// What findings are about, each once; for splitting them off.
    package func entities(ofFindings ids: [String]) async throws -> [IncidentEntity] {
        try await pool.read { database in
            var entities: [IncidentEntity] = []
            for id in ids {
                let text = try String.fetchOne(database, sql: "SELECT entities FROM finding WHERE id = ?", arguments: [id])
                for entity in text.map(RowJSON.entities) ?? [] where !entities.contains(entity) { entities.append(entity) }
            }
            return entities
        }
    }

    /// The levels of the rules that spoke in the incident, by category.
    package func ruleLevels(ofIncident id: String) async throws -> [String: Set<String>] {
        try await pool.read { database in
            let rows = try Row.fetchAll(
                database.cachedStatement(sql: "SELECT category, level FROM incident_level WHERE incident = ?"), arguments: [id])
            return rows.reduce(into: [:]) { levels, row in levels[row["category"], default: []].insert(row["level"]) }
        }
    }

    static func summary(_ row: Row, _ database: Database) throws -> IncidentSummary {
        let id: String = row["id"]
        let entities = try Row.fetchAll(
            database.cachedStatement(
                sql: "SELECT kind, value FROM incident_entity WHERE incident = ? ORDER BY findings DESC, kind, value LIMIT 20"),
            arguments: [id])
        let categories = try String.fetchAll(
            database.cachedStatement(
                sql: "SELECT category FROM incident_category WHERE incident = ? ORDER BY findings DESC, category"),
            arguments: [id])
        let techniques = try String.fetchAll(
            database.cachedStatement(sql: "SELECT technique FROM incident_technique WHERE incident = ? ORDER BY technique"),
            arguments: [id])
        return IncidentSummary(
            id: id, title: row["title"], severity: Severity(rawValue: row["severity"]) ?? .medium,
            phase: Phase(rawValue: row["phase"]) ?? .detection,
            entities: entities.compactMap { row in
                IncidentEntity.Kind(rawValue: row["kind"]).map { IncidentEntity(kind: $0, value: row["value"]) }
            },
            findingCount: row["finding_count"], eventCount: row["event_count"], firstSeen: time(row, "first_seen"),
            lastSeen: time(row, "last_seen"), openedAt: time(row, "opened_at"), updatedAt: time(row, "updated_at"),
            categories: categories, techniques: techniques, kind: IncidentKind(rawValue: row["kind"]) ?? .real,
            acknowledgedAt: (row["acknowledged_at"] as Int64?).map(Timestamp.init(nanoseconds:)),
            resolution: (row["resolution"] as String?).flatMap(Resolution.init(rawValue:)), mergedInto: row["merged_into"],
            isRestricted: row["is_restricted"])
    }

    private static func timelineItem(_ row: Row) -> TimelineItem {
        TimelineItem(
            sequence: row["sequence"], occurredAt: time(row, "occurred_at"), recordedAt: time(row, "recorded_at"),
            actor: row["actor"],
            kind: row["kind"], text: row["text"])
    }

    static func finding(_ row: Row) -> FindingView {
        let incident: String = row["incident"]
        return FindingView(
            id: row["id"], sequence: row["sequence"], ruleID: row["rule_id"], ruleTitle: row["rule_title"],
            ruleHash: row["rule_hash"],
            level: row["level"], category: row["category"], severity: Severity(rawValue: row["severity"]) ?? .medium,
            techniques: RowJSON.strings(row["techniques"]), entities: RowJSON.entities(row["entities"]), count: row["count"],
            firstSeen: time(row, "first_seen"), lastSeen: time(row, "last_seen"), recordedAt: time(row, "recorded_at"),
            lines: RowJSON.lines(row["evidence"]), grouping: row["grouping"], isLowerBound: row["is_lower_bound"],
            incident: incident.isEmpty ? nil : incident, silence: row["silence"])
    }

    static func time(_ row: Row, _ column: String) -> Timestamp {
        Timestamp(nanoseconds: row[column])
    }
}

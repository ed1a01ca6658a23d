import Events
import Foundation
import GRDB
import Incidents
import Journal

extension Projections {
    /// What one entry does to the tables. Depends on the entry and the tables alone, so that a rebuild gives the same rows.
    static func apply(_ event: IncidentEvent, _ entry: Entry, _ database: Database) throws {
        switch event {
        case .opened(let opened):
            try run(
                database,
                """
                INSERT INTO incident (id, title, severity, phase, finding_count, event_count, first_seen, last_seen, opened_at,
                    updated_at, updated_sequence, kind)
                VALUES (:id, :title, :severity, 'detection', 0, 0, :first, :first, :recorded, :recorded, :sequence, :kind)
                """,
                [
                    "id": opened.incident, "title": opened.title, "severity": opened.severity.rawValue,
                    "first": opened.firstSeen.nanoseconds, "recorded": entry.recordedAt.nanoseconds,
                    "sequence": Int64(entry.sequence), "kind": opened.kind.rawValue,
                ])
        case .severityChanged(let change):
            try set("severity", change.to.rawValue, of: change.incident, entry, database)
        case .findingRecorded(let finding): try apply(finding, entry, database)
        case .changed(let change): try apply(change, entry, database)
        case .clockMissed(let missed): try touch(missed.incident, entry, database)
        case .page: break
        }
        if let incident = event.incident, let text = event.timelineText {
            let author: Author? =
                switch event {
                case .opened(let opened): opened.author
                case .severityChanged(let change): change.author
                case .changed(let change): change.author
                case .findingRecorded, .clockMissed, .page: nil
                }
            try addToTimeline(incident, entry, text, actor: author?.label, database)
        }
    }

    private static func apply(_ recorded: FindingRecord, _ entry: Entry, _ database: Database) throws {
        var finding = recorded
        // What was on its way to an incident that was merged belongs where the merge leads.
        while let incident = finding.incident,
            let other = try String.fetchOne(
                database.cachedStatement(sql: "SELECT merged_into FROM incident WHERE id = ?"), arguments: [incident])
        {
            finding.incident = other
        }
        try run(
            database,
            """
            INSERT INTO finding VALUES (:id, :sequence, :incident, :ruleID, :ruleTitle, :ruleHash, :level, :category, :severity,
                :techniques, :entities, :count, :first, :last, :recorded, :grouping, :evidence, :isLowerBound, :silence)
            """,
            [
                "id": finding.id, "sequence": Int64(entry.sequence), "incident": finding.incident ?? "", "ruleID": finding.ruleID,
                "ruleTitle": finding.ruleTitle, "ruleHash": finding.ruleHash, "level": finding.level,
                "category": finding.category,
                "severity": finding.severity.rawValue, "techniques": try text(.array(finding.techniques.map { .string($0) })),
                "entities": try text(.array(finding.entities.map(RowJSON.entity))), "count": finding.count,
                "first": finding.firstSeen.nanoseconds, "last": finding.lastSeen.nanoseconds,
                "recorded": entry.recordedAt.nanoseconds, "grouping": finding.grouping,
                "evidence": try text(.array(finding.evidence.map(RowJSON.line))),
                "isLowerBound": finding.isLowerBound, "silence": finding.silence,
            ])
        guard let incident = finding.incident else { return }
        // It is counted, and nothing is made of it that people or playbooks act on.
        guard finding.silence == nil else {
            try run(
                database,
                """
                UPDATE incident SET finding_count = finding_count + 1, event_count = event_count + :count,
                    updated_at = :recorded, updated_sequence = :sequence
                WHERE id = :id
                """,
                [
                    "id": incident, "count": finding.count, "recorded": entry.recordedAt.nanoseconds,
                    "sequence": Int64(entry.sequence),
                ])
            return
        }
        // The title is that of the worst rule that spoke, the first of equals.
        try run(
            database,
            """
            UPDATE incident SET finding_count = finding_count + 1, event_count = event_count + :count,
                first_seen = min(first_seen, :first), last_seen = max(last_seen, :last),
                updated_at = :recorded, updated_sequence = :sequence,
                title = CASE WHEN :severity < worst_severity THEN :title ELSE title END,
                worst_severity = min(worst_severity, :severity)
            WHERE id = :id
            """,
            [
                "id": incident, "count": finding.count, "first": finding.firstSeen.nanoseconds,
                "last": finding.lastSeen.nanoseconds, "recorded": entry.recordedAt.nanoseconds, "sequence": Int64(entry.sequence),
                "severity": finding.severity.rawValue, "title": finding.ruleTitle,
            ])
        for entity in finding.entities {
            try run(
                database,
                """
                INSERT INTO incident_entity VALUES (:incident, :kind, :value, 1)
                ON CONFLICT (incident, kind, ifnull(value, '')) DO UPDATE SET findings = findings + 1
                """,
                ["incident": incident, "kind": entity.kind.rawValue, "value": entity.value])
        }
        try run(
            database,
            """
            INSERT INTO incident_category VALUES (:incident, :category, 1)
            ON CONFLICT (incident, category) DO UPDATE SET findings = findings + 1
            """,
            ["incident": incident, "category": finding.category])
        try run(
            database, "INSERT OR IGNORE INTO incident_level VALUES (:incident, :category, :level)",
            ["incident": incident, "category": finding.category, "level": finding.level])
        for technique in finding.techniques {
            try run(
                database, "INSERT OR IGNORE INTO incident_technique VALUES (:incident, :technique)",
                ["incident": incident, "technique": technique])
        }
    }

    static func addToTimeline(
        _ incident: String, _ entry: Entry, _ text: String, actor: String? = nil, _ database: Database
    ) throws {
        try run(
            database, "INSERT INTO timeline VALUES (:sequence, :incident, :occurred, :recorded, :actor, :kind, :text)",
            [
                "sequence": Int64(entry.sequence), "incident": incident, "occurred": entry.occurredAt.nanoseconds,
                "recorded": entry.recordedAt.nanoseconds, "actor": actor ?? (entry.actor == "system" ? "vigie" : entry.actor),
                "kind": entry.type,
                "text": text,
            ])
    }

    static func run(_ database: Database, _ sql: String, _ arguments: [String: (any DatabaseValueConvertible)?]) throws {
        try database.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
    }

    private static func text(_ value: JSONValue) throws -> String {
        String(decoding: try value.canonicalBytes(), as: UTF8.self)
    }
}

/// Lists inside a row, as JSON.
enum RowJSON {
    static func entity(_ entity: IncidentEntity) -> JSONValue {
        ["kind": .string(entity.kind.rawValue), "value": entity.value.map { .string($0) } ?? .null]
    }

    static func entities(_ text: String) -> [IncidentEntity] {
        list(text).compactMap { value in
            value["kind"]?.stringValue.flatMap(IncidentEntity.Kind.init).map {
                IncidentEntity(kind: $0, value: value["value"]?.stringValue)
            }
        }
    }

    static func line(_ line: EvidenceLine) -> JSONValue {
        [
            "file": .string(line.file), "line": .integer(Int64(line.line)), "offset": .integer(Int64(line.offset)),
            "text": line.text.map { .string($0) } ?? .null,
        ]
    }

    static func lines(_ text: String) -> [EvidenceLine] {
        list(text).map { value in
            EvidenceLine(
                file: value["file"]?.stringValue ?? "", line: Int(value["line"]?.integerValue ?? 0),
                offset: Int(value["offset"]?.integerValue ?? 0), text: value["text"]?.stringValue)
        }
    }

    static func strings(_ text: String) -> [String] { list(text).compactMap(\.stringValue) }

    private static func list(_ text: String) -> [JSONValue] {
        (try? JSONValue(parsing: text))?.arrayValue ?? []
    }
}

import Events
import GRDB
import Incidents
import Journal

extension Projections {
    /// What people did to an incident.
    static func apply(_ change: IncidentChange, _ entry: Entry, _ database: Database) throws {
        let id = change.incident
        switch change.action {
        case .acknowledge: try set("acknowledged_at", change.at.nanoseconds, of: id, entry, database)
        case .phase(_, let to): try set("phase", to.rawValue, of: id, entry, database)
        case .close(_, let resolution):
            try set("phase", Phase.closed.rawValue, of: id, entry, database)
            try set("resolution", resolution.rawValue, of: id, entry, database)
        case .reopen:
            try set("phase", Phase.triage.rawValue, of: id, entry, database)
            try set("resolution", nil as String?, of: id, entry, database)
            try set("acknowledged_at", nil as Int64?, of: id, entry, database)
        case .assign(let role, let person):
            try run(
                database, "INSERT OR IGNORE INTO incident_role VALUES (:id, :role, :person)",
                ["id": id, "role": role, "person": person])
            try touch(id, entry, database)
        case .release(let role, let person):
            try run(
                database, "DELETE FROM incident_role WHERE incident = :id AND role = :role AND person IS :person",
                ["id": id, "role": role, "person": person])
            try touch(id, entry, database)
        case .addEntity(let entity):
            try run(
                database, "INSERT OR IGNORE INTO incident_entity VALUES (:id, :kind, :value, 0)",
                ["id": id, "kind": entity.kind.rawValue, "value": entity.value])
            try touch(id, entry, database)
        case .restrict(let readers):
            try run(database, "DELETE FROM incident_reader WHERE incident = :id", ["id": id])
            for reader in readers {
                try run(
                    database, "INSERT OR IGNORE INTO incident_reader VALUES (:id, :account)", ["id": id, "account": reader])
            }
            try set("is_restricted", true, of: id, entry, database)
        case .unrestrict: try set("is_restricted", false, of: id, entry, database)
        case .merge(let other):
            try run(database, "UPDATE finding SET incident = :other WHERE incident = :id", ["id": id, "other": other])
            try set("merged_into", other, of: id, entry, database)
            try set("phase", Phase.closed.rawValue, of: id, entry, database)
            try set("resolution", Resolution.duplicate.rawValue, of: id, entry, database)
            try recount([id, other], entry, database)
        case .split(let other, let findings, _):
            for finding in findings {
                try run(
                    database, "UPDATE finding SET incident = :other WHERE id = :finding AND incident = :id",
                    ["id": id, "other": other, "finding": finding])
            }
            try recount([id, other], entry, database)
        case .note, .statusUpdate, .say, .affected, .trafficLight, .link, .unlink, .milestone, .pauseClock, .resumeClock:
            try touch(id, entry, database)
        }
    }

    static func set(
        _ column: String, _ value: (any DatabaseValueConvertible)?, of incident: String, _ entry: Entry, _ database: Database
    ) throws {
        try run(database, "UPDATE incident SET \(column) = :value WHERE id = :id", ["id": incident, "value": value])
        try touch(incident, entry, database)
    }

    static func touch(_ incident: String, _ entry: Entry, _ database: Database) throws {
        try run(
            database, "UPDATE incident SET updated_at = :recorded, updated_sequence = :sequence WHERE id = :id",
            ["id": incident, "recorded": entry.recordedAt.nanoseconds, "sequence": Int64(entry.sequence)])
    }

    /// After findings went from one incident to another: everything that is counted from findings.
    private static func recount(_ incidents: [String], _ entry: Entry, _ database: Database) throws {
        for id in incidents {
            let arguments: [String: (any DatabaseValueConvertible)?] = ["id": id]
            try run(
                database,
                """
                UPDATE incident SET
                    finding_count = (SELECT count(*) FROM finding WHERE incident = :id),
                    event_count = (SELECT ifnull(sum(count), 0) FROM finding WHERE incident = :id),
                    first_seen = ifnull((SELECT min(first_seen) FROM finding WHERE incident = :id AND silence IS NULL), first_seen),
                    last_seen = ifnull((SELECT max(last_seen) FROM finding WHERE incident = :id AND silence IS NULL), last_seen),
                    worst_severity = (SELECT ifnull(min(severity), 9) FROM finding WHERE incident = :id AND silence IS NULL)
                WHERE id = :id
                """, arguments)
            // Entities that people named have no findings, and stay.
            try run(database, "DELETE FROM incident_entity WHERE incident = :id AND findings > 0", arguments)
            try run(
                database,
                """
                INSERT INTO incident_entity
                SELECT :id, entity.value ->> 'kind', entity.value ->> 'value', count(*)
                FROM finding, json_each(finding.entities) AS entity
                WHERE finding.incident = :id AND finding.silence IS NULL GROUP BY 2, 3
                ON CONFLICT (incident, kind, ifnull(value, '')) DO UPDATE SET findings = excluded.findings
                """, arguments)
            for table in ["incident_category", "incident_level", "incident_technique"] {
                try run(database, "DELETE FROM \(table) WHERE incident = :id", arguments)
            }
            try run(
                database,
                """
                INSERT INTO incident_category
                SELECT :id, category, count(*) FROM finding WHERE incident = :id AND silence IS NULL GROUP BY category
                """,
                arguments)
            try run(
                database,
                """
                INSERT INTO incident_level
                SELECT DISTINCT :id, category, level FROM finding WHERE incident = :id AND silence IS NULL
                """, arguments)
            try run(
                database,
                """
                INSERT INTO incident_technique
                SELECT DISTINCT :id, technique.value FROM finding, json_each(finding.techniques) AS technique
                WHERE finding.incident = :id AND finding.silence IS NULL
                """, arguments)
            try touch(id, entry, database)
        }
    }
}

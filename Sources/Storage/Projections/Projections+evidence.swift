import Events
import Foundation
import GRDB
package import Incidents
package import Journal

extension Entry {
    /// The incident of an entry about evidence.
    package var evidenceIncident: String? {
        type.hasPrefix("evidence.") ? data["incident"]?.stringValue : nil
    }

    fileprivate func text(_ name: String) -> String { data[name]?.stringValue ?? "" }
    fileprivate func number(_ name: String) -> Int64 { data[name]?.integerValue ?? 0 }
}

extension Projections {
    /// What became of an incident's evidence: its row, its custody, and a line of the incident's timeline.
    static func noteEvidence(_ entry: Entry, _ database: Database) throws {
        guard let incident = entry.evidenceIncident else { return }
        let item = entry.text("evidence")
        let words = words(entry)
        switch entry.type {
        case "evidence.added":
            // A command's entry may be taken twice after a crash: the first counts.
            try run(
                database,
                """
                INSERT OR IGNORE INTO evidence VALUES (:id, :sequence, :incident, :sha256, :size, :name, :source, :collector, :host,
                    :offset, :occurred, :collected, :volatility, :tlp, :suspicious, 0)
                """,
                [
                    "id": item, "sequence": Int64(entry.sequence), "incident": incident, "sha256": entry.text("sha256"),
                    "size": entry.number("size"), "name": entry.text("name"), "source": entry.text("source"),
                    "collector": entry.text("collector"), "host": entry.text("host"),
                    "offset": entry.data["clock_offset_ms"]?.integerValue, "occurred": entry.occurredAt.nanoseconds,
                    "collected": (Timestamp(rfc3339: entry.text("collected_at")) ?? entry.occurredAt).nanoseconds,
                    "volatility": entry.number("volatility"), "tlp": entry.text("tlp"),
                    "suspicious": entry.data["suspicious"]?.boolValue == true,
                ])
        case "evidence.viewed", "evidence.transferred", "evidence.erased":
            try addCustody(of: "SELECT :item", ["item": item], entry, words, database)
            if entry.type == "evidence.erased" {
                try run(database, "UPDATE evidence SET erased = 1 WHERE id = :item", ["item": item])
            }
        case "evidence.exported":
            try addCustody(
                of: "SELECT id FROM evidence WHERE incident = :incident", ["incident": incident], entry, words, database)
        default: break
        }
        try addToTimeline(incident, entry, words, database)
    }

    /// - Parameter items: a query for the ids of the items that it was done with.
    private static func addCustody(
        of items: String, _ arguments: [String: (any DatabaseValueConvertible)?], _ entry: Entry, _ words: String,
        _ database: Database
    ) throws {
        var arguments = arguments
        arguments["sequence"] = Int64(entry.sequence)
        arguments["kind"] = entry.type
        arguments["actor"] = entry.actor
        arguments["at"] = entry.occurredAt.nanoseconds
        arguments["text"] = words
        try run(
            database,
            """
            WITH chosen (id) AS (\(items))
            INSERT OR IGNORE INTO custody SELECT :sequence, id, :kind, :actor, :at, :text FROM chosen
            """,
            arguments)
    }

    private static func words(_ entry: Entry) -> String {
        let name = entry.data["name"]?.stringValue ?? entry.text("evidence")
        switch entry.type {
        case "evidence.added": return "Evidence sealed: \(name), \(entry.number("size")) bytes"
        case "evidence.capture_failed": return "Evidence not collected: \(name): \(entry.text("reason"))"
        case "evidence.requested": return "Evidence is being collected"
        case "evidence.collected":
            let later = entry.data["resumed"]?.boolValue == true ? ", after a restart" : ""
            return "Evidence collected: \(entry.number("items")) sealed, \(entry.number("failures")) not\(later)"
        case "evidence.viewed": return "Evidence viewed: \(name), for \(entry.text("purpose"))"
        case "evidence.transferred":
            return "Evidence handed to \(entry.text("recipient")): \(name), for \(entry.text("purpose"))"
        case "evidence.exported":
            return "Evidence exported for \(entry.text("recipient")) at \(entry.text("tlp")): \(entry.number("items")) items, "
                + "\(entry.number("withheld")) withheld"
        case "evidence.erased": return "Evidence erased: \(name): \(entry.text("reason"))"
        default: return "Evidence: \(name)"
        }
    }

    /// Sealed items of an incident, what is most volatile first, each with its custody.
    package func evidence(of incident: String) async throws -> [EvidenceView] {
        try await pool.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM evidence WHERE incident = ? ORDER BY volatility, collected_at, id LIMIT 500",
                arguments: [incident]
            ).map { try Projections.evidence($0, database) }
        }
    }

    package func evidence(id: String) async throws -> EvidenceView? {
        try await pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM evidence WHERE id = ?", arguments: [id])
                .map { try Projections.evidence($0, database) }
        }
    }

    private static func evidence(_ row: Row, _ database: Database) throws -> EvidenceView {
        let id: String = row["id"]
        let custody = try Row.fetchAll(
            database.cachedStatement(sql: "SELECT * FROM custody WHERE evidence = ? ORDER BY sequence LIMIT 500"), arguments: [id]
        )
        return EvidenceView(
            id: id, sequence: row["sequence"], incident: row["incident"], sha256: row["sha256"], size: row["size"],
            name: row["name"], source: row["source"], collector: row["collector"], host: row["host"],
            clockOffset: row["clock_offset"], occurredAt: Timestamp(nanoseconds: row["occurred_at"]),
            collectedAt: Timestamp(nanoseconds: row["collected_at"]), volatility: row["volatility"], marking: row["tlp"],
            isSuspicious: row["suspicious"], isErased: row["erased"],
            custody: custody.map { row in
                CustodyView(
                    sequence: row["sequence"], kind: row["kind"], actor: row["actor"],
                    at: Timestamp(nanoseconds: row["occurred_at"]), text: row["text"])
            })
    }
}

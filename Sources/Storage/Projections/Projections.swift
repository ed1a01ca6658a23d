import GRDB
package import Incidents
package import Journal

/// The tables that people read: made from the journal and nothing else, and made anew from it at any time.
///
/// One file, `projections.db`. Each batch of entries is one transaction that also moves `applied`, so a crash leaves the
/// tables as they were after some entry, and the rest is applied at the next start.
package struct Projections: Sendable {
    let pool: DatabasePool

    /// - Throws: `StorageError` when the file is damaged or cannot be opened.
    package init(path: String) throws(StorageError) {
        pool = try DatabaseFile.open(
            path: path, durable: false, erases: false,
            advice: "nothing is lost: run `vigie journal rebuild`, which makes the file anew",
            migrator: Projections.migrator)
    }

    /// Moves everything into the one file and lets go of it; nothing works afterwards.
    package func close() throws {
        _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try pool.close()
    }

    /// How many entries of the journal are in the tables.
    package func applied() async throws -> UInt64 {
        try await pool.read { UInt64(try Int64.fetchOne($0, sql: "SELECT entries FROM applied") ?? 0) }
    }

    /// Puts entries into the tables, in one transaction.
    ///
    /// - Parameter records: consecutive entries, the first of them the next one wanted; an event is `nil` where an entry is
    ///   about something else than incidents.
    /// - Throws: `StorageError` when entries before the first of them are missing in the tables; nothing is applied then.
    package func apply(_ records: [(entry: Entry, event: IncidentEvent?)]) async throws {
        guard let first = records.first, let last = records.last else { return }
        try await pool.write { database in
            let applied = UInt64(try Int64.fetchOne(database, sql: "SELECT entries FROM applied") ?? 0)
            guard applied == first.entry.sequence else {
                throw StorageError(
                    code: .behind, path: pool.path,
                    reason: "the tables hold \(applied) journal entries and were given entry \(first.entry.sequence)",
                    advice: "start Vigie again: what is missing is taken from the journal")
            }
            for record in records {
                if let event = record.event {
                    try Projections.apply(event, record.entry, database)
                } else {
                    try Projections.noteEvidence(record.entry, database)
                    try Projections.noteLease(record.entry, database)
                    try Projections.noteSilence(record.entry, database)
                }
            }
            try database.execute(sql: "UPDATE applied SET entries = ?", arguments: [Int64(last.entry.sequence) + 1])
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: incidents, findings, timeline") { database in
            try database.execute(
                sql: """
                    CREATE TABLE applied (entries INTEGER NOT NULL) STRICT;
                    INSERT INTO applied VALUES (0);
                    CREATE TABLE incident (
                        id TEXT PRIMARY KEY, title TEXT NOT NULL, severity INTEGER NOT NULL, phase TEXT NOT NULL,
                        finding_count INTEGER NOT NULL, event_count INTEGER NOT NULL, first_seen INTEGER NOT NULL,
                        last_seen INTEGER NOT NULL, opened_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
                        updated_sequence INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX incident_by_update ON incident (updated_sequence DESC);
                    CREATE TABLE incident_entity (
                        incident TEXT NOT NULL, kind TEXT NOT NULL, value TEXT, findings INTEGER NOT NULL
                    ) STRICT;
                    CREATE UNIQUE INDEX incident_entity_key ON incident_entity (incident, kind, ifnull(value, ''));
                    CREATE INDEX incident_entity_by_value ON incident_entity (value);
                    CREATE TABLE incident_category (
                        incident TEXT NOT NULL, category TEXT NOT NULL, findings INTEGER NOT NULL, PRIMARY KEY (incident, category)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE incident_technique (
                        incident TEXT NOT NULL, technique TEXT NOT NULL, PRIMARY KEY (incident, technique)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE finding (
                        id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, incident TEXT NOT NULL, rule_id TEXT NOT NULL,
                        rule_title TEXT NOT NULL, rule_hash TEXT NOT NULL, level TEXT NOT NULL, category TEXT NOT NULL,
                        severity INTEGER NOT NULL, techniques TEXT NOT NULL, entities TEXT NOT NULL, count INTEGER NOT NULL,
                        first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
                        grouping TEXT NOT NULL, evidence TEXT NOT NULL
                    ) STRICT;
                    CREATE INDEX finding_by_incident ON finding (incident, sequence DESC);
                    CREATE TABLE timeline (
                        sequence INTEGER PRIMARY KEY, incident TEXT NOT NULL, occurred_at INTEGER NOT NULL,
                        recorded_at INTEGER NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
                    ) STRICT;
                    CREATE INDEX timeline_by_incident ON timeline (incident, sequence);
                    """)
        }
        // Journals of before have no such counts: what was applied from them stays right.
        migrator.registerMigration("2: counts that are lower bounds") { database in
            try database.execute(sql: "ALTER TABLE finding ADD COLUMN is_lower_bound INTEGER NOT NULL DEFAULT 0")
        }
        // The rows of before come from the journal: everything is read again at the next start.
        migrator.registerMigration("3: evidence") { database in
            try database.execute(
                sql: """
                    CREATE TABLE evidence (
                        id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, incident TEXT NOT NULL, sha256 TEXT NOT NULL,
                        size INTEGER NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL, collector TEXT NOT NULL,
                        host TEXT NOT NULL, clock_offset INTEGER, occurred_at INTEGER NOT NULL, collected_at INTEGER NOT NULL,
                        volatility INTEGER NOT NULL, tlp TEXT NOT NULL, suspicious INTEGER NOT NULL, erased INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX evidence_by_incident ON evidence (incident, volatility, collected_at, id);
                    CREATE TABLE custody (
                        sequence INTEGER NOT NULL, evidence TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
                        occurred_at INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (evidence, sequence)
                    ) STRICT, WITHOUT ROWID;
                    DELETE FROM incident; DELETE FROM incident_entity; DELETE FROM incident_category;
                    DELETE FROM incident_technique; DELETE FROM finding; DELETE FROM timeline;
                    UPDATE applied SET entries = 0;
                    """)
        }
        migrator.registerMigration("4: what people do with incidents") { database in
            try database.execute(
                sql: """
                    ALTER TABLE incident ADD COLUMN kind TEXT NOT NULL DEFAULT 'real';
                    ALTER TABLE incident ADD COLUMN acknowledged_at INTEGER;
                    ALTER TABLE incident ADD COLUMN resolution TEXT;
                    ALTER TABLE incident ADD COLUMN merged_into TEXT;
                    ALTER TABLE incident ADD COLUMN is_restricted INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE incident_reader (
                        incident TEXT NOT NULL, account TEXT NOT NULL, PRIMARY KEY (incident, account)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE incident_role (incident TEXT NOT NULL, role TEXT NOT NULL, person TEXT) STRICT;
                    CREATE UNIQUE INDEX incident_role_key ON incident_role (incident, role, ifnull(person, ''));
                    """)
        }
        // The worst of its findings; 9 before the first of them.
        migrator.registerMigration("5: the worst finding of an incident") { database in
            try database.execute(
                sql: """
                    ALTER TABLE incident ADD COLUMN worst_severity INTEGER NOT NULL DEFAULT 9;
                    UPDATE incident SET worst_severity =
                        ifnull((SELECT min(severity) FROM finding WHERE incident = incident.id), 9);
                    """)
        }
        // Lists are read from an index alone, and words are looked up: both have to be quick among very many incidents. The texts
        // are those of the tables themselves, by row; nothing in Vigie renumbers rows.
        migrator.registerMigration("6: lists and searches") { database in
            try database.execute(
                sql: """
                    DROP INDEX incident_by_update;
                    CREATE INDEX incident_by_news ON incident (updated_sequence DESC, phase, is_restricted, id);
                    CREATE INDEX incident_by_severity ON incident (severity, updated_sequence DESC, phase, is_restricted, id);
                    CREATE INDEX incident_category_by_name ON incident_category (category, incident);
                    CREATE VIRTUAL TABLE incident_text USING fts5 (id, title, content = 'incident', tokenize = 'trigram');
                    CREATE TRIGGER incident_text_insert AFTER INSERT ON incident BEGIN
                        INSERT INTO incident_text (rowid, id, title) VALUES (new.rowid, new.id, new.title);
                    END;
                    CREATE TRIGGER incident_text_delete AFTER DELETE ON incident BEGIN
                        INSERT INTO incident_text (incident_text, rowid, id, title)
                        VALUES ('delete', old.rowid, old.id, old.title);
                    END;
                    CREATE TRIGGER incident_text_update AFTER UPDATE OF title ON incident WHEN old.title <> new.title BEGIN
                        INSERT INTO incident_text (incident_text, rowid, id, title)
                        VALUES ('delete', old.rowid, old.id, old.title);
                        INSERT INTO incident_text (rowid, id, title) VALUES (new.rowid, new.id, new.title);
                    END;
                    CREATE VIRTUAL TABLE entity_text USING fts5 (value, content = 'incident_entity', tokenize = 'trigram');
                    CREATE TRIGGER entity_text_insert AFTER INSERT ON incident_entity BEGIN
                        INSERT INTO entity_text (rowid, value) VALUES (new.rowid, new.value);
                    END;
                    CREATE TRIGGER entity_text_delete AFTER DELETE ON incident_entity BEGIN
                        INSERT INTO entity_text (entity_text, rowid, value) VALUES ('delete', old.rowid, old.value);
                    END;
                    INSERT INTO incident_text (incident_text) VALUES ('rebuild');
                    INSERT INTO entity_text (entity_text) VALUES ('rebuild');
                    """)
        }
        // No entry of before has a silence: what was applied from them stays right. A finding of no incident has an empty one.
        migrator.registerMigration("7: silences") { database in
            try database.execute(
                sql: """
                    CREATE TABLE silence_origin (silence TEXT PRIMARY KEY, incident TEXT NOT NULL) STRICT, WITHOUT ROWID;
                    ALTER TABLE finding ADD COLUMN silence TEXT;
                    CREATE INDEX finding_by_silence ON finding (silence, sequence DESC) WHERE silence IS NOT NULL;
                    CREATE INDEX finding_by_recording ON finding (recorded_at DESC, sequence DESC);
                    """)
        }
        migrator.registerMigration("8: the levels of rules that spoke") { database in
            try database.execute(
                sql: """
                    CREATE TABLE incident_level (
                        incident TEXT NOT NULL, category TEXT NOT NULL, level TEXT NOT NULL,
                        PRIMARY KEY (incident, category, level)
                    ) STRICT, WITHOUT ROWID;
                    INSERT INTO incident_level
                    SELECT DISTINCT incident, category, level FROM finding WHERE incident <> '' AND silence IS NULL;
                    """)
        }
        return migrator
    }
}

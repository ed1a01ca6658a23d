import Foundation
import GRDB
package import Journal

extension PrivateDatabase: SubjectKeyStore {
    package func keys(for subjects: [Subject]) async throws -> [SubjectKey] {
        guard !subjects.isEmpty else { return [] }
        let known = try await pool.read { database in try subjects.map { try PrivateDatabase.key(of: $0, database) } }
        if !known.contains(where: { $0 == nil }) { return known.compactMap { $0 } }
        return try await pool.write { database in
            try subjects.map { subject in
                if let key = try PrivateDatabase.key(of: subject, database) { return key }
                let key = SubjectKey(random: .system)
                try database.execute(
                    sql: "INSERT INTO subject_key (id, kind, value, key) VALUES (?, ?, ?, ?)",
                    arguments: [key.id, subject.kind.rawValue, subject.value, Data(key.bytes)])
                return key
            }
        }
    }

    package func key(id: String) async throws -> SubjectKey? {
        try await pool.read { database in
            let bytes = try Data.fetchOne(database, sql: "SELECT key FROM subject_key WHERE id = ?", arguments: [id])
            return bytes.flatMap { SubjectKey(id: id, bytes: Array($0)) }
        }
    }

    package func existingKey(of subject: Subject) async throws -> SubjectKey? {
        try await pool.read { try PrivateDatabase.key(of: subject, $0) }
    }

    package func erase(_ subject: Subject) async throws {
        try await pool.write { database in
            try database.execute(
                sql: "DELETE FROM subject_key WHERE kind = ? AND value = ?", arguments: [subject.kind.rawValue, subject.value])
        }
        // The write-ahead log still holds the page as it was: move it into the file, where it is overwritten, and empty it.
        _ = try await pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    }

    private static func key(of subject: Subject, _ database: Database) throws -> SubjectKey? {
        let row = try Row.fetchOne(
            database.cachedStatement(sql: "SELECT id, key FROM subject_key WHERE kind = ? AND value = ?"),
            arguments: [subject.kind.rawValue, subject.value])
        guard let row else { return nil }
        let bytes: Data = row["key"]
        return SubjectKey(id: row["id"], bytes: Array(bytes))
    }
}

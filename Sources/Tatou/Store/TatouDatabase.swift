import Events
import Foundation
import GRDB

/// Accounts, sessions, documents and versions: `tatou.db` in the data folder, readable by Tatou's user only.
///
/// Every commit is durable, and deleted rows are overwritten. Every statement takes its values as arguments.
package struct TatouDatabase: Sendable {
    /// What one operation took, and whether it failed: for `tatou_db_query_duration_seconds` and `tatou_db_errors_total`.
    package typealias Observer = @Sendable (_ operation: String, _ seconds: Double, _ failure: DatabaseFailure?) -> Void

    private let pool: DatabasePool
    private let observer: Observer

    /// Opens the file, and makes it where there is none.
    ///
    /// - Throws: ``DatabaseFailure`` that says what to do.
    package init(path: String, observer: @escaping Observer = { _, _, _ in }) throws(DatabaseFailure) {
        self.observer = observer
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA secure_delete = ON")
        }
        do {
            if !FileManager.default.fileExists(atPath: path) {
                // SQLite would make it readable by everybody; its log files take over the mode of the database.
                _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            pool = try DatabasePool(path: path, configuration: configuration)
            if try pool.read(Self.migrator.hasBeenSuperseded) {
                throw DatabaseFailure(
                    reason: "newer_version",
                    message: "\(path) was written by a newer version of Tatou. Run that version, or use another data folder.")
            }
            try Self.migrator.migrate(pool)
        } catch {
            throw DatabaseFailure(error, opening: path)
        }
    }

    /// Reads; several may run at a time.
    func read<Value: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await observed(operation) { try await pool.read(body) }
    }

    /// Writes in one transaction: all of `body` or nothing of it.
    func write<Value: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await observed(operation) { try await pool.write(body) }
    }

    private func observed<Value>(_ operation: String, _ body: () async throws -> Value) async throws -> Value {
        let began = ContinuousClock.now
        func seconds() -> Double {
            let parts = (ContinuousClock.now - began).components
            return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
        }
        do {
            let value = try await body()
            observer(operation, seconds(), nil)
            return value
        } catch let error as DatabaseError {
            let failure = DatabaseFailure(error)
            observer(operation, seconds(), failure)
            throw failure
        }
    }

    /// Whether the database answers.
    package func isReachable() async -> Bool {
        do {
            return try await read("health") { try Int.fetchOne($0, sql: "SELECT 1") == 1 }
        } catch {
            return false
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: accounts, sessions, documents, versions") { database in
            try database.execute(
                sql: """
                    CREATE TABLE account (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE,
                        login TEXT NOT NULL UNIQUE COLLATE NOCASE, password_hash TEXT NOT NULL, created_at INTEGER NOT NULL,
                        disabled_at INTEGER
                    ) STRICT;
                    CREATE TABLE session (
                        id TEXT PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,
                        started_at INTEGER NOT NULL, ended_at INTEGER
                    ) STRICT;
                    CREATE INDEX session_account ON session(account_id);
                    CREATE TABLE token (
                        digest TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES session(id) ON DELETE CASCADE,
                        issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, replaced_at INTEGER
                    ) STRICT;
                    CREATE INDEX token_session ON token(session_id);
                    CREATE INDEX token_expiry ON token(expires_at);
                    CREATE TABLE document (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, file TEXT NOT NULL UNIQUE,
                        owner_id INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE, created_at INTEGER NOT NULL,
                        sha256 TEXT NOT NULL, size INTEGER NOT NULL, pages INTEGER NOT NULL, correlation TEXT NOT NULL
                    ) STRICT;
                    CREATE INDEX document_owner ON document(owner_id, created_at);
                    CREATE INDEX document_sha256 ON document(sha256);
                    CREATE TABLE version (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        document_id INTEGER NOT NULL REFERENCES document(id) ON DELETE CASCADE,
                        link_digest TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL, intended_for TEXT NOT NULL, method TEXT NOT NULL,
                        position TEXT, file TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
                        created_at INTEGER NOT NULL, is_single_use INTEGER NOT NULL, expires_at INTEGER, used_at INTEGER
                    ) STRICT;
                    CREATE INDEX version_document ON version(document_id);
                    CREATE INDEX version_sha256 ON version(sha256);
                    """)
        }
        return migrator
    }
}

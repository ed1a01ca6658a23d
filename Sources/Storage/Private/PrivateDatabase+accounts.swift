package import Events
import GRDB
package import Identity

extension PrivateDatabase: AccountStore {
    package func hasAccounts() async throws -> Bool {
        try await pool.read { try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM account)") ?? false }
    }

    package func account(named name: String) async throws -> Account? {
        try await pool.read { try PrivateDatabase.account($0, where: "name", name) }
    }

    package func account(id: String) async throws -> Account? {
        try await pool.read { try PrivateDatabase.account($0, where: "id", id) }
    }

    package func createFirstAccount(_ account: Account, consuming digest: TokenDigest) async throws -> Bool {
        try await pool.write { database in
            let isFirst = try Bool.fetchOne(database, sql: "SELECT NOT EXISTS (SELECT 1 FROM account)") ?? false
            let stored = try String.fetchOne(database, sql: "SELECT digest FROM setup_token")
            guard isFirst, stored == digest.hex else { return false }
            try database.execute(
                sql: "INSERT INTO account (id, name, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?)",
                arguments: [account.id, account.name, account.role.rawValue, account.passwordHash, account.createdAt.nanoseconds])
            try database.execute(sql: "DELETE FROM setup_token")
            return true
        }
    }

    package func updatePasswordHash(_ hash: String, accountID: String) async throws {
        try await execute("UPDATE account SET password_hash = ? WHERE id = ?", [hash, accountID])
    }

    package func setupTokenDigest() async throws -> TokenDigest? {
        try await pool.read { try String.fetchOne($0, sql: "SELECT digest FROM setup_token").map(TokenDigest.init(hex:)) }
    }

    package func setSetupTokenDigest(_ digest: TokenDigest?) async throws {
        try await pool.write { database in
            try database.execute(sql: "DELETE FROM setup_token")
            if let digest { try database.execute(sql: "INSERT INTO setup_token (digest) VALUES (?)", arguments: [digest.hex]) }
        }
    }

    package func insertSession(_ session: SignInSession) async throws {
        try await execute(
            "INSERT INTO sign_in_session (digest, account_id, created_at, last_seen_at) VALUES (?, ?, ?, ?)",
            [session.digest.hex, session.accountID, session.createdAt.nanoseconds, session.lastSeenAt.nanoseconds])
    }

    package func session(digest: TokenDigest) async throws -> SignInSession? {
        try await pool.read { database in
            let row = try Row.fetchOne(database, sql: "SELECT * FROM sign_in_session WHERE digest = ?", arguments: [digest.hex])
            return row.map { row in
                SignInSession(
                    digest: digest, accountID: row["account_id"], createdAt: Timestamp(nanoseconds: row["created_at"]),
                    lastSeenAt: Timestamp(nanoseconds: row["last_seen_at"]))
            }
        }
    }

    package func touchSession(digest: TokenDigest, at time: Timestamp) async throws {
        try await execute("UPDATE sign_in_session SET last_seen_at = ? WHERE digest = ?", [time.nanoseconds, digest.hex])
    }

    package func deleteSession(digest: TokenDigest) async throws {
        try await execute("DELETE FROM sign_in_session WHERE digest = ?", [digest.hex])
    }

    package func deleteSessions(createdBefore created: Timestamp, lastSeenBefore seen: Timestamp) async throws {
        try await execute(
            "DELETE FROM sign_in_session WHERE created_at < ? OR last_seen_at < ?", [created.nanoseconds, seen.nanoseconds])
    }

    private func execute(_ sql: String, _ arguments: StatementArguments) async throws {
        try await pool.write { try $0.execute(sql: sql, arguments: arguments) }
    }

    private static func account(_ database: Database, where column: String, _ value: String) throws -> Account? {
        let row = try Row.fetchOne(database, sql: "SELECT * FROM account WHERE \(column) = ?", arguments: [value])
        return row.flatMap { row in
            Role(rawValue: row["role"]).map { role in
                Account(
                    id: row["id"], name: row["name"], role: role, passwordHash: row["password_hash"],
                    createdAt: Timestamp(nanoseconds: row["created_at"]))
            }
        }
    }
}

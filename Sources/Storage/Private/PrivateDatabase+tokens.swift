package import Events
import GRDB
package import Identity

extension PrivateDatabase {
    package func insertLink(_ link: AccountLink) async throws {
        try await execute(
            "INSERT OR REPLACE INTO account_link (digest, account_id, kind, expires_at) VALUES (?, ?, ?, ?)",
            [link.digest.hex, link.accountID, link.kind.rawValue, link.expiresAt.nanoseconds])
    }

    package func link(digest: TokenDigest) async throws -> AccountLink? {
        try await pool.read { database in
            let row = try Row.fetchOne(database, sql: "SELECT * FROM account_link WHERE digest = ?", arguments: [digest.hex])
            return row.flatMap { row in
                AccountLink.Kind(rawValue: row["kind"]).map { kind in
                    AccountLink(
                        digest: digest, accountID: row["account_id"], kind: kind,
                        expiresAt: Timestamp(nanoseconds: row["expires_at"]))
                }
            }
        }
    }

    package func redeemLink(digest: TokenDigest, passwordHash: String) async throws -> Bool {
        try await pool.write { database in
            let account = try String.fetchOne(
                database, sql: "DELETE FROM account_link WHERE digest = ? RETURNING account_id", arguments: [digest.hex])
            guard let account else { return false }
            try database.execute(
                sql: "UPDATE account SET password_hash = ? WHERE id = ?", arguments: [passwordHash, account])
            try database.execute(sql: "DELETE FROM sign_in_session WHERE account_id = ?", arguments: [account])
            return true
        }
    }

    package func insertToken(_ token: APIToken) async throws {
        try await execute(
            """
            INSERT INTO api_token (id, digest, account_id, name, scopes, created_at, expires_at, last_used_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                token.id, token.digest.hex, token.accountID, token.name,
                token.scopes.map(\.rawValue).sorted().joined(separator: " "), token.createdAt.nanoseconds,
                token.expiresAt.nanoseconds, token.lastUsedAt?.nanoseconds,
            ])
    }

    package func token(digest: TokenDigest) async throws -> APIToken? {
        try await pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM api_token WHERE digest = ?", arguments: [digest.hex])
                .map(PrivateDatabase.token)
        }
    }

    package func tokens(accountID: String?) async throws -> [APIToken] {
        try await pool.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM api_token WHERE ?1 IS NULL OR account_id = ?1 ORDER BY created_at DESC",
                arguments: [accountID]
            ).map(PrivateDatabase.token)
        }
    }

    package func touchToken(id: String, at time: Timestamp) async throws {
        try await execute("UPDATE api_token SET last_used_at = ? WHERE id = ?", [time.nanoseconds, id])
    }

    package func deleteToken(id: String) async throws {
        try await execute("DELETE FROM api_token WHERE id = ?", [id])
    }

    private static func token(_ row: Row) -> APIToken {
        let scopes: String = row["scopes"]
        return APIToken(
            id: row["id"], digest: TokenDigest(hex: row["digest"]), accountID: row["account_id"], name: row["name"],
            // One of a newer version grants nothing here.
            scopes: Set(scopes.split(separator: " ").compactMap { TokenScope(rawValue: String($0)) }),
            createdAt: Timestamp(nanoseconds: row["created_at"]), expiresAt: Timestamp(nanoseconds: row["expires_at"]),
            lastUsedAt: (row["last_used_at"] as Int64?).map(Timestamp.init(nanoseconds:)))
    }
}

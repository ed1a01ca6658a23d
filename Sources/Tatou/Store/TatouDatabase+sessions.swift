import Events
import GRDB
import Identity

extension TatouDatabase {
    func insertSession(_ token: IssuedToken, account: Int64) async throws {
        try await write("insert_session") { database in
            try database.execute(
                sql: "INSERT INTO session (id, account_id, started_at) VALUES (?, ?, ?)",
                arguments: [token.session, account, token.issuedAt.nanoseconds])
            try Self.insert(token, in: database)
        }
    }

    func token(_ digest: TokenDigest) async throws -> TokenRecord? {
        try await read("token_select") { try Self.token(digest, in: $0) }
    }

    /// Exchanges a token for the next one, once.
    ///
    /// - Throws: ``TokenRefusal``.
    func replaceToken(_ digest: TokenDigest, with next: IssuedToken, at now: Timestamp) async throws -> IssuedToken {
        let result: Result<IssuedToken, TokenRefusal> = try await write("token_replace") { database in
            guard let record = try Self.token(digest, in: database) else { return .failure(.unknown) }
            guard !record.isEnded else { return .failure(.revoked(id: record.id)) }
            guard !record.isReplaced else {
                try Self.endSession(record.session, at: now, in: database)
                return .failure(.replayed(id: record.id, account: record.account.id))
            }
            guard now < record.expiresAt else { return .failure(.expired(id: record.id)) }
            var next = next
            next.session = record.session
            try database.execute(
                sql: "UPDATE token SET replaced_at = ? WHERE digest = ?", arguments: [now.nanoseconds, digest.hex])
            try Self.insert(next, in: database)
            return .success(next)
        }
        return try result.get()
    }

    func endSession(_ session: String, at now: Timestamp) async throws {
        try await write("session_end") { try Self.endSession(session, at: now, in: $0) }
    }

    /// - Returns: how many sessions were open.
    func endSessions(account: Int64, at now: Timestamp) async throws -> Int {
        try await write("session_end") { database in
            try database.execute(
                sql: "UPDATE session SET ended_at = ? WHERE account_id = ? AND ended_at IS NULL",
                arguments: [now.nanoseconds, account])
            return database.changesCount
        }
    }

    /// - Returns: how many sessions were open.
    func endAllSessions(at now: Timestamp) async throws -> Int {
        try await write("session_end") { database in
            try database.execute(sql: "UPDATE session SET ended_at = ? WHERE ended_at IS NULL", arguments: [now.nanoseconds])
            return database.changesCount
        }
    }

    /// Forgets sessions whose last token ended before `moment`: a replay of an older one is refused as unknown.
    func sweepSessions(before moment: Timestamp) async throws {
        try await write("session_sweep") { database in
            try database.execute(
                sql: """
                    DELETE FROM session WHERE NOT EXISTS
                        (SELECT 1 FROM token WHERE token.session_id = session.id AND token.expires_at >= ?)
                    """, arguments: [moment.nanoseconds])
        }
    }

    private static func token(_ digest: TokenDigest, in database: Database) throws -> TokenRecord? {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT account.*, session_id, issued_at, expires_at, replaced_at, ended_at
                FROM token JOIN session ON session.id = session_id JOIN account ON account.id = account_id WHERE digest = ?
                """, arguments: [digest.hex])
        return row.map { row in
            TokenRecord(
                account: PlatformAccount(row), id: TokenRecord.id(of: digest), session: row["session_id"],
                issuedAt: Timestamp(nanoseconds: row["issued_at"]), expiresAt: Timestamp(nanoseconds: row["expires_at"]),
                isReplaced: row["replaced_at"] as Int64? != nil, isEnded: row["ended_at"] as Int64? != nil)
        }
    }

    private static func insert(_ token: IssuedToken, in database: Database) throws {
        try database.execute(
            sql: "INSERT INTO token (digest, session_id, issued_at, expires_at) VALUES (?, ?, ?, ?)",
            arguments: [token.token.digest.hex, token.session, token.issuedAt.nanoseconds, token.expiresAt.nanoseconds])
    }

    private static func endSession(_ session: String, at now: Timestamp, in database: Database) throws {
        try database.execute(
            sql: "UPDATE session SET ended_at = ? WHERE id = ? AND ended_at IS NULL", arguments: [now.nanoseconds, session])
    }
}

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
            try PrivateDatabase.insert(account, database)
            try database.execute(sql: "DELETE FROM setup_token")
            return true
        }
    }

    package func accounts() async throws -> [Account] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM \(Self.accountTable) ORDER BY name").compactMap(
                PrivateDatabase.account)
        }
    }

    package func insertAccount(_ account: Account) async throws -> Bool {
        try await pool.write { database in
            guard try PrivateDatabase.account(database, where: "name", account.name) == nil else { return false }
            if let provider = account.provider, try PrivateDatabase.account(database, of: provider) != nil { return false }
            try PrivateDatabase.insert(account, database)
            return true
        }
    }

    package func account(of subject: ProviderSubject) async throws -> Account? {
        try await pool.read { try PrivateDatabase.account($0, of: subject) }
    }

    package func suspendAccount(id: String, at time: Timestamp?) async throws {
        try await pool.write { database in
            try database.execute(
                sql: "UPDATE account SET suspended_at = ? WHERE id = ?", arguments: [time?.nanoseconds, id])
            if time != nil { try database.execute(sql: "DELETE FROM sign_in_session WHERE account_id = ?", arguments: [id]) }
        }
    }

    package func updateAccount(id: String, role: Role, disabledAt: Timestamp?) async throws -> Bool {
        try await pool.write { database in
            guard try PrivateDatabase.account(database, where: "id", id) != nil else { return false }
            let hadAdmin = try PrivateDatabase.hasActiveAdmin(database)
            var isDone = false
            try database.inSavepoint {
                try database.execute(
                    sql: "UPDATE account SET role = ?, disabled_at = ? WHERE id = ?",
                    arguments: [role.rawValue, disabledAt?.nanoseconds, id])
                guard try PrivateDatabase.hasActiveAdmin(database) || !hadAdmin else { return .rollback }
                if disabledAt != nil {
                    try database.execute(sql: "DELETE FROM sign_in_session WHERE account_id = ?", arguments: [id])
                }
                isDone = true
                return .commit
            }
            return isDone
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
            "INSERT INTO sign_in_session (digest, account_id, created_at, last_seen_at, means) VALUES (?, ?, ?, ?, ?)",
            [
                session.digest.hex, session.accountID, session.createdAt.nanoseconds, session.lastSeenAt.nanoseconds,
                session.means.rawValue,
            ])
    }

    package func session(digest: TokenDigest) async throws -> SignInSession? {
        try await pool.read { database in
            let row = try Row.fetchOne(database, sql: "SELECT * FROM sign_in_session WHERE digest = ?", arguments: [digest.hex])
            return row.flatMap(PrivateDatabase.session)
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

    package func sessions(accountID: String) async throws -> [SignInSession] {
        try await pool.read { database in
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM sign_in_session WHERE account_id = ? ORDER BY created_at DESC",
                arguments: [accountID])
            return rows.compactMap(PrivateDatabase.session)
        }
    }

    package func deleteSessions(accountID: String, except: TokenDigest?) async throws {
        try await execute(
            "DELETE FROM sign_in_session WHERE account_id = ? AND digest IS NOT ?", [accountID, except?.hex])
    }

    func execute(_ sql: String, _ arguments: StatementArguments) async throws {
        try await pool.write { try $0.execute(sql: sql, arguments: arguments) }
    }

    private static func account(_ database: Database, where column: String, _ value: String) throws -> Account? {
        try Row.fetchOne(database, sql: "SELECT * FROM \(accountTable) WHERE \(column) = ?", arguments: [value]).flatMap(account)
    }

    private static func account(_ database: Database, of subject: ProviderSubject) throws -> Account? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM \(accountTable) WHERE provider_issuer = ? AND provider_subject = ?",
            arguments: [subject.issuer, subject.subject]
        ).flatMap(account)
    }

    /// A session of a kind that this version does not know is none.
    private static func session(_ row: Row) -> SignInSession? {
        SignInMeans(rawValue: row["means"]).map { means in
            SignInSession(
                digest: TokenDigest(hex: row["digest"]), accountID: row["account_id"],
                createdAt: Timestamp(nanoseconds: row["created_at"]), lastSeenAt: Timestamp(nanoseconds: row["last_seen_at"]),
                means: means)
        }
    }

    private static let accountTable = """
        (SELECT *, EXISTS (SELECT 1 FROM second_factor f WHERE f.account_id = account.id AND f.since IS NOT NULL)
            AS has_second_factor FROM account)
        """

    private static func account(_ row: Row) -> Account? {
        Role(rawValue: row["role"]).map { role in
            var account = Account(
                id: row["id"], name: row["name"], role: role, passwordHash: row["password_hash"],
                createdAt: Timestamp(nanoseconds: row["created_at"]),
                disabledAt: (row["disabled_at"] as Int64?).map(Timestamp.init(nanoseconds:)),
                hasSecondFactor: row["has_second_factor"],
                suspendedAt: (row["suspended_at"] as Int64?).map(Timestamp.init(nanoseconds:)))
            if let issuer = row["provider_issuer"] as String?, let subject = row["provider_subject"] as String? {
                account.provider = ProviderSubject(issuer: issuer, subject: subject)
            }
            return account
        }
    }

    private static func insert(_ account: Account, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT INTO account
                    (id, name, role, password_hash, created_at, disabled_at, provider_issuer, provider_subject, suspended_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                account.id, account.name, account.role.rawValue, account.passwordHash, account.createdAt.nanoseconds,
                account.disabledAt?.nanoseconds, account.provider?.issuer, account.provider?.subject,
                account.suspendedAt?.nanoseconds,
            ])
    }

    /// As `Account.isActiveAdmin` has it.
    private static func hasActiveAdmin(_ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: """
                SELECT EXISTS (SELECT 1 FROM account WHERE role = 'admin' AND disabled_at IS NULL AND password_hash <> '')
                """) ?? false
    }
}

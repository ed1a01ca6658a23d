import Events
import GRDB
import Identity

extension TatouDatabase {
    /// - Returns: `nil` where there is an account of this address or login.
    func insertAccount(
        email: String, login: String, hash: PasswordHash, at now: Timestamp
    ) async throws -> PlatformAccount? {
        try await write("insert_user") { database in
            let isTaken =
                try Bool.fetchOne(
                    database, sql: "SELECT EXISTS (SELECT 1 FROM account WHERE email = ? OR login = ?)",
                    arguments: [email, login])
                ?? false
            guard !isTaken else { return nil }
            try database.execute(
                sql: "INSERT INTO account (email, login, password_hash, created_at) VALUES (?, ?, ?, ?)",
                arguments: [email, login, hash.phc, now.nanoseconds])
            return PlatformAccount(id: database.lastInsertedRowID, email: email, login: login, createdAt: now)
        }
    }

    func hasAccount(email: String, login: String) async throws -> Bool {
        try await read("user_exists") { database in
            try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM account WHERE email = ? OR login = ?)", arguments: [email, login])
                ?? false
        }
    }

    func account(email: String) async throws -> (account: PlatformAccount, hash: PasswordHash)? {
        try await read("login_select") { database in
            guard let row = try Row.fetchOne(database, sql: "SELECT * FROM account WHERE email = ?", arguments: [email]) else {
                return nil
            }
            return (PlatformAccount(row), PasswordHash(phc: row["password_hash"]))
        }
    }

    func accounts() async throws -> [PlatformAccount] {
        try await read("list_users") { try Row.fetchAll($0, sql: "SELECT * FROM account ORDER BY id").map(PlatformAccount.init) }
    }

    func setHash(_ hash: PasswordHash, account: Int64) async throws {
        try await write("update_user") { database in
            try database.execute(
                sql: "UPDATE account SET password_hash = ? WHERE id = ?", arguments: [hash.phc, account])
        }
    }

    /// - Returns: whether there is such an account.
    func setDisabled(_ moment: Timestamp?, account: Int64) async throws -> Bool {
        try await write("update_user") { database in
            try database.execute(
                sql: "UPDATE account SET disabled_at = ? WHERE id = ?", arguments: [moment?.nanoseconds, account])
            return database.changesCount > 0
        }
    }
}

extension PlatformAccount {
    init(_ row: Row) {
        self.init(
            id: row["id"], email: row["email"], login: row["login"], createdAt: Timestamp(nanoseconds: row["created_at"]),
            disabledAt: (row["disabled_at"] as Int64?).map(Timestamp.init(nanoseconds:)))
    }
}

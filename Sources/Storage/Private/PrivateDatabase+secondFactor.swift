package import Events
import Foundation
import GRDB
package import Identity

extension PrivateDatabase {
    package func offerSecondFactor(secret: [UInt8], accountID: String) async throws {
        try await execute(
            "INSERT OR IGNORE INTO second_factor (account_id, secret, since, last_step) VALUES (?, ?, NULL, 0)",
            [accountID, Data(secret)])
    }

    package func secondFactor(accountID: String) async throws -> SecondFactor? {
        try await pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM second_factor WHERE account_id = ?", arguments: [accountID]).map {
                row in
                let secret: Data = row["secret"]
                return SecondFactor(
                    secret: Array(secret), since: (row["since"] as Int64?).map(Timestamp.init(nanoseconds:)),
                    lastStep: row["last_step"])
            }
        }
    }

    package func confirmSecondFactor(
        accountID: String, at time: Timestamp, step: Int64, recoveryCodes: [TokenDigest]
    ) async throws {
        try await pool.write { database in
            try database.execute(
                sql: "UPDATE second_factor SET since = ?, last_step = ? WHERE account_id = ?",
                arguments: [time.nanoseconds, step, accountID])
            try database.execute(sql: "DELETE FROM recovery_code WHERE account_id = ?", arguments: [accountID])
            for code in recoveryCodes {
                try database.execute(
                    sql: "INSERT INTO recovery_code (digest, account_id) VALUES (?, ?)", arguments: [code.hex, accountID])
            }
        }
    }

    package func advanceSecondFactor(accountID: String, to step: Int64) async throws -> Bool {
        try await pool.write { database in
            try database.execute(
                sql: "UPDATE second_factor SET last_step = ?1 WHERE account_id = ?2 AND last_step < ?1",
                arguments: [step, accountID])
            return database.changesCount == 1
        }
    }

    package func deleteSecondFactor(accountID: String) async throws {
        try await pool.write { database in
            try database.execute(sql: "DELETE FROM second_factor WHERE account_id = ?", arguments: [accountID])
            try database.execute(sql: "DELETE FROM recovery_code WHERE account_id = ?", arguments: [accountID])
        }
    }

    package func useRecoveryCode(digest: TokenDigest, accountID: String) async throws -> Bool {
        try await pool.write { database in
            try database.execute(
                sql: "DELETE FROM recovery_code WHERE digest = ? AND account_id = ?", arguments: [digest.hex, accountID])
            return database.changesCount == 1
        }
    }

    package func recoveryCodeCount(accountID: String) async throws -> Int {
        try await pool.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM recovery_code WHERE account_id = ?", arguments: [accountID]) ?? 0
        }
    }
}

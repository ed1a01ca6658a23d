import Foundation
import GRDB

/// Opens SQLite files the way Vigie needs them.
enum DatabaseFile {
    /// - Parameters:
    ///   - durable: every commit reaches the disk before it returns. Projections need not: the journal makes them anew.
    ///   - erases: deleted rows are overwritten in the file (subject keys, sessions).
    ///   - advice: what to do when the file is damaged.
    static func open(
        path: String, durable: Bool, erases: Bool, advice: String, migrator: DatabaseMigrator
    ) throws(StorageError) -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = \(durable ? "FULL" : "NORMAL")")
            if erases { try database.execute(sql: "PRAGMA secure_delete = ON") }
        }
        do {
            let isNew = !FileManager.default.fileExists(atPath: path)
            let pool = try DatabasePool(path: path, configuration: configuration)
            if !isNew { try check(pool, path: path, advice: advice) }
            if try pool.read(migrator.hasBeenSuperseded) {
                throw StorageError(
                    code: .newer, path: path, reason: "it was written by a newer version of Vigie",
                    advice: "run that version, or start with another --data folder")
            }
            try migrator.migrate(pool)
            return pool
        } catch let error as StorageError {
            throw error
        } catch {
            throw describe(error, path: path, advice: advice)
        }
    }

    private static func check(_ pool: DatabasePool, path: String, advice: String) throws {
        let found = try pool.read { try String.fetchAll($0, sql: "PRAGMA quick_check(1)") }
        guard found == ["ok"] else {
            throw StorageError(
                code: .damaged, path: path, reason: "the database is damaged (\(found.first ?? "no answer"))", advice: advice)
        }
    }

    static func describe(_ error: any Error, path: String, advice: String) -> StorageError {
        guard let error = error as? DatabaseError else {
            return StorageError(code: .unavailable, path: path, reason: "\(error)", advice: "check the folder and its permissions")
        }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StorageError(
                code: .damaged, path: path, reason: "the database is damaged (\(error.message ?? "SQLite cannot read it"))", advice: advice)
        case .SQLITE_FULL:
            return StorageError(code: .unavailable, path: path, reason: "the disk is full", advice: "make room and start again; nothing is lost")
        default:
            return StorageError(
                code: .unavailable, path: path, reason: error.message ?? "SQLite error \(error.resultCode.rawValue)",
                advice: "check that the folder exists, that Vigie's user may write to it, and that no other program has it open")
        }
    }
}

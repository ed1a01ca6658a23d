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
            if FileManager.default.fileExists(atPath: path) {
                try check(path, advice: advice, migrator: migrator)
            } else {
                // SQLite would make it readable by everybody; its log files take over the mode of the database.
                _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            let pool = try DatabasePool(path: path, configuration: configuration)
            try migrator.migrate(pool)
            return pool
        } catch let error as StorageError {
            throw error
        } catch {
            throw describe(error, path: path, advice: advice)
        }
    }

    /// Looks without touching: a connection that may write changes the file when it opens, and moves what the write-ahead log
    /// still holds into it when it closes.
    private static func check(_ path: String, advice: String, migrator: DatabaseMigrator) throws {
        if let reason = shortness(path) { throw StorageError(code: .damaged, path: path, reason: reason, advice: advice) }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let found = try queue.read { try String.fetchAll($0, sql: "PRAGMA quick_check(1)") }
        guard found == ["ok"] else {
            throw StorageError(
                code: .damaged, path: path, reason: "the database is damaged (\(found.first ?? "no answer"))", advice: advice)
        }
        if try queue.read(migrator.hasBeenSuperseded) {
            throw StorageError(
                code: .newer, path: path, reason: "it was written by a newer version of Vigie",
                advice: "run that version, or start with another --data folder")
        }
    }

    /// SQLite takes the missing end of a last page for zeros, so the length is held against the header's here: page size at
    /// byte 16, number of pages at byte 28 (SQLite file format §1.3). A file that still has a log may be behind.
    private static func shortness(_ path: String) -> String? {
        let log = (try? FileManager.default.attributesOfItem(atPath: path + "-wal"))?[.size] as? NSNumber
        guard log?.intValue ?? 0 == 0, let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard let header = try? file.read(upToCount: 32), header.count == 32, let size = try? file.seekToEnd() else { return nil }
        let number = { (range: Range<Int>) in header[range].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        // 1 stands for 65,536, which two bytes cannot hold.
        let pageSize = number(16..<18) == 1 ? 65_536 : number(16..<18)
        let expected = pageSize * number(28..<32)
        return size < expected ? "the database is damaged (\(size) bytes of \(expected) are there)" : nil
    }

    static func describe(_ error: any Error, path: String, advice: String) -> StorageError {
        guard let error = error as? DatabaseError else {
            return StorageError(
                code: .unavailable, path: path, reason: "\(error)", advice: "check the folder and its permissions")
        }
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StorageError(
                code: .damaged, path: path, reason: "the database is damaged (\(error.message ?? "SQLite cannot read it"))",
                advice: advice)
        case .SQLITE_FULL:
            return StorageError(
                code: .unavailable, path: path, reason: "the disk is full", advice: "make room and start again; nothing is lost")
        default:
            return StorageError(
                code: .unavailable, path: path, reason: error.message ?? "SQLite error \(error.resultCode.rawValue)",
                advice: "check that the folder exists, that Vigie's user may write to it, and that no other program has it open")
        }
    }
}

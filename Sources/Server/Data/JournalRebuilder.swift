import Foundation
import Journal
import Storage

/// Makes the tables anew from the journal.
package enum JournalRebuilder {
    package struct Outcome: Sendable {
        package var count: UInt64
        /// Where the tables that were there are now.
        package var keptOld: String?
    }

    /// - Throws: `JournalError` when a server is running on the folder, or the journal is damaged.
    package static func run(_ folder: DataFolder, progress: (UInt64) -> Void) async throws -> Outcome {
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw ServerError(
                .dataFolder, "there is no journal in \(folder.path)", "name the data folder of a server with --data")
        }
        try folder.checkPrivateDatabase()
        let keys = try PrivateDatabase(path: folder.privateDatabase)
        let journal = try Journal.open(directory: folder.journal, keys: keys)
        let kept = try setAside(folder)
        let projections = try Projections(path: folder.projections)
        _ = try await JournalReplay.run(
            reader: try journal.reader(), count: journal.count, keys: keys, projections: projections, progress: progress)
        let count = journal.count
        await journal.close()
        return Outcome(count: count, keptOld: kept)
    }

    /// Moves the database and its write-ahead log to names that are free.
    private static func setAside(_ folder: DataFolder) throws -> String? {
        guard FileManager.default.fileExists(atPath: folder.projections) else { return nil }
        var number = 1
        while FileManager.default.fileExists(atPath: "\(folder.projections).old-\(number)") { number += 1 }
        for suffix in ["-wal", "-shm", ""] where FileManager.default.fileExists(atPath: folder.projections + suffix) {
            try FileManager.default.moveItem(
                atPath: folder.projections + suffix, toPath: "\(folder.projections).old-\(number)\(suffix)")
        }
        return "\(folder.projections).old-\(number)"
    }
}

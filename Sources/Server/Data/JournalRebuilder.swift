import Foundation
import Journal
import Storage

/// Makes the tables anew from the journal.
package enum JournalRebuilder {
    package struct Outcome: Sendable {
        package var count: UInt64
    }

    /// - Throws: `JournalError` when a server is running on the folder, or the journal is damaged.
    package static func run(_ folder: DataFolder, progress: (UInt64) -> Void) async throws -> Outcome {
        let (journal, keys) = try open(folder)
        try await rebuild(folder, journal: journal, keys: keys, progress: progress)
        let count = journal.count
        await journal.close()
        return Outcome(count: count)
    }

    /// Journal and keys of a folder that no server runs on.
    static func open(_ folder: DataFolder) throws -> (Journal, PrivateDatabase) {
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw ServerError(
                .dataFolder, "there is no journal in \(folder.path)", "name the data folder of a server with --data")
        }
        try folder.checkPrivateDatabase()
        let keys = try PrivateDatabase(path: folder.privateDatabase)
        return (try Journal.open(directory: folder.journal, keys: keys), keys)
    }

    /// Makes new tables beside the old ones, then puts them in their place.
    ///
    /// Nothing of the old ones is kept: they hold personal data in the clear, perhaps of people who were erased since. A crash
    /// in between leaves no tables, which the next start makes from the journal.
    static func rebuild(
        _ folder: DataFolder, journal: Journal, keys: PrivateDatabase, progress: (UInt64) -> Void
    ) async throws {
        let new = folder.projections + ".rebuilt"
        try remove(new)
        let projections = try Projections(path: new)
        _ = try await JournalReplay.run(
            reader: try journal.reader(), count: journal.count, keys: keys, projections: projections, progress: progress)
        try projections.close()
        try remove(folder.projections)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where isLeftOver(name, of: folder) {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        try DurableName.rename(new, to: folder.projections, in: folder.path)
    }

    /// A database and what SQLite keeps beside it.
    private static func remove(_ path: String) throws {
        for suffix in ["", "-wal", "-shm", "-journal"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.removeItem(atPath: path + suffix)
        }
    }

    /// Tables that rebuilds of earlier versions set aside.
    private static func isLeftOver(_ name: String, of folder: DataFolder) -> Bool {
        name.hasPrefix(URL(fileURLWithPath: folder.projections).lastPathComponent + ".old-")
    }
}

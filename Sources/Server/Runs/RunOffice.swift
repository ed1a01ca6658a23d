import Foundation
import Journal
package import Response
import Storage

/// What commands need of the runs in a data folder, whether a server runs on it or not.
package enum RunOffice {
    /// All runs as the journal has them; beside a running server, as far as it is written.
    package static func ledger(of folder: DataFolder) async throws -> RunLedger {
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw ServerError(
                .dataFolder, "there is no journal in \(folder.path)", "name the data folder of a server with --data")
        }
        let opener = EntryOpener(keys: try PrivateDatabase(path: folder.privateDatabase))
        let reader = try JournalReader(directory: folder.journal)
        var ledger = RunLedger()
        while case let entries = try reader.next(), !entries.isEmpty {
            for (entry, personal) in zip(entries, try await opener.open(entries)) {
                ledger.apply(
                    type: entry.type, data: entry.data, personal: personal.compactMapValues(\.self), at: entry.occurredAt,
                    actor: entry.actor)
            }
        }
        return ledger
    }
}

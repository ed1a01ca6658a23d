import Foundation
package import Incidents
import Journal
import Storage

/// What commands need of the incidents in a data folder, whether a server runs on it or not.
package enum IncidentOffice {
    /// Carries out a request: by the server that runs on the folder, or here when there is none.
    ///
    /// - Returns: `nil` when a server holds the folder and gives no answer.
    package static func carryOut(
        _ request: OrderSpool.Request, in folder: DataFolder, policies: Policies
    ) async throws -> OrderSpool.Answer? {
        let opened: (Journal, PrivateDatabase)
        do {
            opened = try JournalRebuilder.open(folder)
        } catch JournalError.locked {
            return try await OrderSpool(folder).ask(request)
        }
        let (journal, keys) = opened
        let tree = try JournalTree.open(journal: journal, keyPath: folder.checkpointKey)
        let projections = try Projections(path: folder.projections)
        let ledger = try await JournalReplay.run(
            reader: try journal.reader(), count: journal.count, keys: keys, projections: projections)
        let recorder = Recorder(journal: journal, projections: projections, ledger: ledger) { _, _ in }
        let desk = IncidentDesk(
            recorder: recorder, projections: projections, inForce: PoliciesInForce(policies), now: { .system },
            accountID: { try await keys.accountID(of: $0) })
        let answer = try await request.carryOut(on: desk)
        try await tree.publish()
        await recorder.stop()
        await journal.close()
        return answer
    }

    /// All incidents as the journal has them; beside a running server, as far as it is written.
    package static func ledger(of folder: DataFolder) async throws -> IncidentLedger {
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw ServerError(
                .dataFolder, "there is no journal in \(folder.path)", "name the data folder of a server with --data")
        }
        let opener = EntryOpener(keys: try PrivateDatabase(path: folder.privateDatabase))
        let reader = try JournalReader(directory: folder.journal)
        var ledger = IncidentLedger()
        while case let entries = try reader.next(), !entries.isEmpty {
            for (entry, personal) in zip(entries, try await opener.open(entries)) {
                _ = ledger.replay(entry, personal: personal)
            }
        }
        return ledger
    }
}

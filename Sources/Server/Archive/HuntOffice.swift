package import Events
import Foundation
import Journal
import Logging
import Storage

/// Writes into the journal who hunts with a command, whether a server runs on the folder or not.
package enum HuntOffice {
    package enum Answer: Sendable, Equatable {
        case recorded
        case refused(String)
        /// A server holds the journal and gives no answer.
        case unanswered
    }

    /// Whether the folder has a journal to write into: an archive that was copied elsewhere has none.
    package static func hasJournal(_ folder: DataFolder) -> Bool { FileManager.default.fileExists(atPath: folder.journal) }

    /// Returns once it is durable. The journal is not held between the beginning of a hunt and its end: a server may start.
    package static func record(
        _ step: HuntRecord.Step, of hunt: HuntRecord, outcome: HuntRecord.Outcome? = nil, in folder: DataFolder,
        at now: Timestamp
    ) async throws -> Answer {
        let opened: (Journal, PrivateDatabase)
        do {
            opened = try JournalRebuilder.open(folder)
        } catch JournalError.locked {
            return try await HuntSpool(folder).ask(HuntOrder(step, of: hunt, outcome: outcome))
        }
        let (journal, _) = opened
        let tree = try JournalTree.open(journal: journal, keyPath: folder.checkpointKey)
        // The tables show nothing of hunts; the next start reads the entries all the same.
        _ = try await journal.append([hunt.draft(step, outcome: outcome, at: now)], at: now)
        try await tree.publish()
        await journal.close()
        return .recorded
    }
}

/// What commands that hunt beside a server ask it to write down.
struct HuntSpool: Sendable {
    let folder: OrderFolder

    init(_ data: DataFolder) { folder = OrderFolder(data.path + "/orders/hunts") }

    func ask(_ order: HuntOrder, seconds: Int = 20) async throws -> HuntOffice.Answer {
        let answer = try await folder.ask(order.document, id: "\(order.record.id)-\(order.step)", seconds: seconds)
        guard let answer else { return .unanswered }
        return answer["reason"]?.stringValue.map { .refused($0) } ?? .recorded
    }

    func serve(_ recorder: Recorder, logger: Logger, now: @Sendable () -> Timestamp) async throws {
        try await folder.serve(logger: logger) { id, document in
            guard let order = HuntOrder(document) else {
                return ["reason": "the order cannot be read: use the `vigie` of the same version"]
            }
            do {
                let at = now()
                try await recorder.record(order.record.draft(order.step, outcome: order.outcome, at: at), at: at)
                return [:]
            } catch {
                logger.error("order \(id) cannot be carried out: \(error)")
                return ["reason": .string("the journal cannot be written: \(error)")]
            }
        }
    }
}

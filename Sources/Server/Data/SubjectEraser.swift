package import Events
import Foundation
package import Journal
import Storage

/// Erases what the journal and the tables say about one subject, on its demand.
///
/// The journal's bytes stay, and with them every root and every proof; the key that opens the subject's fields is destroyed. Then the
/// tables are made anew. Only while no server runs on the folder.
package enum SubjectEraser {
    package struct Outcome: Sendable {
        /// The entry that records the act; `nil` when there is no key of such a subject.
        package var sequence: UInt64?
        package var keyID: String?
    }

    /// - Parameters:
    ///   - reason: stays readable for ever; it must not name the subject.
    ///   - actor: who did it.
    package static func run(
        _ folder: DataFolder, subject: Subject, reason: String, actor: String, now: Timestamp
    ) async throws -> Outcome {
        let (journal, keys) = try JournalRebuilder.open(folder)
        guard let key = try await keys.existingKey(of: subject) else {
            await journal.close()
            return Outcome()
        }
        // The record first: should this be cut off, the key is there still, and the command can be given once more.
        let entries = try await journal.append(
            [
                EntryDraft(
                    type: "subject.erased", occurredAt: now, actor: actor,
                    data: ["key": .string(key.id), "kind": .string(subject.kind.rawValue), "reason": .string(reason)])
            ], at: now)
        try await keys.erase(subject)
        try await JournalRebuilder.rebuild(folder, journal: journal, keys: keys) { _ in }
        await journal.close()
        return Outcome(sequence: entries.first?.sequence, keyID: key.id)
    }
}

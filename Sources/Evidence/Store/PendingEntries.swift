import Events
import Foundation
package import Journal

/// Entries that a command could not write itself, because a running server holds the journal: it takes them from a folder.
///
/// An entry may be taken twice if the server dies between writing it down and removing the file; it carries the same id then.
package struct PendingEntries: Sendable {
    private let directory: String

    package init(evidence directory: String) {
        self.directory = "\(directory)/pending"
    }

    /// Puts a draft there, durably.
    package func add(_ draft: EntryDraft) throws {
        guard draft.personal.isEmpty else {
            throw EvidenceError(.file, "personal fields cannot wait in a file: they would lie there unsealed")
        }
        try makeFolder(directory)
        let document: JSONValue = [
            "type": .string(draft.type), "occurred_at": .string(draft.occurredAt.rfc3339), "actor": .string(draft.actor),
            "data": .object(draft.data),
        ]
        let name = EvidenceItem.newID()
        let file = try ByteFile.creating("\(directory)/\(name).new")
        try file.write(document.canonicalBytes())
        try file.synchronise()
        guard rename("\(directory)/\(name).new", "\(directory)/\(name).json") == 0 else {
            throw EvidenceError(.file, "\(directory)/\(name).json cannot be made")
        }
        try synchronise(directory)
    }

    /// Hands every draft to `record`, oldest first, and removes it once that returns.
    package func take(_ record: (EntryDraft) async throws -> Void) async throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return }
        for name in names.filter({ $0.hasSuffix(".json") }).sorted(by: { age($0) < age($1) }) {
            let path = "\(directory)/\(name)"
            guard let data = FileManager.default.contents(atPath: path), data.count <= Entry.byteLimit,
                let document = try? JSONValue(parsing: Array(data)), let draft = Self.draft(document)
            else {
                // Kept for people to look at; never taken for an entry.
                rename(path, path + ".refused")
                continue
            }
            try await record(draft)
            unlink(path)
        }
    }

    private static func draft(_ document: JSONValue) -> EntryDraft? {
        guard let type = document["type"]?.stringValue, type.hasPrefix("evidence."), let actor = document["actor"]?.stringValue,
            let occurredAt = document["occurred_at"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let data = document["data"]?.objectValue
        else { return nil }
        return EntryDraft(type: type, occurredAt: occurredAt, actor: actor, data: data)
    }

    private func age(_ name: String) -> Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }
}

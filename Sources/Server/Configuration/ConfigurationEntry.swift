import Events
import Evidence
import Journal

/// What the journal says about the configuration: written at a start that finds another one than the start before.
enum ConfigurationEntry {
    static let type = "configuration.loaded"

    /// An entry is bounded; of options longer than this only the hash is told.
    private static let maximumBytes = 32_000

    static func draft(_ options: ServerOptions, at now: Timestamp) throws -> EntryDraft {
        let bytes = try options.record.canonicalBytes()
        return EntryDraft(
            type: type, occurredAt: now, actor: "system",
            data: [
                "hash": .string(EvidenceItem.hash(of: bytes)), "options": bytes.count <= maximumBytes ? options.record : .null,
            ])
    }
}

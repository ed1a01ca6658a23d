import Events
import Incidents
import Journal

/// What the journal says about the policies in force: written at a start that finds others than the start before.
enum PolicyEntry {
    static let type = "policies.loaded"

    /// The hash is `null` where there are none any more.
    static func draft(_ policies: Policies, at now: Timestamp) -> EntryDraft {
        EntryDraft(
            type: type, occurredAt: now, actor: "system", data: ["hash": policies.hash.map { .string($0) } ?? .null])
    }
}

import Events
import Incidents
import Journal

/// What the journal says about the policies in force: written at a start that finds others than the start before.
enum PolicyEntry {
    static let type = "policies.loaded"

    /// `nil` where there are none.
    static func draft(_ policies: Policies, at now: Timestamp) -> EntryDraft? {
        policies.hash.map {
            EntryDraft(type: type, occurredAt: now, actor: "system", data: ["hash": .string($0)])
        }
    }
}

import Events
import Incidents
import Journal

/// What the journal says about the policies in force.
package enum PolicyEntry {
    package static let loadedType = "policies.loaded"
    package static let refusedType = "policies.refused"

    private static let maximumReasonCharacters = 300

    /// Written at a start that finds others than were in force before, and when others are put in force. The hash is `null` where there
    /// are none any more.
    static func loaded(_ policies: Policies, at now: Timestamp) -> EntryDraft {
        EntryDraft(
            type: loadedType, occurredAt: now, actor: "system", data: ["hash": policies.hash.map { .string($0) } ?? .null])
    }

    /// - Parameter kept: the hash of those that stay in force.
    static func refused(_ problem: PolicyError, kept: String?, at now: Timestamp) -> EntryDraft {
        EntryDraft(
            type: refusedType, occurredAt: now, actor: "system",
            data: [
                "kept": kept.map { .string($0) } ?? .null, "file": .string(String(problem.file.suffix(maximumReasonCharacters))),
                "line": .integer(Int64(problem.line)),
                "reason": .string(String(problem.reason.prefix(maximumReasonCharacters))),
            ])
    }
}

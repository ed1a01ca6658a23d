package import Events
package import Journal

/// What was done with evidence after it was added: each is an entry of its own (ISO/IEC 27037: chain of custody).
package enum Custody: String, CaseIterable, Sendable {
    case viewed = "evidence.viewed"
    case transferred = "evidence.transferred"

    /// Entries with this type say that an item's bytes were erased.
    package static let erasedType = "evidence.erased"

    /// - Parameter reason: the legal ground; stays readable for ever.
    package static func erasure(_ item: EvidenceItem, reason: String, actor: String, at now: Timestamp) -> EntryDraft {
        EntryDraft(
            type: erasedType, occurredAt: now, actor: actor,
            data: [
                "evidence": .string(item.id), "incident": .string(item.incident), "sha256": .string(item.sha256),
                "name": .string(item.name), "reason": .string(reason),
            ])
    }

    /// - Parameters:
    ///   - recipient: to whom or where.
    ///   - purpose: why.
    package func draft(
        _ item: EvidenceItem, recipient: String, purpose: String, actor: String, at now: Timestamp
    ) -> EntryDraft {
        EntryDraft(
            type: rawValue, occurredAt: now, actor: actor,
            data: [
                "evidence": .string(item.id), "incident": .string(item.incident), "sha256": .string(item.sha256),
                "recipient": .string(recipient), "purpose": .string(purpose),
            ])
    }
}

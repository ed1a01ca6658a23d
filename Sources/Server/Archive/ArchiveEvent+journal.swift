import Archive
import Events
import Journal

extension ArchiveEvent {
    /// As a journal entry. Who placed a hold is personal, and so is why.
    func draft(at now: Timestamp) -> EntryDraft {
        switch self {
        case .reduced(let summary, let kept):
            EntryDraft(
                type: "archive.segment_reduced", occurredAt: now, actor: "system",
                data: summary.data.merging(["kept_lines": .integer(Int64(kept))]) { $1 })
        case .deleted(let summary, let reason):
            EntryDraft(
                type: "archive.segment_deleted", occurredAt: now, actor: "system",
                data: summary.data.merging(["reason": .string(reason.rawValue)]) { $1 })
        case .setAside(let summary):
            EntryDraft(type: "archive.segment_set_aside", occurredAt: now, actor: "system", data: summary.data)
        case .gap(let lines, let reason, let since):
            EntryDraft(
                type: "archive.gap", occurredAt: now, actor: "system",
                data: [
                    "lines": .integer(Int64(lines)), "reason": .string(String(reason.prefix(300))),
                    "since": .string(since.rfc3339),
                ])
        case .holdPlaced(let hold):
            hold.draft("archive.hold_placed", author: hold.author, reason: hold.reason, at: Timestamp(nanoseconds: hold.placed))
        case .holdReleased(let hold):
            hold.draft(
                "archive.hold_released", author: hold.released?.author ?? "", reason: hold.released?.reason ?? "",
                at: Timestamp(nanoseconds: hold.released?.time ?? now.nanoseconds))
        }
    }
}

extension SegmentSummary {
    fileprivate var data: [String: JSONValue] {
        var data: [String: JSONValue] = [
            "segment": .integer(Int64(number)), "bytes": .integer(Int64(bytes)), "lines": .integer(Int64(lines)),
        ]
        if let received {
            data["received_from"] = .string(received.lowerBound.rfc3339)
            data["received_until"] = .string(received.upperBound.rfc3339)
        }
        return data
    }
}

extension LegalHold {
    fileprivate func draft(_ type: String, author: String, reason: String, at time: Timestamp) -> EntryDraft {
        var data: [String: JSONValue] = ["hold": .string(name)]
        if let since { data["since"] = .string(Timestamp(nanoseconds: since).rfc3339) }
        if let until { data["until"] = .string(Timestamp(nanoseconds: until).rfc3339) }
        let subject = Subject(kind: .user, value: author)
        return EntryDraft(
            type: type, occurredAt: time, actor: "system", data: data,
            personal: [
                PersonalField(name: "user.name", subjects: [subject], value: .string(author)),
                PersonalField(name: "reason", subjects: [subject], value: .string(String(reason.prefix(2_000)))),
            ])
    }
}

package import Events
package import Journal

/// What became of a silence.
package enum SilenceEvent: Sendable, Equatable {
    /// - Parameter request: see `IncidentChange.request`.
    case created(Silence, request: String?)
    case ended(id: String, by: Author, at: Timestamp, reason: String?)
    case expired(id: String, at: Timestamp)

    package var silence: String {
        switch self {
        case .created(let silence, _): silence.id
        case .ended(let id, _, _, _), .expired(let id, _): id
        }
    }
}

extension SilenceEvent {
    /// Of the entry that says what it takes.
    package static let createdType = "silence.created"
    private static let endedType = "silence.ended"
    private static let expiredType = "silence.expired"

    /// As a journal entry. Whom it names is sealed with them, why with its author.
    package func draft() -> EntryDraft {
        switch self {
        case .created(let silence, let request): return Self.draft(silence, request: request)
        case .ended(let id, let author, let time, let reason):
            var data: [String: JSONValue] = ["silence": .string(id)]
            let personal = author.seal(reason, as: "reason", data: &data)
            return EntryDraft(type: Self.endedType, occurredAt: time, actor: author.id, data: data, personal: personal)
        case .expired(let id, let time):
            return EntryDraft(type: Self.expiredType, occurredAt: time, actor: "system", data: ["silence": .string(id)])
        }
    }

    private static func draft(_ silence: Silence, request: String?) -> EntryDraft {
        let matcher = silence.matcher
        var data: [String: JSONValue] = [
            "silence": .string(silence.id), "kind": .string(silence.kind.rawValue), "until": .string(silence.until.rfc3339),
        ]
        if silence.takesCritical { data["takes_critical"] = true }
        data.set(matcher.rule, "rule")
        data.set(silence.incident, "incident")
        data.set(request, "request")
        var personal = silence.author.seal(silence.reason, as: "reason", data: &data)
        let addresses = matcher.addresses.map(\.text)
        let whom =
            addresses.compactMap { IncidentEntity(kind: .address, value: $0).subject }
            + (matcher.account.map { [Subject(kind: .user, value: $0)] } ?? [])
        if !addresses.isEmpty {
            personal.append(
                PersonalField(
                    name: "source.ip", subjects: addresses.compactMap { IncidentEntity(kind: .address, value: $0).subject },
                    value: .array(addresses.map { .string($0) })))
        }
        if let account = matcher.account {
            personal.append(
                PersonalField(
                    name: "user.name", subjects: [Subject(kind: .user, value: account)], value: .string(account)))
        }
        if let line = matcher.line {
            if whom.isEmpty {
                data["line"] = .string(line)
            } else {
                personal.append(PersonalField(name: "line", subjects: whom, value: .string(line)))
            }
        }
        return EntryDraft(
            type: createdType, occurredAt: silence.createdAt, actor: silence.author.id, data: data, personal: personal)
    }

    /// `nil` for entries about something else.
    package init?(_ entry: Entry, personal: [String: JSONValue?]) {
        guard let id = entry.data["silence"]?.stringValue else { return nil }
        let author = Author(entry, personal: personal)
        let reason = entry.data["reason"]?.stringValue ?? personal.text("reason")
        switch entry.type {
        case Self.createdType:
            guard let kind = entry.data["kind"]?.stringValue.flatMap(Silence.Kind.init),
                let until = entry.data["until"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
            else { return nil }
            let texts = (personal["source.ip"].flatMap { $0 }?.arrayValue ?? []).compactMap(\.stringValue)
            let addresses = texts.compactMap { AddressBlock($0) }
            let matcher = SilenceMatcher(
                rule: entry.data["rule"]?.stringValue, addresses: addresses, account: personal.text("user.name"),
                line: entry.data["line"]?.stringValue ?? personal.text("line"))
            var silence = Silence(
                id: id, kind: kind, matcher: matcher, reason: reason, author: author, createdAt: entry.occurredAt, until: until,
                takesCritical: entry.data["takes_critical"]?.boolValue ?? false, incident: entry.data["incident"]?.stringValue)
            // Without one of its parts it would take more than was meant.
            silence.isErased =
                ["source.ip", "user.name", "line"].contains(where: personal.isErased) || addresses.count < texts.count
            self = .created(silence, request: entry.data["request"]?.stringValue)
        case Self.endedType: self = .ended(id: id, by: author, at: entry.occurredAt, reason: reason)
        case Self.expiredType: self = .expired(id: id, at: entry.occurredAt)
        default: return nil
        }
    }
}

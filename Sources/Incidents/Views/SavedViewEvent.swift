package import Events
package import Journal

/// What became of a view.
package enum SavedViewEvent: Sendable, Equatable {
    /// As it is from now on.
    case saved(SavedView)
    case gone(String)
}

extension SavedViewEvent {
    private static let savedType = "view.saved"
    private static let deletedType = "view.deleted"

    /// As a journal entry. Name and search are the owner's words, sealed with the owner; addresses in them are sealed with those, too.
    package func draft(by author: Author, at now: Timestamp) -> EntryDraft {
        switch self {
        case .gone(let id):
            return EntryDraft(
                type: Self.deletedType, occurredAt: now, actor: author.id, data: ["view": .string(id)], personal: author.fields)
        case .saved(let view):
            var data: [String: JSONValue] = [
                "view": .string(view.id), "shared": .bool(view.isShared), "pinned": .bool(view.isPinned),
                "closed": .bool(view.filter.includesClosed),
                "severities": .array(view.filter.severities.sorted().map { .string($0.code) }),
            ]
            var personal = author.fields
            for (name, text) in [("view.name", view.name), ("view.search", view.filter.search)] where !text.isEmpty {
                let subjects = author.subjects + Self.addresses(in: text)
                if subjects.isEmpty {
                    data[name] = .string(text)
                } else {
                    personal.append(PersonalField(name: name, subjects: subjects, value: .string(text)))
                }
            }
            return EntryDraft(type: Self.savedType, occurredAt: now, actor: author.id, data: data, personal: personal)
        }
    }

    /// `nil` for entries about something else. A view of which words were erased is gone.
    package init?(_ entry: Entry, personal: [String: JSONValue?]) {
        guard entry.type == Self.savedType || entry.type == Self.deletedType, let id = entry.data["view"]?.stringValue else {
            return nil
        }
        let text = { (name: String) in personal.text(name) ?? entry.data[name]?.stringValue }
        guard entry.type == Self.savedType, let name = text("view.name"), !personal.isErased("view.search") else {
            self = .gone(id)
            return
        }
        let filter = SavedView.Filter(
            search: text("view.search") ?? "", severities: Set(entry.data.texts("severities").compactMap { Severity($0) }),
            includesClosed: entry.data["closed"]?.boolValue ?? false)
        self = .saved(
            SavedView(
                id: id, name: name, filter: filter, owner: Author(entry, personal: personal),
                isShared: entry.data["shared"]?.boolValue ?? false, isPinned: entry.data["pinned"]?.boolValue ?? false))
    }

    private static func addresses(in text: String) -> [Subject] {
        let words = Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
        return words.sorted().compactMap { word in
            IPAddress(word) == nil ? nil : IncidentEntity(kind: .address, value: word).subject
        }
    }
}

import Events
import Journal

extension Author {
    /// Whom an entry by this author is about; a name in the journal is personal.
    var subjects: [Subject] { name.map { [Subject(kind: .user, value: $0)] } ?? [] }

    /// The author's name as an entry keeps it.
    var fields: [PersonalField] {
        name.map { [PersonalField(name: "author.name", subjects: subjects, value: .string($0))] } ?? []
    }

    init(_ entry: Entry, personal: [String: JSONValue?]) {
        self.init(id: entry.actor, name: personal.text("author.name"))
    }

    /// The fields of an entry with a text: a person's is sealed under that person's key, Vigie's own is kept as it is.
    func seal(_ text: String?, as name: String, data: inout [String: JSONValue]) -> [PersonalField] {
        guard let text else { return fields }
        guard !subjects.isEmpty else {
            data[name] = .string(text)
            return fields
        }
        return fields + [PersonalField(name: name, subjects: subjects, value: .string(text))]
    }
}

extension [String: JSONValue?] {
    /// A personal text; `nil` where there is none or it was erased.
    func text(_ name: String) -> String? { self[name].flatMap { $0 }?.stringValue }

    func isErased(_ name: String) -> Bool { self[name].map { $0 == nil } ?? false }
}

extension [String: JSONValue] {
    mutating func set(_ text: String?, _ name: String) {
        if let text { self[name] = .string(text) }
    }

    func texts(_ name: String) -> [String] { (self[name]?.arrayValue ?? []).compactMap(\.stringValue) }
}

extension IncidentEntity {
    /// An address as a subject: IPv6 by its /64, which is what one household or site has.
    var subject: Subject? {
        value.map { value in
            switch kind {
            case .address: Subject(kind: .ip, value: IPAddress(value)?.prefix.description ?? value)
            case .account: Subject(kind: .user, value: value)
            }
        }
    }
}

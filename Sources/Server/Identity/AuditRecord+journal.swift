import Events
import Identity
import Journal

extension AuditRecord {
    /// A decision about identity as a journal entry; who it was and from where is personal.
    var draft: EntryDraft {
        var personal: [PersonalField] = []
        if !address.isEmpty {
            let subject = Subject(kind: .ip, value: IPAddress(address)?.prefix.description ?? address)
            personal.append(PersonalField(name: "source.ip", subjects: [subject], value: .string(address)))
        }
        if let account {
            personal.append(
                PersonalField(name: "user.name", subjects: [Subject(kind: .user, value: account)], value: .string(account)))
        }
        if let name = author?.name {
            personal.append(
                PersonalField(name: "author.name", subjects: [Subject(kind: .user, value: name)], value: .string(name)))
        }
        return EntryDraft(
            type: kind.rawValue, occurredAt: time, actor: author?.id ?? "system", data: details.mapValues { .string($0) },
            personal: personal)
    }
}

import Events
import Journal

/// How what people do is written to the journal: the entry's type says what, its data what is not personal.
extension IncidentChange {
    func draft() -> EntryDraft {
        var data: [String: JSONValue] = ["incident": .string(incident)]
        var personal: [PersonalField] = []
        data.set(request, "request")
        switch action {
        case .acknowledge, .reopen, .note, .statusUpdate, .say, .unrestrict: break
        case .phase(let from, let to):
            data["from"] = .string(from.rawValue)
            data["to"] = .string(to.rawValue)
        case .close(let from, let resolution):
            data["from"] = .string(from.rawValue)
            data["resolution"] = .string(resolution.rawValue)
        case .assign(let role, let person), .release(let role, let person):
            data["role"] = .string(role)
            if let person {
                personal.append(
                    PersonalField(name: "person", subjects: [Subject(kind: .user, value: person)], value: .string(person)))
            }
        case .addEntity(let entity):
            data["kind"] = .string(entity.kind.rawValue)
            if let subject = entity.subject, let value = entity.value {
                personal.append(PersonalField(name: "entity", subjects: [subject], value: .string(value)))
            }
        case .affected(let users, let kinds):
            if let users { data["users"] = .integer(Int64(users)) }
            data["data"] = .array(kinds.map { .string($0) })
        case .trafficLight(let light): data["tlp"] = .string(light.rawValue)
        case .restrict(let readers): data["readers"] = .array(readers.map { .string($0) })
        case .link(let kind, let other), .unlink(let kind, let other):
            data["kind"] = .string(kind.rawValue)
            data["other"] = .string(other)
        case .merge(let other): data["into"] = .string(other)
        case .split(let other, let findings, let entities):
            data["into"] = .string(other)
            data["findings"] = .array(findings.map { .string($0) })
            // One field for each, so that an erasure blanks one.
            for (index, entity) in entities.enumerated() {
                guard let subject = entity.subject, let value = entity.value else { continue }
                personal.append(
                    PersonalField(name: "\(entity.kind.rawValue).\(index)", subjects: [subject], value: .string(value)))
            }
        case .milestone(let milestone): data["milestone"] = .string(milestone.rawValue)
        case .pauseClock(let clock), .resumeClock(let clock): data.set(clock, "clock")
        }
        personal += author.seal(text, as: "text", data: &data)
        return EntryDraft(type: action.entryType, occurredAt: at, actor: author.id, data: data, personal: personal)
    }

    /// `nil` for entries about other things.
    init?(_ entry: Entry, personal: [String: JSONValue?]) {
        guard let incident = entry.data["incident"]?.stringValue, let action = Action(entry, personal: personal) else {
            return nil
        }
        self.init(
            incident: incident, at: entry.occurredAt, author: Author(entry, personal: personal), action: action,
            text: entry.data["text"]?.stringValue ?? personal.text("text"), request: entry.data["request"]?.stringValue)
    }
}

extension IncidentChange.Action {
    fileprivate var entryType: String {
        switch self {
        case .acknowledge: "incident.acknowledged"
        case .phase: "incident.phase_changed"
        case .close: "incident.closed"
        case .reopen: "incident.reopened"
        case .note: "incident.noted"
        case .statusUpdate: "incident.update_sent"
        case .say: "incident.said"
        case .assign: "incident.role_assigned"
        case .release: "incident.role_released"
        case .addEntity: "incident.entity_added"
        case .affected: "incident.affected"
        case .trafficLight: "incident.tlp_changed"
        case .restrict: "incident.restricted"
        case .unrestrict: "incident.unrestricted"
        case .link: "incident.linked"
        case .unlink: "incident.unlinked"
        case .merge: "incident.merged"
        case .split: "incident.split"
        case .milestone: "incident.milestone"
        case .pauseClock: "clock.paused"
        case .resumeClock: "clock.resumed"
        }
    }

    fileprivate init?(_ entry: Entry, personal: [String: JSONValue?]) {
        let data = entry.data
        let text = { (name: String) in data[name]?.stringValue }
        switch entry.type {
        case "incident.acknowledged": self = .acknowledge
        case "incident.phase_changed":
            guard let from = text("from").flatMap(Phase.init(rawValue:)), let to = text("to").flatMap(Phase.init(rawValue:))
            else { return nil }
            self = .phase(from: from, to: to)
        case "incident.closed":
            guard let from = text("from").flatMap(Phase.init(rawValue:)),
                let how = text("resolution").flatMap(Resolution.init(rawValue:))
            else { return nil }
            self = .close(from: from, resolution: how)
        case "incident.reopened": self = .reopen
        case "incident.noted": self = .note
        case "incident.update_sent": self = .statusUpdate
        case "incident.said": self = .say
        case "incident.role_assigned", "incident.role_released":
            guard let role = text("role") else { return nil }
            let person = personal.text("person")
            self =
                entry.type == "incident.role_assigned"
                ? .assign(role: role, person: person) : .release(role: role, person: person)
        case "incident.entity_added":
            guard let kind = text("kind").flatMap(IncidentEntity.Kind.init(rawValue:)) else { return nil }
            self = .addEntity(IncidentEntity(kind: kind, value: personal.text("entity")))
        case "incident.affected":
            self = .affected(users: data["users"]?.integerValue.map { Int(clamping: $0) }, data: data.texts("data"))
        case "incident.tlp_changed":
            guard let light = text("tlp").flatMap({ TrafficLight($0) }) else { return nil }
            self = .trafficLight(light)
        case "incident.restricted": self = .restrict(readers: data.texts("readers"))
        case "incident.unrestricted": self = .unrestrict
        case "incident.linked", "incident.unlinked":
            guard let kind = text("kind").flatMap(LinkKind.init(rawValue:)), let other = text("other") else { return nil }
            self = entry.type == "incident.linked" ? .link(kind, to: other) : .unlink(kind, to: other)
        case "incident.merged":
            guard let other = text("into") else { return nil }
            self = .merge(into: other)
        case "incident.split":
            guard let other = text("into") else { return nil }
            let entities = personal.keys.compactMap { name -> (Int, IncidentEntity)? in
                let parts = name.split(separator: ".")
                guard parts.count == 2, let index = Int(parts[1]), let kind = IncidentEntity.Kind(rawValue: String(parts[0]))
                else { return nil }
                return (index, IncidentEntity(kind: kind, value: personal.text(name)))
            }
            self = .split(
                into: other, findings: data.texts("findings"), entities: entities.sorted { $0.0 < $1.0 }.map(\.1))
        case "incident.milestone":
            guard let milestone = text("milestone").flatMap({ Milestone(rawValue: $0) }) else { return nil }
            self = .milestone(milestone)
        case "clock.paused": self = .pauseClock(text("clock"))
        case "clock.resumed": self = .resumeClock(text("clock"))
        default: return nil
        }
    }
}

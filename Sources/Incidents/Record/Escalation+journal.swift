import Events
import Journal

extension ClockMissed {
    func draft() -> EntryDraft {
        EntryDraft(
            type: "clock.missed", occurredAt: at, actor: "system",
            data: [
                "incident": .string(incident), "key": .string(key), "clock": .string(clock), "due": .string(due.rfc3339),
            ])
    }

    init?(_ entry: Entry) {
        let data = entry.data
        guard let incident = data["incident"]?.stringValue, let key = data["key"]?.stringValue,
            let clock = data["clock"]?.stringValue, let due = data["due"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        self.init(incident: incident, key: key, clock: clock, due: due, at: entry.occurredAt)
    }
}

/// Who is paged, and under which address, is personal; which step of which policy it was is not.
extension PageEvent {
    func draft() -> EntryDraft {
        var data: [String: JSONValue] = ["incident": .string(incident), "key": .string(key)]
        var personal: [PersonalField] = []
        let type: String
        switch what {
        case .intended(let intent):
            type = "page.intended"
            data["cycle"] = .integer(Int64(intent.cycle))
            data["purpose"] = .string(intent.purpose.rawValue)
            data["step"] = .string(intent.step)
            data["target"] = .string(intent.target)
            data["channel"] = .string(intent.channel)
            if let person = intent.person {
                let subjects = [Subject(kind: .user, value: person)]
                personal.append(PersonalField(name: "person", subjects: subjects, value: .string(person)))
                if let address = intent.address {
                    personal.append(PersonalField(name: "address", subjects: subjects, value: .string(address)))
                }
            }
        case .attempted(let number, let digest):
            type = "page.attempted"
            data["attempt"] = .integer(Int64(number))
            data["digest"] = digest.map { .string($0) }
        case .sent(let number, let thread):
            type = "page.sent"
            data["attempt"] = .integer(Int64(number))
            data["thread"] = thread.map { .string($0) }
        case .failed(let number, let reason, let retryAt):
            type = "page.failed"
            data["attempt"] = .integer(Int64(number))
            data["reason"] = .string(reason)
            data["retry_at"] = retryAt.map { .string($0.rfc3339) }
        case .dead(let number, let reason):
            type = "page.dead"
            data["attempt"] = .integer(Int64(number))
            data["reason"] = .string(reason)
        case .cancelled(let reason):
            type = "page.cancelled"
            data["reason"] = .string(reason)
        }
        return EntryDraft(type: type, occurredAt: at, actor: "system", data: data, personal: personal)
    }

    init?(_ entry: Entry, personal: [String: JSONValue?]) {
        let data = entry.data
        guard entry.type.hasPrefix("page."), let incident = data["incident"]?.stringValue, let key = data["key"]?.stringValue,
            let what = What(entry, incident: incident, key: key, personal: personal)
        else { return nil }
        self.init(incident: incident, key: key, at: entry.occurredAt, what: what)
    }
}

extension PageEvent.What {
    fileprivate init?(_ entry: Entry, incident: String, key: String, personal: [String: JSONValue?]) {
        let data = entry.data
        let text = { (name: String) in data[name]?.stringValue }
        let number = data["attempt"]?.integerValue.map { Int(clamping: $0) }
        switch (entry.type, number) {
        case ("page.intended", _):
            guard let cycle = data["cycle"]?.integerValue, let step = text("step"), let target = text("target"),
                let purpose = text("purpose").flatMap(PageIntent.Purpose.init(rawValue:)), let channel = text("channel")
            else { return nil }
            var intent = PageIntent(
                key: key, incident: incident, cycle: Int(clamping: cycle), purpose: purpose, step: step, target: target,
                channel: channel, person: personal.text("person"), address: personal.text("address"))
            intent.isErased = personal.isErased("person")
            self = .intended(intent)
        case ("page.attempted", let number?): self = .attempted(number: number, digest: text("digest"))
        case ("page.sent", let number?): self = .sent(number: number, thread: text("thread"))
        case ("page.failed", let number?):
            self = .failed(
                number: number, reason: text("reason") ?? "", retryAt: text("retry_at").flatMap { Timestamp(rfc3339: $0) })
        case ("page.dead", let number?): self = .dead(number: number, reason: text("reason") ?? "")
        case ("page.cancelled", _): self = .cancelled(reason: text("reason") ?? "")
        default: return nil
        }
    }
}

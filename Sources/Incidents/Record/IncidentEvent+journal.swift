import Events
package import Journal

/// How incident events are written to the journal and read from it. Addresses, account names and log lines are
/// personal: they are sealed under the keys of everybody they are about.
extension IncidentEvent {
    package func draft() -> EntryDraft {
        switch self {
        case .opened(let opened): return opened.draft()
        case .severityChanged(let change): return change.draft()
        case .findingRecorded(let finding): return finding.draft()
        case .changed(let change): return change.draft()
        case .clockMissed(let missed): return missed.draft()
        case .page(let page): return page.draft()
        }
    }

    /// The event that an entry holds; `nil` for entries about other things.
    ///
    /// - Parameter personal: the entry's personal fields as `EntryOpener` gives them.
    package init?(_ entry: Entry, personal: [String: JSONValue?]) {
        switch entry.type {
        case "incident.opened":
            guard let opened = IncidentOpened(entry, personal: personal) else { return nil }
            self = .opened(opened)
        case "incident.severity_changed":
            guard let change = SeverityChange(entry, personal: personal) else { return nil }
            self = .severityChanged(change)
        case "finding.recorded":
            guard let finding = FindingRecord(entry, personal: personal) else { return nil }
            self = .findingRecorded(finding)
        case "clock.missed":
            guard let missed = ClockMissed(entry) else { return nil }
            self = .clockMissed(missed)
        default:
            if let change = IncidentChange(entry, personal: personal) {
                self = .changed(change)
            } else if let page = PageEvent(entry, personal: personal) {
                self = .page(page)
            } else {
                return nil
            }
        }
    }
}

extension IncidentOpened {
    fileprivate func draft() -> EntryDraft {
        var data: [String: JSONValue] = ["incident": .string(incident), "severity": .string(severity.code)]
        if kind != .real { data["kind"] = .string(kind.rawValue) }
        data.set(request, "request")
        let subjects = author.subjects
        if subjects.isEmpty {
            data["title"] = .string(title)
            return EntryDraft(type: "incident.opened", occurredAt: firstSeen, actor: author.id, data: data)
        }
        // What a person writes may be about people.
        return EntryDraft(
            type: "incident.opened", occurredAt: firstSeen, actor: author.id, data: data,
            personal: author.fields + [PersonalField(name: "title", subjects: subjects, value: .string(title))])
    }

    fileprivate init?(_ entry: Entry, personal: [String: JSONValue?]) {
        let data = entry.data
        guard let incident = data["incident"]?.stringValue, let severity = data["severity"]?.stringValue.flatMap(Severity.init)
        else { return nil }
        self.init(
            incident: incident, title: data["title"]?.stringValue ?? personal.text("title") ?? "(erased)", severity: severity,
            firstSeen: entry.occurredAt, kind: data["kind"]?.stringValue.flatMap(IncidentKind.init) ?? .real,
            author: Author(entry, personal: personal), request: data["request"]?.stringValue)
    }
}

extension SeverityChange {
    fileprivate func draft() -> EntryDraft {
        var data: [String: JSONValue] = [
            "incident": .string(incident), "from": .string(from.code), "to": .string(to.code),
        ]
        data.set(request, "request")
        let personal = author.seal(reason, as: "reason", data: &data)
        return EntryDraft(type: "incident.severity_changed", occurredAt: at, actor: author.id, data: data, personal: personal)
    }

    fileprivate init?(_ entry: Entry, personal: [String: JSONValue?]) {
        let data = entry.data
        guard let incident = data["incident"]?.stringValue, let from = data["from"]?.stringValue.flatMap(Severity.init),
            let to = data["to"]?.stringValue.flatMap(Severity.init)
        else { return nil }
        self.init(
            incident: incident, from: from, to: to, reason: data["reason"]?.stringValue ?? personal.text("reason"),
            at: entry.occurredAt, author: Author(entry, personal: personal), request: data["request"]?.stringValue)
    }
}

extension FindingRecord {
    fileprivate func draft() -> EntryDraft {
        var subjects: [Subject] = []
        if let address { subjects.append(FindingRecord.subject(address: address)) }
        for other in otherAddresses where other != address { subjects.append(FindingRecord.subject(address: other)) }
        if let user { subjects.append(Subject(kind: .user, value: user)) }
        var personal: [PersonalField] = []
        if let address {
            personal.append(
                PersonalField(name: "source.ip", subjects: [FindingRecord.subject(address: address)], value: .string(address)))
        }
        if let user {
            personal.append(PersonalField(name: "user.name", subjects: [Subject(kind: .user, value: user)], value: .string(user)))
        }
        if !otherAddresses.isEmpty {
            personal.append(
                PersonalField(
                    name: "related.ip", subjects: otherAddresses.map(FindingRecord.subject),
                    value: .array(otherAddresses.map { .string($0) })))
        }
        let texts = evidence.map { line in line.text.map { JSONValue.string($0) } ?? .null }
        var data: [String: JSONValue] = [
            "id": .string(id), "grouping": .string(grouping),
            "rule": ["id": .string(ruleID), "title": .string(ruleTitle), "hash": .string(ruleHash), "level": .string(level)],
            "category": .string(category), "severity": .string(severity.code), "attack": .array(techniques.map { .string($0) }),
            "count": .integer(Int64(count)), "first_seen": .string(firstSeen.rfc3339), "last_seen": .string(lastSeen.rfc3339),
            "evidence": .array(
                evidence.map {
                    ["file": .string($0.file), "line": .integer(Int64($0.line)), "offset": .integer(Int64($0.offset))]
                }),
        ]
        if isLowerBound { data["count_is_lower_bound"] = true }
        data.set(incident, "incident")
        data.set(silence, "silence")
        data.set(ratedByRisk?.code, "rated")
        if texts.contains(where: { $0 != .null }) {
            if subjects.isEmpty {
                // Nobody is known whom the lines are about: they are kept as they are.
                data["lines"] = .array(texts)
            } else {
                personal.append(PersonalField(name: "lines", subjects: subjects, value: .array(texts)))
            }
        }
        return EntryDraft(type: "finding.recorded", occurredAt: time, actor: "system", data: data, personal: personal)
    }

    /// An address as a subject: IPv6 by its /64, which is what one household or site has.
    private static func subject(address: String) -> Subject {
        Subject(kind: .ip, value: IPAddress(address)?.prefix.description ?? address)
    }

    fileprivate init?(_ entry: Entry, personal: [String: JSONValue?]) {
        let data = entry.data
        let (incident, silence) = (data["incident"]?.stringValue, data["silence"]?.stringValue)
        guard let id = data["id"]?.stringValue, incident != nil || silence != nil, let rule = data["rule"],
            let ruleID = rule["id"]?.stringValue, let title = rule["title"]?.stringValue,
            let severity = data["severity"]?.stringValue.flatMap(Severity.init),
            let first = data["first_seen"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let last = data["last_seen"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        let opened = { (name: String) in personal[name].flatMap { $0 } }
        let isErased = { (name: String) in personal[name].map { $0 == nil } ?? false }
        var erased: Set<IncidentEntity.Kind> = []
        if isErased("source.ip") || isErased("related.ip") { erased.insert(.address) }
        if isErased("user.name") { erased.insert(.account) }
        let texts = (opened("lines") ?? data["lines"])?.arrayValue ?? []
        let evidence = (data["evidence"]?.arrayValue ?? []).enumerated().map { index, line in
            EvidenceLine(
                file: line["file"]?.stringValue ?? "", line: Int(line["line"]?.integerValue ?? 0),
                offset: Int(line["offset"]?.integerValue ?? 0), text: index < texts.count ? texts[index].stringValue : nil)
        }
        self.init(
            id: id, ruleID: ruleID, ruleTitle: title, ruleHash: rule["hash"]?.stringValue ?? "",
            level: rule["level"]?.stringValue ?? "",
            category: data["category"]?.stringValue ?? "other", severity: severity,
            techniques: (data["attack"]?.arrayValue ?? []).compactMap(\.stringValue),
            count: Int(data["count"]?.integerValue ?? 1),
            time: entry.occurredAt, firstSeen: first, lastSeen: last, address: opened("source.ip")?.stringValue,
            user: opened("user.name")?.stringValue,
            otherAddresses: (opened("related.ip")?.arrayValue ?? []).compactMap(\.stringValue),
            evidence: evidence, incident: incident, grouping: data["grouping"]?.stringValue ?? "",
            erased: erased, isLowerBound: data["count_is_lower_bound"]?.boolValue ?? false,
            ratedByRisk: data["rated"]?.stringValue.flatMap(Severity.init), silence: silence)
    }
}

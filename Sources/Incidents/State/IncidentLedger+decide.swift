package import Events

extension IncidentLedger {
    /// What is to be recorded when an order is carried out: all of it, or none.
    ///
    /// - Parameters:
    ///   - policies: which roles and clocks there are.
    ///   - now: the present; nothing can have been done after it.
    /// - Returns: nothing where the order was carried out before, under the same request.
    package func decide(
        _ order: IncidentOrder, policies: Policies, now: Timestamp
    ) throws(IncidentRefusal) -> [IncidentEvent] {
        if let request = order.request, knows(request: request) { return [] }
        guard order.request?.jsonByteCount ?? 0 <= FindingRecord.maximumNameBytes else {
            throw IncidentRefusal(.invalid, "the id of the request is very long", "choose one of 512 bytes at most")
        }
        let incident = try known(order.incident, to: order.author)
        try checkText(order)
        guard order.at <= now, order.at >= incident.cycleStart || order.verb == .note else {
            throw IncidentRefusal(
                .invalid, "\(order.at.rfc3339) is not between the opening of \(incident.id) and now",
                "give the time at which it was done, or leave it out for now")
        }
        if let other = incident.mergedInto, order.verb != .note {
            throw IncidentRefusal(.notAllowed, "\(incident.id) was merged into \(other)", "do it to \(other)")
        }
        if case .severity(let severity) = order.verb { return [try severityChange(severity, incident, order)] }
        let events = try action(order, incident, policies: policies, now: now)
        return events
    }

    /// The incident, where there is one that the author may know of. Of any other, it is not said which of the two it is.
    private func known(_ id: String, to author: Author) throws(IncidentRefusal) -> IncidentState {
        guard let incident = self[id],
            !author.isAccount || incident.isReadable(by: author.id, named: author.name ?? "")
        else {
            throw IncidentRefusal(
                .unknownIncident, "there is no incident \(id)", "`vigie incidents list` shows those there are")
        }
        return incident
    }

    private func checkText(_ order: IncidentOrder) throws(IncidentRefusal) {
        let text = order.text?.drop { $0.isWhitespace } ?? ""
        if text.isEmpty, let what = order.verb.needsText {
            throw IncidentRefusal(.invalid, "\(what) is missing", "say it in a few words")
        }
        if let text = order.text, text.jsonByteCount > IncidentChange.maximumTextBytes {
            throw IncidentRefusal(
                .invalid, "the text has \(text.jsonByteCount) bytes; \(IncidentChange.maximumTextBytes) are the most",
                "shorten it, or add it as evidence: `vigie evidence add`")
        }
    }

    /// A list has to fit into one entry of the journal.
    private func isBounded(_ list: [String]) -> Bool {
        list.count <= IncidentChange.maximumListed
            && list.allSatisfy { $0.jsonByteCount <= FindingRecord.maximumNameBytes }
            && list.reduce(0) { $0 + $1.jsonByteCount } <= IncidentChange.maximumTextBytes
    }

    private func severityChange(
        _ severity: Severity, _ incident: IncidentState, _ order: IncidentOrder
    ) throws(IncidentRefusal) -> IncidentEvent {
        guard !incident.isClosed else { throw .closed(incident) }
        guard severity != incident.severity else {
            throw IncidentRefusal(.alreadyDone, "\(incident.id) is \(severity.code) already", "there is nothing to do")
        }
        return .severityChanged(
            SeverityChange(
                incident: incident.id, from: incident.severity, to: severity, reason: order.text, at: order.at,
                author: order.author, request: order.request))
    }

    private func action(
        _ order: IncidentOrder, _ incident: IncidentState, policies: Policies, now: Timestamp
    ) throws(IncidentRefusal) -> [IncidentEvent] {
        let recorded = { (action: IncidentChange.Action) -> [IncidentEvent] in
            [
                .changed(
                    IncidentChange(
                        incident: incident.id, at: order.at, author: order.author, action: action, text: order.text,
                        request: order.request))
            ]
        }
        switch order.verb {
        case .severity: return []
        case .acknowledge:
            guard !incident.isClosed else { throw .closed(incident) }
            if let author = incident.acknowledgedBy {
                throw IncidentRefusal(
                    .alreadyDone, "\(incident.id) was acknowledged by \(author.label) already", "there is nothing to do")
            }
            return recorded(.acknowledge)
        case .phase(let phase): return recorded(try phaseChange(to: phase, incident))
        case .close(let resolution): return recorded(try closing(resolution, incident))
        case .reopen:
            guard incident.isClosed else {
                throw IncidentRefusal(.alreadyDone, "\(incident.id) is open", "there is nothing to do")
            }
            return recorded(.reopen)
        case .note: return recorded(.note)
        case .statusUpdate:
            guard !incident.isClosed else { throw .closed(incident) }
            return recorded(.statusUpdate)
        case .say:
            guard !incident.isClosed else { throw .closed(incident) }
            return recorded(.say)
        case .assign(let role, let person):
            try policies.roles.check(role: role)
            try incident.checkAssignment(role, person, isThere: false)
            return recorded(.assign(role: role, person: person))
        case .release(let role, let person):
            try incident.checkAssignment(role, person, isThere: true)
            return recorded(.release(role: role, person: person))
        case .addEntity(let entity):
            guard let value = entity.value, !value.isEmpty, value.jsonByteCount <= FindingRecord.maximumNameBytes else {
                throw IncidentRefusal(.invalid, "the entity has no name, or a very long one", "name an address or an account")
            }
            return recorded(.addEntity(entity))
        case .affected(let users, let data):
            guard (users ?? 0) >= 0, isBounded(data) else {
                throw IncidentRefusal(.invalid, "that is no number of users, or no list of data", "give 0 or more")
            }
            return recorded(.affected(users: users, data: data))
        case .trafficLight(let light): return recorded(.trafficLight(light))
        case .restrict(let readers):
            guard !readers.isEmpty, isBounded(readers) else {
                throw IncidentRefusal(
                    .invalid, "a restricted incident needs 1 to \(IncidentChange.maximumListed) readers", "name the accounts")
            }
            return recorded(.restrict(readers: readers)) + absorbed(by: incident, .restrict(readers: readers), order)
        case .unrestrict:
            guard incident.isRestricted else {
                throw IncidentRefusal(.alreadyDone, "\(incident.id) is not restricted", "there is nothing to do")
            }
            return recorded(.unrestrict) + absorbed(by: incident, .unrestrict, order)
        case .link(let kind, let other):
            try checkOther(other, of: incident, order)
            guard !incident.links.contains(IncidentState.Link(kind: kind, incident: other)) else {
                throw IncidentRefusal(.alreadyDone, "\(incident.id) is linked to \(other) already", "there is nothing to do")
            }
            return recorded(.link(kind, to: other))
        case .unlink(let kind, let other):
            guard incident.links.contains(IncidentState.Link(kind: kind, incident: other)) else {
                throw IncidentRefusal(.notAllowed, "\(incident.id) has no such link to \(other)", "see its links")
            }
            return recorded(.unlink(kind, to: other))
        case .merge(let other): return try merge(into: other, incident, order) + recorded(.merge(into: other))
        case .split(let title, let findings, let entities):
            return try split(title: title, findings: findings, entities: entities, incident, order, now: now)
        case .milestone(let milestone):
            guard Milestone.stated.contains(milestone), incident.milestones[milestone] == nil else {
                throw IncidentRefusal(
                    .notAllowed, "\(milestone.rawValue) was stated before, or follows from something else",
                    "there is nothing to do")
            }
            return recorded(.milestone(milestone))
        case .pauseClock(let clock):
            guard !incident.isClosed else { throw .closed(incident) }
            if let clock { try policies.clocks.check(clock: clock) }
            guard !incident.pauses.contains(where: { $0.clock == clock && $0.until == nil }) else {
                throw IncidentRefusal(.alreadyDone, "that clock stands still already", "there is nothing to do")
            }
            return recorded(.pauseClock(clock))
        case .resumeClock(let clock):
            guard let pause = incident.pauses.last(where: { $0.clock == clock && $0.until == nil }) else {
                throw IncidentRefusal(.notAllowed, "that clock does not stand still", "see the clocks of \(incident.id)")
            }
            guard order.at >= pause.from else {
                throw IncidentRefusal(.invalid, "the pause began only at \(pause.from.rfc3339)", "give a later time")
            }
            return recorded(.resumeClock(clock))
        }
    }

    private func phaseChange(to phase: Phase, _ incident: IncidentState) throws(IncidentRefusal) -> IncidentChange.Action {
        guard phase != incident.phase else {
            throw IncidentRefusal(.alreadyDone, "\(incident.id) is in \(phase.rawValue) already", "there is nothing to do")
        }
        guard incident.phase.successors.contains(phase) else {
            let names = incident.phase.successors.map(\.rawValue).joined(separator: " or ")
            let advice =
                incident.isClosed
                ? "reopen it first"
                : phase == .closed ? "close it, which asks for a resolution" : "from there it may go to \(names)"
            throw IncidentRefusal(
                .notAllowed, "\(incident.id) cannot go from \(incident.phase.rawValue) to \(phase.rawValue)", advice)
        }
        return .phase(from: incident.phase, to: phase)
    }

    private func closing(_ resolution: Resolution, _ incident: IncidentState) throws(IncidentRefusal) -> IncidentChange.Action {
        guard !incident.isClosed else { throw .closed(incident) }
        guard resolution.closable.contains(incident.phase) else {
            let phases = resolution.closable.map(\.rawValue).joined(separator: ", ")
            throw IncidentRefusal(
                .notAllowed, "\(incident.id) cannot be closed as \(resolution.rawValue) in \(incident.phase.rawValue)",
                "that can be done in \(phases); change the phase first")
        }
        return .close(from: incident.phase, resolution: resolution)
    }

    @discardableResult
    private func checkOther(
        _ other: String, of incident: IncidentState, _ order: IncidentOrder
    ) throws(IncidentRefusal) -> IncidentState {
        guard other != incident.id else {
            throw IncidentRefusal(.invalid, "\(other) is the incident itself", "name another one")
        }
        return try known(other, to: order.author)
    }

    /// Who may know of an incident may know of those that were merged into it, and nobody else.
    private func absorbed(
        by incident: IncidentState, _ action: IncidentChange.Action, _ order: IncidentOrder
    ) -> [IncidentEvent] {
        incident.absorbed.map {
            .changed(IncidentChange(incident: $0, at: order.at, author: order.author, action: action, text: order.text))
        }
    }

    /// What the other incident becomes by a merge.
    private func merge(
        into other: String, _ incident: IncidentState, _ order: IncidentOrder
    ) throws(IncidentRefusal) -> [IncidentEvent] {
        let target = try checkOther(other, of: incident, order)
        guard !incident.isClosed else { throw .closed(incident) }
        guard !target.isClosed, target.mergedInto == nil else {
            throw IncidentRefusal(.notAllowed, "\(other) is closed", "merge into one that is open, or reopen it first")
        }
        guard target.readers.map(Set.init) == incident.readers.map(Set.init) else {
            throw IncidentRefusal(
                .notAllowed, "\(incident.id) and \(other) are not for the same readers",
                "restrict both to the same first: a merge shows the findings of one to the readers of the other")
        }
        guard incident.severity > target.severity else { return [] }
        return [
            .severityChanged(
                SeverityChange(
                    incident: other, from: target.severity, to: incident.severity,
                    reason: "\(incident.id), merged into it, is of that severity", at: order.at))
        ]
    }

    private func split(
        title: String, findings: [String], entities: [IncidentEntity], _ incident: IncidentState, _ order: IncidentOrder,
        now: Timestamp
    ) throws(IncidentRefusal) -> [IncidentEvent] {
        guard !incident.isClosed else { throw .closed(incident) }
        let unique = Set(findings)
        guard !unique.isEmpty, unique.count == findings.count, findings.count < incident.findingCount,
            isBounded(findings), isBounded(entities.compactMap(\.value))
        else {
            throw IncidentRefusal(
                .invalid, "\(findings.count) of \(incident.findingCount) findings cannot be split off",
                "name each once, at most \(IncidentChange.maximumListed), and leave at least one")
        }
        guard findings.allSatisfy(book.knows) else {
            throw IncidentRefusal(.invalid, "one of these findings is not known", "see `vigie incidents show \(incident.id)`")
        }
        let new = book.nextIncidentID(openedAt: now)
        return [
            .opened(
                IncidentOpened(
                    incident: new, title: title.cut(toJSONBytes: FindingRecord.maximumNameBytes), severity: incident.severity,
                    firstSeen: incident.firstSeen, kind: incident.kind, author: order.author)),
            .changed(
                IncidentChange(
                    incident: incident.id, at: order.at, author: order.author,
                    action: .split(into: new, findings: findings, entities: entities), text: order.text, request: order.request)),
        ]
            + (incident.readers.map {
                [.changed(IncidentChange(incident: new, at: order.at, author: order.author, action: .restrict(readers: $0)))]
            } ?? [])
    }

    /// An incident that a person opens.
    package func open(
        title: String, severity: Severity, kind: IncidentKind, author: Author, request: String?, now: Timestamp
    ) throws(IncidentRefusal) -> [IncidentEvent] {
        if let request, knows(request: request) { return [] }
        guard title.contains(where: { !$0.isWhitespace }), title.jsonByteCount <= FindingRecord.maximumNameBytes else {
            throw IncidentRefusal(
                .invalid, "the title is missing, or longer than \(FindingRecord.maximumNameBytes) bytes", "say it in a few words")
        }
        return [
            .opened(
                IncidentOpened(
                    incident: book.nextIncidentID(openedAt: now), title: title, severity: severity, firstSeen: now, kind: kind,
                    author: author, request: request))
        ]
    }
}

extension IncidentOrder.Verb {
    /// What its text is, where there has to be one.
    fileprivate var needsText: String? {
        switch self {
        case .note: "the note"
        case .statusUpdate: "the update"
        case .say: "the message"
        case .severity, .close, .reopen, .pauseClock, .merge, .split, .unlink, .unrestrict: "the reason"
        default: nil
        }
    }
}

extension IncidentState {
    fileprivate func checkAssignment(_ role: String, _ person: String, isThere: Bool) throws(IncidentRefusal) {
        guard !person.isEmpty, person.utf8.count <= 64 else {
            throw IncidentRefusal(.invalid, "that is no account name", "name an account")
        }
        guard roles.contains(RoleAssignment(role: role, person: person)) == isThere else {
            throw IncidentRefusal(
                .alreadyDone,
                "\(person) \(isThere ? "does not have" : "has") the role \(role) in \(id)\(isThere ? "" : " already")",
                "there is nothing to do")
        }
    }
}

extension IncidentRefusal {
    fileprivate static func closed(_ incident: IncidentState) -> IncidentRefusal {
        IncidentRefusal(.notAllowed, "\(incident.id) is closed", "reopen it first")
    }
}

package import Events

/// One page of an escalation: when it is due, and to whom it goes by what is known now.
package struct PlannedPage: Sendable, Equatable {
    package var at: Timestamp
    package var intent: PageIntent
}

/// What escalation wants: pure, of an incident's state, the policies and the present.
package enum EscalationPlan {
    /// Attempts at one page before it is given up.
    package static let maximumAttempts = 10

    /// Seconds to wait after a failed attempt: doubling from 15, an hour at most.
    package static func backOff(attempt: Int) -> Int64 {
        min(15 << Int64(min(max(attempt, 1) - 1, 8)), 3600)
    }

    /// Every page that the incident's policy foresees from now to its end, whoever is on call by then.
    package static func pages(of incident: IncidentState, _ policies: Policies) -> [PlannedPage] {
        guard let route = policies.escalation.routes[incident.severity], let steps = policies.escalation.policies[route],
            incident.kind == .real || incident.kind == .drill
        else { return [] }
        let entry = Self.entry(of: incident, to: route, policies)
        var time = entry.start
        var pages: [PlannedPage] = []
        for step in steps {
            for target in step.targets {
                let prefix = "\(entry.prefix)\(step.name)/\(target.text)"
                pages += intents(
                    for: target, prefix: prefix, incident, purpose: .page, step: step.name, policies, at: time
                ).map { PlannedPage(at: time, intent: $0) }
            }
            time = time.advanced(bySeconds: step.answersWithin)
        }
        return pages
    }

    /// How the incident came to the route in force.
    private struct Entry {
        var start: Timestamp
        /// What its pages' keys begin with: other than those of any earlier time on the same route.
        var prefix: String
    }

    /// When the route in force began: with the cycle, or with the severity that leads to it; and for which time in this cycle.
    private static func entry(of incident: IncidentState, to route: String, _ policies: Policies) -> Entry {
        // The last severity of the cycle before is in force when a cycle begins.
        let earlier = max(0, (incident.pastCycles.last?.severityCount ?? 0) - 1)
        var start = incident.cycleStart
        var times = 0
        var last: String?
        for step in incident.severities.dropFirst(earlier) {
            let next = policies.escalation.routes[step.severity]
            if next == route, last != route {
                times += 1
                start = max(step.recordedAt, incident.cycleStart)
            }
            last = next
        }
        let name = times > 1 ? "\(route)(\(times))" : route
        return Entry(start: start, prefix: "\(incident.id)/\(incident.cycle)/\(name).")
    }

    /// One for each way in which the target can be told.
    static func intents(
        for target: PageTarget, prefix: String, _ incident: IncidentState, purpose: PageIntent.Purpose, step: String,
        _ policies: Policies, at time: Timestamp
    ) -> [PageIntent] {
        let intent = { (channel: String, person: String?, address: String?) in
            PageIntent(
                key: "\(prefix)/\(channel)", incident: incident.id, cycle: incident.cycle, purpose: purpose, step: step,
                target: target.text, channel: channel, person: person, address: address)
        }
        let person: String?
        switch target.kind {
        case .channel: return [intent(target.name, nil, nil)]
        case .person: person = target.name
        case .rotation: person = policies.onCall.rotations[target.name]?.person(at: time)
        }
        guard let person, let contacts = policies.onCall.people[person]?.contacts else { return [] }
        return contacts.map { intent($0.channel, person, $0.address) }
    }

    /// What is to be recorded now: pages that are due and not yet intended, and the end of those that are not needed any more.
    package static func events(for incident: IncidentState, _ policies: Policies, now: Timestamp) -> [PageEvent] {
        var events: [PageEvent] = []
        let record = { (key: String, what: PageEvent.What) in
            PageEvent(incident: incident.id, key: key, at: now, what: what)
        }
        let known = incident.pages.values.sorted { $0.intent.key < $1.intent.key }
        for page in known where page.status == .waiting {
            guard let reason = reasonToCancel(page.intent, incident, policies) else { continue }
            events.append(record(page.intent.key, .cancelled(reason: reason)))
        }
        if reasonToStop(incident) != nil {
            for page in known where page.intent.purpose == .page {
                if let stop = stop(page, incident, policies) { events.append(record(stop.key, .intended(stop))) }
            }
        } else {
            for page in pages(of: incident, policies) where page.at <= now && incident.pages[page.intent.key] == nil {
                events.append(record(page.intent.key, .intended(page.intent)))
            }
        }
        return events + reminders(for: incident, policies, now: now, record) + roomEvents(for: incident, policies, now: now)
    }

    /// Why a page is not wanted any more, by what is known now; `nil` while it is. Asked again at the last moment before each attempt.
    package static func reasonToCancel(_ page: PageIntent, _ incident: IncidentState, _ policies: Policies) -> String? {
        switch page.purpose {
        // Containment that failed has to be known, whoever works on the incident.
        case .stop, .containment: return nil
        case .room: return reasonNotToPost(page, incident, policies)
        case .page:
            if let reason = reasonToStop(incident) { return reason }
            if page.cycle != incident.cycle { return "the incident was opened again" }
            guard let route = policies.escalation.routes[incident.severity],
                page.key.hasPrefix(entry(of: incident, to: route, policies).prefix)
            else { return "the severity leads to other people now" }
            guard pages(of: incident, policies).contains(where: { $0.intent.key == page.key }) else {
                return "the policies foresee it no more"
            }
            return nil
        case .clock:
            if page.cycle != incident.cycle { return "the incident was opened again" }
            let place = "/\(page.target)/\(page.channel)"
            return page.key.hasSuffix(place) ? reasonNotToRemind(String(page.key.dropLast(place.count)), incident, policies) : nil
        }
    }

    /// Why nobody is told of a clock that was missed, by its key.
    private static func reasonNotToRemind(_ key: String, _ incident: IncidentState, _ policies: Policies) -> String? {
        if incident.mergedInto != nil { return "the incident was merged" }
        let parts = key.split(separator: "/")
        guard parts.count >= 3, let clock = policies.clocks.clocks.first(where: { $0.id == parts[2] }) else { return nil }
        // The clock after closing tells of itself; the others have nothing to say then.
        if incident.isClosed, clock.starts != .closed { return "the incident is closed" }
        if clock.repeats {
            let round = parts.count == 4 ? parts[3].split(separator: ".").first.flatMap { Int($0) } : nil
            return round.map { $0 < incident.updateCount } ?? false ? "it was done in the meantime" : nil
        }
        let run = parts.count == 4 ? Int(parts[3]) ?? 1 : 1
        let isOver = incident.milestones[clock.stops] != nil || run <= incident.setbacks[clock.stops]?.count ?? 0
        return isOver ? "it was done in the meantime" : nil
    }

    private static func reasonToStop(_ incident: IncidentState) -> String? {
        if incident.isClosed { return "the incident is closed" }
        return incident.isAcknowledged ? "the incident is acknowledged" : nil
    }

    /// PagerDuty goes on paging by itself until it is told.
    private static func stop(_ page: PageState, _ incident: IncidentState, _ policies: Policies) -> PageIntent? {
        let key = page.intent.key + PageIntent.stopSuffix
        // A page whose fate is not known may have arrived.
        guard page.attempts > 0, policies.channels.channels[page.intent.channel]?.kind == .pagerduty, incident.pages[key] == nil
        else { return nil }
        var stop = page.intent
        stop.key = key
        stop.purpose = .stop
        return stop
    }

    /// Clocks that were missed are told to those whom the policy names, until the incident is closed.
    private static func reminders(
        for incident: IncidentState, _ policies: Policies, now: Timestamp, _ record: (String, PageEvent.What) -> PageEvent
    ) -> [PageEvent] {
        guard incident.kind == .real || incident.kind == .drill else { return [] }
        let prefix = "\(incident.id)/\(incident.cycle)/"
        var events: [PageEvent] = []
        for (key, due) in incident.missed.sorted(by: { $0.key < $1.key }) where key.hasPrefix(prefix) {
            let name = key.dropFirst(prefix.count).prefix { $0 != "/" }
            guard let clock = policies.clocks.clocks.first(where: { $0.id == name }) else { continue }
            guard reasonNotToRemind(key, incident, policies) == nil else { continue }
            // What is to be done again and again, everybody is reminded of in the room.
            let room = clock.repeats ? roomChannels(of: incident, policies).map { PageTarget(kind: .channel, name: $0) } : []
            for target in clock.tells + room.filter({ here in !clock.tells.contains { $0.text == here.text } }) {
                for intent in intents(
                    for: target, prefix: "\(key)/\(target.text)", incident, purpose: .clock, step: clock.title, policies, at: due)
                where incident.pages[intent.key] == nil {
                    events.append(record(intent.key, .intended(intent)))
                }
            }
        }
        return events
    }

    /// When there is something to do next without anything happening.
    package static func nextWake(of incident: IncidentState, _ policies: Policies, now: Timestamp) -> Timestamp? {
        guard reasonToStop(incident) == nil else { return nil }
        return pages(of: incident, policies).filter { incident.pages[$0.intent.key] == nil }.map(\.at).min()
    }
}

package import Events

/// What a mail says, as far as an incident takes it; the mail itself is evidence.
package struct ReportedMail: Sendable, Equatable {
    /// Names it, and what it answers, the nearest first: made of Message-IDs, never the ids themselves.
    package var key: String
    package var answers: [String]
    package var title: String
    package var text: String
    package var author: Author

    package init(key: String, answers: [String], title: String, text: String, author: Author) {
        self.key = key
        self.answers = answers
        self.title = title
        self.text = text
        self.author = author
    }

    /// As a request of an order: the same mail taken twice is taken once.
    package var request: String { ReportedMail.request(key) }

    package static func request(_ key: String) -> String { "mail:\(key)" }
}

extension IncidentLedger {
    /// The incident of a mail that this one answers: one that was taken, or a page of Vigie's own.
    ///
    /// - Parameter pageKey: what the Message-ID of a page is known by.
    package func thread(of mail: ReportedMail, pageKey: (PageIntent) -> String) -> String? {
        for answered in mail.answers {
            if let incident = incident(ofRequest: ReportedMail.request(answered)) { return incident }
        }
        guard !mail.answers.isEmpty else { return nil }
        let answers = Set(mail.answers)
        let found = incidents.values.filter { $0.pages.values.contains { answers.contains(pageKey($0.intent)) } }.map(\.id).min()
        return found.map(current)
    }

    /// What a mail comes to: a note in the incident that it answers, or an incident of its own, in triage.
    package func take(
        _ mail: ReportedMail, severity: Severity, thread: String?, policies: Policies, now: Timestamp
    ) throws(IncidentRefusal) -> [IncidentEvent] {
        if knows(request: mail.request) { return [] }
        if let thread {
            let text = mail.text.isEmpty ? "(no text; the mail is in the evidence)" : mail.text
            let order = IncidentOrder(
                incident: thread, verb: .note, author: mail.author, at: now, text: text, request: mail.request)
            return try decide(order, policies: policies, now: now)
        }
        let opening = try open(
            title: mail.title, severity: severity, kind: .real, author: mail.author, request: mail.request, now: now)
        guard let id = opening.first?.incident else { return [] }
        var opened = self
        for event in opening { opened.apply(event, recordedAt: now) }
        let order = IncidentOrder(incident: id, verb: .phase(.triage), author: mail.author, at: now, text: nil, request: nil)
        var events = opening + (try opened.decide(order, policies: policies, now: now))
        guard !mail.text.isEmpty else { return events }
        for event in events.dropFirst(opening.count) { opened.apply(event, recordedAt: now) }
        events += try opened.decide(
            IncidentOrder(incident: id, verb: .note, author: mail.author, at: now, text: mail.text, request: nil),
            policies: policies, now: now)
        return events
    }
}

package import Events

/// What somebody wants done to an incident; `IncidentLedger.decide` says what is recorded for it, or refuses.
package struct IncidentOrder: Sendable, Equatable {
    package enum Verb: Sendable, Equatable {
        case acknowledge
        case phase(Phase)
        case severity(Severity)
        case close(Resolution)
        case reopen
        case note
        case statusUpdate
        case say
        case assign(role: String, person: String)
        case release(role: String, person: String)
        case addEntity(IncidentEntity)
        case affected(users: Int?, data: [String])
        case trafficLight(TrafficLight)
        case restrict(readers: [String])
        case unrestrict
        case link(LinkKind, to: String)
        case unlink(LinkKind, to: String)
        case merge(into: String)
        case split(title: String, findings: [String], entities: [IncidentEntity])
        case milestone(Milestone)
        case pauseClock(String?)
        case resumeClock(String?)
    }

    package var incident: String
    package var verb: Verb
    package var author: Author
    package var at: Timestamp
    package var text: String?
    package var request: String?

    package init(
        incident: String, verb: Verb, author: Author, at: Timestamp, text: String? = nil, request: String? = nil
    ) {
        self.incident = incident
        self.verb = verb
        self.author = author
        self.at = at
        self.text = text
        self.request = request
    }
}

package import Events

/// Something that a person, or Vigie for one, did to an incident.
package struct IncidentChange: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        case acknowledge
        case phase(from: Phase, to: Phase)
        case close(from: Phase, resolution: Resolution)
        case reopen
        case note
        /// What is told to everybody involved; restarts the clock of the next one.
        case statusUpdate
        /// A message in the war room.
        case say
        /// The person is an account's name; `nil` once that person's key was erased.
        case assign(role: String, person: String?)
        case release(role: String, person: String?)
        case addEntity(IncidentEntity)
        /// What is known by now; replaces what was known before, which stays on the timeline.
        case affected(users: Int?, data: [String])
        case trafficLight(TrafficLight)
        /// Only these accounts may know of it, and who has a role in it.
        case restrict(readers: [String])
        case unrestrict
        case link(LinkKind, to: String)
        case unlink(LinkKind, to: String)
        /// Its findings belong to the other incident from now on. It keeps its id, which leads there.
        case merge(into: String)
        /// These findings, and what they are about, are the other incident's from now on.
        case split(into: String, findings: [String], entities: [IncidentEntity])
        case milestone(Milestone)
        /// `nil` for all clocks.
        case pauseClock(String?)
        case resumeClock(String?)
    }

    package var incident: String
    /// When it was done, as far as is known.
    package var at: Timestamp
    package var author: Author
    package var action: Action
    /// The note itself, or the reason; `nil` where there is none, or once its author's key was erased.
    package var text: String?
    /// Names the request behind it, so that the same request made twice is carried out once.
    package var request: String?

    package init(
        incident: String, at: Timestamp, author: Author, action: Action, text: String? = nil, request: String? = nil
    ) {
        self.incident = incident
        self.at = at
        self.author = author
        self.action = action
        self.text = text
        self.request = request
    }

    /// Of a note or reason, in bytes of JSON; a quarter of what an entry may hold, as it is sealed and in base64.
    package static let maximumTextBytes = 16_384
    package static let maximumListed = 200
}

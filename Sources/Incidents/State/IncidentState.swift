package import Events

/// What is true of one incident now: made of incident events in the journal's order, and of nothing else.
package struct IncidentState: Sendable, Equatable {
    /// One severity it has had, and why.
    package struct SeverityStep: Sendable, Equatable {
        package var severity: Severity
        /// For what rules say, the time of the events behind it.
        package var at: Timestamp
        /// From when on it was in force here, by Vigie's own clock: whoever is paged for it has been since then, not since `at`.
        package var recordedAt: Timestamp
        package var author: Author
        package var reason: String?
    }

    package struct RoleAssignment: Sendable, Hashable {
        package var role: String
        /// `nil` once the person's key was erased.
        package var person: String?
    }

    package struct Link: Sendable, Hashable {
        package var kind: LinkKind
        package var incident: String

        package init(kind: LinkKind, incident: String) {
            self.kind = kind
            self.incident = incident
        }
    }

    /// A time in which a clock stands still.
    package struct Pause: Sendable, Equatable {
        /// `nil` for all.
        package var clock: String?
        package var from: Timestamp
        /// `nil` while it lasts.
        package var until: Timestamp?
        package var reason: String?
    }

    /// A milestone that was reached and did not hold, and when that was seen.
    package struct Setback: Sendable, Equatable {
        package var reached: Timestamp
        package var at: Timestamp
    }

    /// What is left of a time between opening and closing, once the incident was opened again.
    package struct PastCycle: Sendable, Equatable {
        package var cycle: Int
        package var milestones: [Milestone: Timestamp]
        package var setbacks: [Milestone: [Setback]]
        package var resolution: Resolution?
        package var severityCount: Int
    }

    /// Who opened it.
    package enum Origin: Sendable, Equatable {
        case rule, person, mail
    }

    package let id: String
    package internal(set) var title: String
    package internal(set) var kind: IncidentKind
    package internal(set) var phase = Phase.detection
    /// How often it was opened: 1, and one more for each time it is opened again. Clocks and pages begin anew with each.
    package internal(set) var cycle = 1
    /// Earlier cycles, oldest first.
    package internal(set) var pastCycles: [PastCycle] = []
    /// Oldest first; the last is in force.
    package internal(set) var severities: [SeverityStep]
    /// When Vigie opened it, by its own clock.
    package internal(set) var openedAt: Timestamp
    package internal(set) var firstSeen: Timestamp
    package let origin: Origin
    package internal(set) var acknowledgedBy: Author?
    /// Of this cycle. What did not hold, such as a containment that has to be done again, is taken out.
    package internal(set) var milestones: [Milestone: Timestamp] = [:]
    /// Of this cycle, oldest first: clocks that such a milestone stopped begin anew, and keep what became of them the first time.
    package internal(set) var setbacks: [Milestone: [Setback]] = [:]
    /// Status updates of this cycle.
    package internal(set) var updateCount = 0
    package internal(set) var resolution: Resolution?
    package internal(set) var roles: [RoleAssignment] = []
    package internal(set) var entities: [IncidentEntity] = []
    package internal(set) var affectedUsers: Int?
    package internal(set) var affectedData: [String] = []
    package internal(set) var trafficLight: TrafficLight?
    /// Accounts that may know of it; `nil` when everybody may.
    package internal(set) var readers: [String]?
    package internal(set) var links: [Link] = []
    package internal(set) var mergedInto: String?
    /// Incidents whose findings are its own by now.
    package internal(set) var absorbed: [String] = []
    package internal(set) var findingCount = 0
    package internal(set) var noteCount = 0
    /// Messages of the war room, status updates among them; the newest, oldest first.
    package internal(set) var room: [RoomMessage] = []
    /// Those that there ever were.
    var roomCount = 0
    package internal(set) var pauses: [Pause] = []
    /// Clocks that were missed, by key, and when they were due.
    package internal(set) var missed: [String: Timestamp] = [:]
    /// Pages of this and earlier cycles, by key.
    package internal(set) var pages: [String: PageState] = [:]

    init(_ opened: IncidentOpened, recordedAt: Timestamp) {
        id = opened.incident
        title = opened.title
        kind = opened.kind
        severities = [
            SeverityStep(severity: opened.severity, at: recordedAt, recordedAt: recordedAt, author: opened.author, reason: nil)
        ]
        openedAt = recordedAt
        origin = opened.author == .system ? .rule : opened.author.isMail ? .mail : .person
        firstSeen = opened.firstSeen
        milestones[.opened] = recordedAt
    }

    package var severity: Severity { severities.last?.severity ?? .medium }
    package var isClosed: Bool { phase == .closed }
    package var isAcknowledged: Bool { acknowledgedBy != nil }
    package var isRestricted: Bool { readers != nil }
    /// When this cycle began.
    package var cycleStart: Timestamp { milestones[.opened] ?? openedAt }

    /// Each cycle as it stood at its end; the last is the incident as it is now.
    package var cycles: [IncidentState] {
        pastCycles.map { past in
            var state = self
            state.cycle = past.cycle
            state.milestones = past.milestones
            state.setbacks = past.setbacks
            state.resolution = past.resolution
            state.severities = Array(severities.prefix(past.severityCount))
            state.phase = .closed
            state.pastCycles = []
            return state
        } + [self]
    }

    /// Whether an account may know of it. Vigie's own commands and administrators do not ask.
    package func isReadable(by account: String, named name: String) -> Bool {
        guard let readers else { return true }
        return readers.contains(account) || roles.contains { $0.person == name }
    }
}

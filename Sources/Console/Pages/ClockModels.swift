import Events
import Incidents

/// An incident's deadlines, the most urgent first.
enum ClockModels {
    static func model(_ clocks: [ClockStatus], now: Timestamp) -> PageModel {
        let rows = clocks.sorted { order($0) < order($1) }.map { row($0, now: now) }
        return ["clocks": rows, "hasClocks": !rows.isEmpty]
    }

    /// What runs stands first, by when it is due; then what was missed, what was met, and what has not begun.
    private static func order(_ clock: ClockStatus) -> (Int, Timestamp) {
        let rank =
            switch clock.outcome {
            case .running: 0
            case .paused: 1
            case .missed: clock.isOverdue ? 0 : 2
            case .met: 3
            case .notStarted: 4
            case .notExercised: 5
            }
        return (rank, clock.due ?? Timestamp(nanoseconds: .max))
    }

    private static func row(_ clock: ClockStatus, now: Timestamp) -> PageModel {
        var model: PageModel = [
            "key": clock.key, "clock": clock.title, "outcome": clock.outcome.rawValue.replacing("_", with: " "),
            "isRunning": clock.outcome == .running && !clock.isOverdue, "isLate": clock.isOverdue,
            "isMissed": clock.outcome == .missed, "isMet": clock.outcome == .met,
        ]
        if clock.isOverdue { model["outcome"] = "overdue" }
        model["due"] = clock.due.map { TimeText.model($0, now: now) }
        model["counts"] = clock.outcome == .running || clock.isOverdue
        if let start = clock.start, let stopped = clock.stopped {
            model["took"] = DurationText.of(max(0, stopped.nanoseconds(since: start)))
        }
        return model
    }
}

/// Whom an incident has paged, and whom it is going to.
enum PagingModels {
    static func model(_ incident: IncidentState, _ policies: Policies, now: Timestamp) -> PageModel {
        // What the war room was told stands there.
        var rows = incident.pages.values.filter { $0.intent.purpose != .room }.sorted {
            ($0.intendedAt, $0.intent.key) < ($1.intendedAt, $1.intent.key)
        }
        .map { row($0, now: now) }
        if !incident.isAcknowledged, !incident.isClosed {
            rows += EscalationPlan.pages(of: incident, policies).filter { incident.pages[$0.intent.key] == nil }
                .map { row($0.intent, at: $0.at, status: "planned", now: now) }
        }
        return ["pages": rows, "hasPages": !rows.isEmpty]
    }

    static func row(_ page: PageState, now: Timestamp) -> PageModel {
        var model = row(page.intent, at: page.intendedAt, status: page.status.rawValue, now: now)
        model["isDead"] = page.status == .dead
        model["isSent"] = page.status == .sent
        if page.attempts > 1 { model["attempts"] = page.attempts }
        if page.status == .waiting || page.status == .dead { model["failure"] = page.lastFailure }
        if page.status == .waiting, page.attempts > 0 { model["next"] = TimeText.model(page.nextAttempt, now: now) }
        return model
    }

    private static func row(_ intent: PageIntent, at time: Timestamp, status: String, now: Timestamp) -> PageModel {
        var model: PageModel = [
            "key": intent.key, "step": intent.step, "target": intent.target, "channel": intent.channel, "status": status,
            "at": TimeText.model(time, now: now), "incident": intent.incident,
            "incidentPath": "/incidents/\(FormFields.encode(intent.incident))",
        ]
        // A rotation's person; a person's own target says it already.
        if let person = intent.person, !intent.target.hasSuffix(":\(person)") { model["whom"] = person }
        return model
    }
}

package import Events

/// Where one clock of an incident stands.
package struct ClockStatus: Sendable, Equatable {
    package enum Outcome: String, Sendable {
        case notStarted = "not_started"
        case running
        case paused
        case met
        case missed
        /// What it measures never had to be done. Never counts as met.
        case notExercised = "not_exercised"
    }

    package var clock: String
    package var title: String
    /// Of incident, cycle and clock; of a clock that repeats, of the round as well, and from the second time that it had to begin of how
    /// often that was.
    package var key: String
    package var start: Timestamp?
    /// `nil` while it has not started, stands still, or has no end within its calendar.
    package var due: Timestamp?
    package var stopped: Timestamp?
    package var outcome: Outcome
    /// It ran out and goes on: what it measures is not done yet.
    package var isOverdue = false
}

extension ClockPolicy {
    /// Reminders of one repeating clock in a row; then it is silent until it is stopped once.
    package static let maximumReminders = 8

    /// The clocks that an incident has, each as often as it had to begin. Pure: entries in, times out; no present is asked for.
    package func statuses(of incident: IncidentState) -> [ClockStatus] {
        clocks.flatMap { clock in runs(of: clock, incident).compactMap { status(of: clock, $0, incident) } }
    }

    /// One time that a clock runs.
    private struct Run {
        var number: Int
        var start: Timestamp?
        var stop: Timestamp?
    }

    /// From its start to its stop, and again from each moment at which that stop turned out not to hold.
    private func runs(of clock: ClockDefinition, _ incident: IncidentState) -> [Run] {
        let last = incident.milestones[clock.starts]
        if clock.repeats { return [Run(number: 1, start: last, stop: nil)] }
        var runs: [Run] = []
        var again: Timestamp?
        let start = { (start: Timestamp?) in start.map { max($0, again ?? $0) } }
        for setback in incident.setbacks[clock.stops] ?? [] {
            // What started it may not have held either; then it is what it was at that time.
            let then = incident.setbacks[clock.starts]?.first { $0.at >= setback.reached }?.reached ?? last
            runs.append(Run(number: runs.count + 1, start: start(then), stop: setback.reached))
            again = setback.at
        }
        return runs + [Run(number: runs.count + 1, start: start(last), stop: incident.milestones[clock.stops])]
    }

    private func status(of clock: ClockDefinition, _ run: Run, _ incident: IncidentState) -> ClockStatus? {
        let stop = run.stop
        let end = stop ?? (clock.starts == .closed ? nil : incident.milestones[.closed])
        let times = incident.origin == .mail ? clock.withinReported ?? clock.within : clock.within
        guard let within = times[incident.severity(at: end)] else { return nil }
        var status = ClockStatus(
            clock: clock.id, title: clock.title, key: "\(incident.id)/\(incident.cycle)/\(clock.id)", start: nil, due: nil,
            stopped: nil, outcome: incident.isClosed ? .notExercised : .notStarted)
        if run.number > 1 {
            status.key += "/\(run.number)"
            status.title += ", again"
        }
        if clock.needsAffectedUsers, incident.affectedUsers ?? 0 == 0 { return status }
        guard var start = run.start else { return status }
        if clock.repeats {
            if incident.isClosed { return status }
            start = max(start, incident.milestones[clock.stops] ?? start)
            return round(clock, incident, from: start, within: within, status)
        }
        status.start = start
        status.due = due(clock, incident, from: start, within: within)
        let wasMissed = incident.missed[status.key] != nil
        if let stop {
            status.stopped = stop
            let isLate = status.due.map { stop > $0 } ?? false
            status.outcome = wasMissed || isLate ? .missed : .met
        } else if let end {
            // Closed before it was done: missed when it was due by then, and not exercised when it was not.
            status.outcome = wasMissed || status.due.map { end > $0 } ?? false ? .missed : .notExercised
        } else {
            status.outcome = wasMissed ? .missed : isPaused(clock, incident) ? .paused : .running
            status.isOverdue = wasMissed
        }
        return status
    }

    /// The next reminder of a clock that repeats.
    private func round(
        _ clock: ClockDefinition, _ incident: IncidentState, from start: Timestamp, within: Int64, _ status: ClockStatus
    ) -> ClockStatus {
        var status = status
        status.start = start
        status.outcome = isPaused(clock, incident) ? .paused : .running
        for round in 1...ClockPolicy.maximumReminders {
            status.key = "\(incident.id)/\(incident.cycle)/\(clock.id)/\(incident.updateCount).\(round)"
            guard incident.missed[status.key] == nil else { continue }
            status.isOverdue = round > 1
            status.due = due(clock, incident, from: start, within: within * Int64(round))
            return status
        }
        status.isOverdue = true
        status.due = nil
        status.outcome = .missed
        return status
    }

    /// When a clock that started then runs out: pauses do not count, nor what its calendar leaves out.
    private func due(_ clock: ClockDefinition, _ incident: IncidentState, from start: Timestamp, within: Int64) -> Timestamp? {
        let calendar = clock.calendar.flatMap { calendars[$0] }
        var (time, left) = (start, within * 1_000_000_000)
        for pause in stillstands(clock, incident) where pause.until ?? .init(nanoseconds: .max) > time {
            let running = max(pause.from, time)
            let passed = calendar?.openTime(from: time, to: running) ?? running.nanoseconds(since: time)
            if passed >= left { break }
            left -= passed
            guard let until = pause.until else { return nil }
            time = max(time, until)
        }
        guard let calendar else { return time.advanced(byNanoseconds: left) }
        return calendar.moment(after: left, from: time)
    }

    /// The clock's pauses, in order and apart from each other: one for this clock and one for all may overlap.
    private func stillstands(_ clock: ClockDefinition, _ incident: IncidentState) -> [IncidentState.Pause] {
        var joined: [IncidentState.Pause] = []
        let own = incident.pauses.filter { $0.clock == nil || $0.clock == clock.id }
        for pause in own.sorted(by: { $0.from < $1.from }) {
            guard let last = joined.last, last.until.map({ pause.from <= $0 }) ?? true else {
                joined.append(pause)
                continue
            }
            guard let until = last.until else { break }
            joined[joined.count - 1].until = pause.until.map { max($0, until) }
        }
        return joined
    }

    private func isPaused(_ clock: ClockDefinition, _ incident: IncidentState) -> Bool {
        incident.pauses.contains { ($0.clock == nil || $0.clock == clock.id) && $0.until == nil }
    }

    /// Clocks that ran out by now and are not recorded as missed yet.
    package func missed(of incident: IncidentState, now: Timestamp) -> [ClockMissed] {
        statuses(of: incident).compactMap { status in
            guard status.outcome == .running, let due = status.due, due < now else { return nil }
            return ClockMissed(incident: incident.id, key: status.key, clock: status.clock, due: due, at: now)
        }
    }

    /// When the next clock runs out.
    package func nextDue(of incident: IncidentState) -> Timestamp? {
        statuses(of: incident).filter { $0.outcome == .running }.compactMap(\.due).min()
    }
}

extension IncidentState {
    /// The severity at that time, by when it was recorded to hold; now for `nil`. What was met once is not missed for a later severity.
    func severity(at time: Timestamp?) -> Severity {
        guard let time else { return severity }
        return (severities.last { $0.at <= time } ?? severities.first)?.severity ?? severity
    }
}

package import Events

/// Absences: what is found because time passes, not because something happens.
extension Engine {
    /// Says that it is `time`, though no event came: absences that are due by then are found.
    ///
    /// For the live clock. Call it with a time that all sources have been read up to: an answer that is still unread
    /// would come too late.
    package mutating func advance(to time: Timestamp, into findings: inout [Finding]) {
        arrive(time, &findings)
    }

    /// The earliest moment at which an absence may be due; `nil` when none waits.
    package var nextDeadline: Timestamp? {
        correlator.nextDeadline == .max ? nil : Timestamp(nanoseconds: correlator.nextDeadline)
    }

    mutating func arrive(_ time: Timestamp, _ findings: inout [Finding]) {
        guard time.nanoseconds > correlator.clock else { return }
        correlator.clock = time.nanoseconds
        guard time.nanoseconds > correlator.nextDeadline else { return }
        let nothing = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        for index in correlator.absences {
            let rule = correlations[index]
            while let due = correlator.update(
                index, rule.value, now: time.nanoseconds, { $0.takeUnanswered(before: time.nanoseconds, rule: rule.value) })
            {
                guard let last = due.window.events.last else { continue }
                report(
                    index, due.window, Timestamp(nanoseconds: due.time), key: due.context.key, sourceIP: due.context.sourceIP,
                    userName: due.context.userName, last, nothing, &findings)
            }
        }
        correlator.nextDeadline = correlator.absences.map { correlator.states[$0].nextDeadline }.min() ?? .max
    }
}

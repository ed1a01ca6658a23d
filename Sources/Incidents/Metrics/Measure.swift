import Events

/// A time that is measured of incidents, with the one definition that every page, command and report uses.
package enum Measure: String, Sendable, CaseIterable {
    case detect
    case acknowledge
    case contain
    case resolve

    /// How the field calls its mean; what is shown is the median.
    package var code: String {
        switch self {
        case .detect: "MTTD"
        case .acknowledge: "MTTA"
        case .contain: "MTTC"
        case .resolve: "MTTR"
        }
    }

    package var title: String {
        switch self {
        case .detect: "Time to detect"
        case .acknowledge: "Time to acknowledge"
        case .contain: "Time to contain"
        case .resolve: "Time to resolve"
        }
    }

    package var definition: String {
        switch self {
        case .detect:
            "From the first event of an incident's findings to the moment it was opened. Incidents that people opened are left out."
        case .acknowledge:
            "From when it was opened, or opened again, to its acknowledgement. Missed: closed without one."
        case .contain:
            "From when it was opened, or opened again, to the end of containment. Not exercised: closed without a containment."
        case .resolve:
            "From when it was opened, or opened again, to when it was closed as resolved or accepted. "
                + "Not exercised: false positives and duplicates."
        }
    }
}

/// What one cycle of one incident says of a measure. Times that are not over are listed, and never part of a median.
package struct MeasuredTime: Sendable, Equatable {
    package enum Outcome: Sendable, Equatable {
        case measured(nanoseconds: Int64)
        /// It has begun and is not over.
        case running
        /// It ended without what was to be done.
        case missed
        case notExercised
    }

    package var incident: String
    /// From 1; higher ones are of an incident that was opened again.
    package var cycle: Int
    package var severity: Severity
    package var outcome: Outcome

    package var nanoseconds: Int64? {
        if case .measured(let nanoseconds) = outcome { nanoseconds } else { nil }
    }
}

extension IncidentState {
    /// What this cycle says; `nil` where the measure does not speak of such an incident.
    func time(of measure: Measure) -> MeasuredTime? {
        guard let outcome = outcome(of: measure) else { return nil }
        return MeasuredTime(incident: id, cycle: cycle, severity: severity, outcome: outcome)
    }

    private func outcome(of measure: Measure) -> MeasuredTime.Outcome? {
        switch measure {
        case .detect:
            guard cycle == 1, origin == .rule else { return nil }
            return .measured(nanoseconds: max(0, openedAt.nanoseconds(since: firstSeen)))
        case .acknowledge:
            return time(to: .acknowledged) ?? (isClosed ? .missed : .running)
        case .contain:
            if let time = time(to: .contained) { return time }
            if !isClosed { return milestones[.containing] == nil ? .notExercised : .running }
            return milestones[.containing] == nil ? .notExercised : .missed
        case .resolve:
            guard isClosed else { return .running }
            guard resolution == .resolved || resolution == .accepted else { return .notExercised }
            return time(to: .closed)
        }
    }

    private func time(to milestone: Milestone) -> MeasuredTime.Outcome? {
        milestones[milestone].map { .measured(nanoseconds: max(0, $0.nanoseconds(since: cycleStart))) }
    }
}

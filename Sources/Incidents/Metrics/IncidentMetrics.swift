package import Events

/// How incidents went over a time: made of their states and the policies, so that whoever has the journal can make it again.
package struct IncidentMetrics: Sendable, Equatable {
    package struct Period: Sendable, Equatable {
        package var from: Timestamp
        /// Not included.
        package var until: Timestamp
        /// Drills, tests and imports are never counted together with what really happened.
        package var kind: IncidentKind

        package init(from: Timestamp, until: Timestamp, kind: IncidentKind = .real) {
            self.from = from
            self.until = until
            self.kind = kind
        }

        func contains(_ time: Timestamp) -> Bool { from <= time && time < until }
    }

    package struct TimeFigure: Sendable, Equatable {
        package var measure: Measure
        /// `nil` when nothing was measured.
        package var distribution: TimeDistribution?
        /// All that it is about, measured or not, in the order of ids.
        package var times: [MeasuredTime]

        package func count(_ outcome: MeasuredTime.Outcome) -> Int { times.count { $0.outcome == outcome } }
    }

    package struct ClockFigure: Sendable, Equatable {
        package var clock: String
        package var title: String
        package var met: [String] = []
        package var missed: [String] = []
        /// Never part of the attainment.
        package var notExercised: [String] = []
        /// Not over, or not begun.
        package var running: [String] = []

        package var attainment: Share { Share(part: met.count, whole: met.count + missed.count) }
    }

    package struct RateFigure: Sendable, Equatable {
        package var id: String
        package var title: String
        package var definition: String
        package var share: Share
        /// Those that the part is made of.
        package var incidents: [String]
    }

    /// A part of the period, for the trend.
    package struct Bucket: Sendable, Equatable {
        package var from: Timestamp
        package var until: Timestamp
        package var opened: [Severity: Int] = [:]
        /// The median time to acknowledge of those opened in it.
        package var acknowledgement: TimeDistribution?
        package var total: Int { opened.values.reduce(0, +) }
    }

    package var period: Period
    /// Cycles that began in the period; an incident that was opened again is there once for each.
    package var cycleCount: Int
    package var incidents: [String]
    package var times: [TimeFigure]
    package var clocks: [ClockFigure]
    package var rates: [RateFigure]
    package var trend: [Bucket]

    package static let bucketCount: Int64 = 12

    /// - Parameter states: those that the reader may know of. Merged incidents are left out: their findings are counted where they went.
    package init(of states: some Sequence<IncidentState>, _ policies: Policies, in period: Period) {
        self.period = period
        let cycles = states.filter { $0.kind == period.kind && $0.mergedInto == nil }.flatMap(\.cycles)
            .filter { period.contains($0.cycleStart) }
            .sorted { ($0.id, $0.cycle) < ($1.id, $1.cycle) }
        cycleCount = cycles.count
        var ids: [String] = []
        for cycle in cycles where ids.last != cycle.id { ids.append(cycle.id) }
        incidents = ids
        times = Measure.allCases.map { measure in
            let times = cycles.compactMap { $0.time(of: measure) }
            return TimeFigure(measure: measure, distribution: TimeDistribution(times.compactMap(\.nanoseconds)), times: times)
        }
        clocks = IncidentMetrics.clocks(cycles, policies.clocks)
        rates = IncidentMetrics.rates(cycles)
        trend = IncidentMetrics.trend(cycles, period)
    }

    private static func clocks(_ cycles: [IncidentState], _ policy: ClockPolicy) -> [ClockFigure] {
        var figures = policy.clocks.filter { !$0.repeats }.map { ClockFigure(clock: $0.id, title: $0.title) }
        for cycle in cycles {
            for status in policy.statuses(of: cycle) {
                guard let index = figures.firstIndex(where: { $0.clock == status.clock }) else { continue }
                switch status.outcome {
                case .met: figures[index].met.append(cycle.id)
                case .missed: figures[index].missed.append(cycle.id)
                case .notExercised: figures[index].notExercised.append(cycle.id)
                case .notStarted, .running, .paused: figures[index].running.append(cycle.id)
                }
            }
        }
        return figures
    }

    private static func rates(_ cycles: [IncidentState]) -> [RateFigure] {
        let closed = cycles.filter { $0.isClosed && $0.resolution != .duplicate }
        let falseOnes = closed.filter { $0.resolution == .falsePositive }
        let recurring = cycles.filter { $0.cycle > 1 || $0.links.contains { $0.kind == .recurrence } }
        return [
            RateFigure(
                id: "false_positive_incidents", title: "False-positive rate, by incidents",
                definition: "Closed as false positive, of all that were closed, duplicates left out.",
                share: Share(part: falseOnes.count, whole: closed.count), incidents: falseOnes.map(\.id)),
            RateFigure(
                id: "false_positive_findings", title: "False-positive rate, by findings",
                definition: "Findings of incidents closed as false positive, of the findings of all that were closed.",
                share: Share(
                    part: falseOnes.reduce(0) { $0 + $1.findingCount }, whole: closed.reduce(0) { $0 + $1.findingCount }),
                incidents: falseOnes.map(\.id)),
            RateFigure(
                id: "recurrence", title: "Incident recurrence rate",
                definition: "Opened again, or linked as the recurrence of another, of all that began in the period.",
                share: Share(part: recurring.count, whole: cycles.count), incidents: recurring.map(\.id)),
        ]
    }

    private static func trend(_ cycles: [IncidentState], _ period: Period) -> [Bucket] {
        let length = period.until.nanoseconds(since: period.from) / bucketCount
        guard length > 0 else { return [] }
        var members = Array(repeating: [IncidentState](), count: Int(bucketCount))
        for cycle in cycles {
            members[Int(min(cycle.cycleStart.nanoseconds(since: period.from) / length, bucketCount - 1))].append(cycle)
        }
        return members.enumerated().map { index, members in
            let from = period.from.advanced(byNanoseconds: Int64(index) * length)
            var bucket = Bucket(
                from: from, until: index == Int(bucketCount) - 1 ? period.until : from.advanced(byNanoseconds: length))
            for member in members { bucket.opened[member.severity, default: 0] += 1 }
            bucket.acknowledgement = TimeDistribution(
                members.compactMap { $0.time(of: .acknowledge)?.nanoseconds })
            return bucket
        }
    }
}

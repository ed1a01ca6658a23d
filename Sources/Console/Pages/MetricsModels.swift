import Events
import Incidents

/// Figures with the number behind each, its interval, and the incidents that it is made of.
enum MetricsModels {
    /// Incidents listed behind one figure.
    private static let listed = 500

    static func model(_ metrics: IncidentMetrics, _ choice: MetricsChoice, now: Timestamp) -> PageModel {
        [
            "from": TimeText.model(metrics.period.from, now: now), "until": TimeText.model(metrics.period.until, now: now),
            "count": NumberText.grouped(metrics.incidents.count), "isEmpty": metrics.cycleCount == 0,
            "kind": metrics.period.kind.rawValue, "isReal": metrics.period.kind == .real,
            "lengths": MetricsChoice.lengths.map { days -> PageModel in
                ["days": "\(days)", "isChosen": choice.days == days && choice.from == nil && choice.until == nil]
            },
            "kinds": IncidentKind.allCases.map { kind -> PageModel in
                ["kind": kind.rawValue, "isChosen": kind == metrics.period.kind]
            },
            "times": metrics.times.map(time), "clocks": metrics.clocks.map(clock), "hasClocks": !metrics.clocks.isEmpty,
            "rates": metrics.rates.map(rate), "trend": trend(metrics.trend, now: now),
        ]
    }

    private static func time(_ figure: IncidentMetrics.TimeFigure) -> PageModel {
        var model: PageModel = [
            "code": figure.measure.code, "label": figure.measure.title, "definition": figure.measure.definition,
            "measured": NumberText.grouped(figure.distribution?.count ?? 0),
            "rows": figure.times.prefix(listed).map { time -> PageModel in
                var row: PageModel = [
                    "incident": time.incident, "path": "/incidents/\(FormFields.encode(time.incident))",
                    "severity": IncidentModels.severity(time.severity), "result": result(time.outcome),
                ]
                if time.cycle > 1 { row["cycle"] = time.cycle }
                return row
            },
            "hasRows": !figure.times.isEmpty, "rowCount": figure.times.count,
        ]
        let rest = rest(figure)
        model["rest"] = rest.isEmpty ? nil : rest
        guard let distribution = figure.distribution else { return model }
        model["median"] = DurationText.of(distribution.median)
        model["p95"] = DurationText.of(distribution.p95)
        model["interval"] = distribution.interval.map {
            "95 % interval \(DurationText.of($0.lowerBound)) to \(DurationText.of($0.upperBound))"
        }
        model["chart"] = DotChart(figure.times.compactMap(\.nanoseconds), distribution).model
        return model
    }

    /// What no median tells of: `2 running, 1 missed`.
    private static func rest(_ figure: IncidentMetrics.TimeFigure) -> String {
        [(figure.count(.running), "running"), (figure.count(.missed), "missed"), (figure.count(.notExercised), "not exercised")]
            .filter { $0.0 > 0 }.map { "\(NumberText.grouped($0.0)) \($0.1)" }.joined(separator: ", ")
    }

    private static func result(_ outcome: MeasuredTime.Outcome) -> String {
        switch outcome {
        case .measured(let nanoseconds): DurationText.of(nanoseconds)
        case .running: "running"
        case .missed: "missed"
        case .notExercised: "not exercised"
        }
    }

    private static func clock(_ figure: IncidentMetrics.ClockFigure) -> PageModel {
        let counts = [figure.met.count, figure.missed.count, figure.notExercised.count, figure.running.count]
        var model: PageModel = [
            "clock": figure.title, "met": NumberText.grouped(counts[0]), "missed": NumberText.grouped(counts[1]),
            "notExercised": NumberText.grouped(counts[2]), "running": NumberText.grouped(counts[3]),
            "share": percent(figure.attainment), "chart": ShareBar(counts).model,
            "late": figure.missed.prefix(listed).map(link), "hasLate": !figure.missed.isEmpty,
        ]
        model["interval"] = interval(figure.attainment)
        return model
    }

    private static func rate(_ figure: IncidentMetrics.RateFigure) -> PageModel {
        var model: PageModel = [
            "label": figure.title, "definition": figure.definition, "share": percent(figure.share),
            "part": NumberText.grouped(figure.share.part), "whole": NumberText.grouped(figure.share.whole),
            "incidents": figure.incidents.prefix(listed).map(link), "hasIncidents": !figure.incidents.isEmpty,
        ]
        model["interval"] = interval(figure.share)
        return model
    }

    private static func link(_ incident: String) -> PageModel {
        ["incident": incident, "path": "/incidents/\(FormFields.encode(incident))"]
    }

    private static func trend(_ buckets: [IncidentMetrics.Bucket], now: Timestamp) -> PageModel {
        [
            "chart": ColumnChart(buckets.map(\.total)).model,
            "rows": buckets.map { bucket -> PageModel in
                var row: PageModel = [
                    "from": TimeText.model(bucket.from, now: now), "total": NumberText.grouped(bucket.total),
                    "counts": Severity.allCases.map { severity -> PageModel in
                        ["number": NumberText.grouped(bucket.opened[severity] ?? 0)]
                    },
                ]
                row["acknowledged"] = bucket.acknowledgement.map { DurationText.of($0.median) }
                return row
            },
        ]
    }

    /// `92 %`, in full per cent: small numbers have no tenths.
    private static func percent(_ share: Share) -> String {
        share.value.map { "\(Int(($0 * 100).rounded())) %" } ?? "–"
    }

    private static func interval(_ share: Share) -> String? {
        share.interval.map {
            "95 % interval \(Int(($0.lowerBound * 100).rounded(.down))) to \(Int(($0.upperBound * 100).rounded(.up))) %"
        }
    }
}

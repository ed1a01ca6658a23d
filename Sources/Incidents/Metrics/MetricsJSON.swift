import Events
package import Journal

/// The figures as programs read them: the same from the command and from the API. Times are seconds; `null` where there is nothing.
package enum MetricsJSON {
    package static func object(_ metrics: IncidentMetrics) -> JSONValue {
        [
            "from": .string(metrics.period.from.rfc3339), "until": .string(metrics.period.until.rfc3339),
            "kind": .string(metrics.period.kind.rawValue), "incidents": strings(metrics.incidents),
            "cycles": integer(metrics.cycleCount), "times": .array(metrics.times.map(time)),
            "clocks": .array(metrics.clocks.map(clock)), "rates": .array(metrics.rates.map(rate)),
            "trend": .array(metrics.trend.map(bucket)),
        ]
    }

    package static func text(_ metrics: IncidentMetrics) throws -> String {
        String(decoding: try object(metrics).canonicalBytes(), as: UTF8.self)
    }

    private static func time(_ figure: IncidentMetrics.TimeFigure) -> JSONValue {
        [
            "measure": .string(figure.measure.code), "definition": .string(figure.measure.definition),
            "n": integer(figure.distribution?.count ?? 0), "median": seconds(figure.distribution?.median),
            "interval": interval(figure.distribution?.interval), "p95": seconds(figure.distribution?.p95),
            "running": integer(figure.count(.running)), "missed": integer(figure.count(.missed)),
            "not_exercised": integer(figure.count(.notExercised)),
            "incidents": .array(
                figure.times.map { time in
                    ["id": .string(time.incident), "cycle": integer(time.cycle), "seconds": seconds(time.nanoseconds)]
                }),
        ]
    }

    private static func clock(_ figure: IncidentMetrics.ClockFigure) -> JSONValue {
        [
            "clock": .string(figure.clock), "title": .string(figure.title), "attainment": share(figure.attainment),
            "met": strings(figure.met), "missed": strings(figure.missed), "not_exercised": strings(figure.notExercised),
            "running": strings(figure.running),
        ]
    }

    private static func rate(_ figure: IncidentMetrics.RateFigure) -> JSONValue {
        [
            "rate": .string(figure.id), "definition": .string(figure.definition), "share": share(figure.share),
            "incidents": strings(figure.incidents),
        ]
    }

    private static func bucket(_ bucket: IncidentMetrics.Bucket) -> JSONValue {
        [
            "from": .string(bucket.from.rfc3339), "until": .string(bucket.until.rfc3339),
            "opened": .object(
                Dictionary(uniqueKeysWithValues: Severity.allCases.map { ($0.code, integer(bucket.opened[$0] ?? 0)) })),
            "median_acknowledgement": seconds(bucket.acknowledgement?.median),
        ]
    }

    private static func share(_ share: Share) -> JSONValue {
        [
            "part": integer(share.part), "n": integer(share.whole), "value": share.value.map { .number($0) } ?? .null,
            "interval": share.interval.map { [.number($0.lowerBound), .number($0.upperBound)] } ?? .null,
        ]
    }

    private static func seconds(_ nanoseconds: Int64?) -> JSONValue {
        nanoseconds.map { .number(Double($0) / 1e9) } ?? .null
    }

    private static func interval(_ range: ClosedRange<Int64>?) -> JSONValue {
        range.map { [seconds($0.lowerBound), seconds($0.upperBound)] } ?? .null
    }

    private static func integer(_ value: Int) -> JSONValue { .integer(Int64(value)) }

    private static func strings(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
}

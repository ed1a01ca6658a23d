import ArgumentParser
import Events
import Foundation
import Incidents
import Journal
import Server

struct IncidentsMetrics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Compute how incidents went: times, deadlines, rates, each with n and a 95 % interval.",
        discussion: "Everything is computed from the journal; the console's page Metrics shows the same figures.")

    @Option(help: "The data folder.")
    var data = "data"

    @OptionGroup var policies: PolicyOptions

    @Option(help: "From when on incidents began: 2026-03-01, or a moment with its zone. Default: 30 days before the end.")
    var from: String?

    @Option(help: "Up to when. Default: now.")
    var until: String?

    @Option(help: "real, drill, test or imported; they are never counted together.")
    var kind = "real"

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        guard let kind = IncidentKind(rawValue: kind) else {
            throw CommandFailure(
                .usage, "kind '\(kind)' is not known; known are \(IncidentKind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let end = try until.map(time) ?? .system
        let start = try from.map(time) ?? end.advanced(bySeconds: -30 * 86_400)
        guard start < end else { throw CommandFailure(.usage, "--from has to be before --until") }
        let metrics = IncidentMetrics(
            of: try await IncidentOffice.ledger(of: DataFolder(path: data)).incidents.values, try policies.load(),
            in: IncidentMetrics.Period(from: start, until: end, kind: kind))
        if json { return Output.line(FindingJSON.text(MetricsJSON.object(metrics))) }
        for line in MetricsText.lines(metrics) { Output.line(line) }
    }

    private func time(_ text: String) throws -> Timestamp {
        guard let time = Timestamp(rfc3339: text.utf8.count == 10 ? text + "T00:00:00Z" : text) else {
            throw CommandFailure(.usage, "'\(text)' is no time like 2026-03-01 or 2026-03-01T09:00:00Z")
        }
        return time
    }
}

/// Figures as text, each with the number behind it.
enum MetricsText {
    static func lines(_ metrics: IncidentMetrics) -> [String] {
        let period = metrics.period
        var lines = [
            "\(metrics.incidents.count) \(period.kind.rawValue) incidents began from \(period.from.rfc3339) to \(period.until.rfc3339)."
        ]
        guard metrics.cycleCount > 0 else { return lines }
        lines += ["", "Times"]
        for figure in metrics.times {
            let rest = [("running", MeasuredTime.Outcome.running), ("missed", .missed), ("not exercised", .notExercised)]
                .map { ($0.0, figure.count($0.1)) }.filter { $0.1 > 0 }.map { ", \($0.1) \($0.0)" }.joined()
            guard let distribution = figure.distribution else {
                lines.append("  \(figure.measure.code)  nothing measured\(rest)")
                continue
            }
            let interval =
                distribution.interval.map { "[\(DurationText.of($0.lowerBound)), \(DurationText.of($0.upperBound))]" }
                ?? "(too few for an interval)"
            lines.append(
                "  \(figure.measure.code)  median \(DurationText.of(distribution.median)) \(interval)"
                    + "  p95 \(DurationText.of(distribution.p95))  n \(distribution.count)\(rest)")
        }
        lines += ["", "Deadlines"]
        for figure in metrics.clocks {
            lines.append(
                "  \(figure.title)  \(share(figure.attainment)); met \(figure.met.count), missed \(figure.missed.count), "
                    + "not exercised \(figure.notExercised.count), running \(figure.running.count)")
            if !figure.missed.isEmpty { lines.append("    missed: \(figure.missed.joined(separator: ", "))") }
        }
        lines += ["", "Rates"]
        for figure in metrics.rates {
            lines.append("  \(figure.title)  \(share(figure.share)), \(figure.share.part) of \(figure.share.whole)")
        }
        return lines
    }

    private static func share(_ share: Share) -> String {
        guard let value = share.value, let interval = share.interval else { return "–" }
        return "\(percent(value)) [\(percent(interval.lowerBound)), \(percent(interval.upperBound))]"
    }

    private static func percent(_ value: Double) -> String { "\(Int((value * 100).rounded())) %" }
}

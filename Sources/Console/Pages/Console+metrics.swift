import Events
import HTTPTypes
import Hummingbird
import Incidents

extension Console {
    func addMetricsRoutes(to routes: ConsoleRoutes) {
        routes.get("metrics", .viewer) { request, context in
            let sequence = dependencies.updates.sequence
            let choice = MetricsChoice(FormFields(query: request.uri.query))
            let metrics = try await metrics(choice, context: context)
            return answer(
                "metrics", MetricsModels.model(metrics, choice, now: dependencies.now()), title: "Metrics", section: "metrics",
                sequence: sequence, request: request, context: context)
        }
    }

    /// Of the incidents that this person may know of.
    func metrics(_ choice: MetricsChoice, context: ConsoleContext) async throws -> IncidentMetrics {
        let period = try choice.period(now: dependencies.now())
        let states = await dependencies.states.states(for: context.reader)
        return IncidentMetrics(of: states, await dependencies.states.policies, in: period)
    }
}

/// Of which time and kind, as the address says it: `?days=30&kind=drill`, or `?from=…&until=…`.
struct MetricsChoice: Equatable {
    static let lengths: [Int64] = [7, 30, 90, 365]

    var days: Int64
    var kind: IncidentKind
    var from: String?
    var until: String?

    init(_ fields: FormFields) {
        days = min(max(fields["days"].flatMap { Int64($0) } ?? 30, 1), 3650)
        kind = fields["kind"].flatMap { IncidentKind(rawValue: $0) } ?? .real
        from = fields["from"].flatMap { $0.isEmpty ? nil : $0 }
        until = fields["until"].flatMap { $0.isEmpty ? nil : $0 }
    }

    func period(now: Timestamp) throws(ConsoleFailure) -> IncidentMetrics.Period {
        guard from != nil || until != nil else {
            return IncidentMetrics.Period(from: now.advanced(bySeconds: -days * 86_400), until: now, kind: kind)
        }
        let end = try until.map(time) ?? now
        let start = try from.map(time) ?? end.advanced(bySeconds: -days * 86_400)
        guard start < end else { throw ConsoleFailure.notATime("from has to be before until") }
        return IncidentMetrics.Period(from: start, until: end, kind: kind)
    }

    private func time(_ text: String) throws(ConsoleFailure) -> Timestamp {
        // A day alone begins at midnight, UTC.
        guard let time = Timestamp(rfc3339: text.utf8.count == 10 ? text + "T00:00:00Z" : text) else {
            throw ConsoleFailure.notATime("\(text.prefix(40)) is none")
        }
        return time
    }
}

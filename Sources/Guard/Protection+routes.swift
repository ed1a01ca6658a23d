import Events
import HTTPTypes
public import Hummingbird
import NIOCore

extension Protection {
    static let metricsPath = "/metrics"
    static let readBackPath = "/guard/v1/decisions"

    /// Adds `GET /metrics` where there is a metrics token, and `GET /guard/v1/decisions` where there is a read-back token.
    ///
    /// Without the token both answer as if they were not there.
    public func addRoutes<Context: GuardedContext>(to router: Router<Context>) {
        if let token = configuration.metricsToken {
            router.get(RouterPath(Self.metricsPath)) { [self] request, _ in
                let bearer = request.headers[.authorization].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
                guard let given = request.headers[.xMetricsToken] ?? bearer, Self.areEqual(given, token) else {
                    throw HTTPError(.notFound)
                }
                return exposition(accept: request.headers[.accept])
            }
        }
        if let token = configuration.readBackToken {
            router.get(RouterPath(Self.readBackPath)) { [self] request, _ in
                guard let given = request.headers[.authorization], Self.areEqual(given, "Bearer \(token)") else {
                    throw HTTPError(.notFound)
                }
                return readBack(
                    id: request.uri.queryParameters["id"].map(String.init),
                    address: request.uri.queryParameters["address"].map(String.init))
            }
        }
    }

    private func exposition(accept: String?) -> Response {
        let format = ExpositionFormat(accept: accept)
        let (counts, sequence, isConnected) = decisions.read { state in
            (Self.counts(state.table), state.table.sequence, state.isConnected)
        }
        let inForce = metrics.gauge("guard_decisions", help: "Decisions in force, by verb.", labels: "verb")
        for (verb, count) in counts { inForce.set(Double(count), verb) }
        metrics.gauge("guard_decisions_sequence", help: "Number of the last change from Vigie.").set(Double(sequence))
        metrics.gauge("guard_vigie_connected", help: "Whether changes come in (1) or what is known stays in force (0).")
            .set(isConnected ? 1 : 0)
        metrics.counter("guard_events_dropped_total", help: "Security events that were not written.").set(Double(log.dropped))
        return Response(
            status: .ok, headers: [.contentType: format.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.exposition(format))))
    }

    /// What is in force, from the tables that requests are held against; `docs/guard.md` has the members.
    private func readBack(id: String?, address: String?) -> Response {
        let now = clocks.wall()
        var json = JSONText()
        json.member("version", DecisionMessage.version)
        json.member("service", configuration.service)
        json.member("time", now.rfc3339)
        decisions.read { state in
            json.member("epoch", state.table.epoch)
            json.member("sequence", state.table.sequence)
            json.member("durable_sequence", state.durableSequence)
            json.member("known", state.isKnown)
            json.member("connected", state.isConnected)
            var counts = JSONText()
            for (verb, count) in Self.counts(state.table).sorted(by: { $0.key < $1.key }) { counts.member(verb, count) }
            json.member("in_force", json: counts.finished())
            json.member("not_enforced", state.table.unknown.sorted())
            if let id {
                let decision = state.table.decisions[id]
                var found = JSONText()
                found.member("id", id)
                found.member("in_force", decision.map { !$0.isOver(at: now) && !state.table.unknown.contains(id) } ?? false)
                found.member("refusals", state.refusals[id] ?? 0)
                json.member("decision", json: found.finished())
            }
            if let address {
                var blockers: [String] = []
                if let address = IPAddress(address) {
                    state.table.blocks.visit(address) { holds in
                        blockers += holds.filter { $0.stands(at: now) }.map(\.id)
                        return true
                    }
                }
                var found = JSONText()
                found.member("address", address)
                found.member("blocked_by", blockers)
                json.member("address", json: found.finished())
            }
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.finished())))
    }

    private static func counts(_ table: DecisionTable) -> [String: Int] {
        var counts = ["block": 0, "throttle": 0, "revoke": 0, "disable": 0, "maintenance": 0, "quarantine": 0]
        for decision in table.decisions.values {
            if case .unknown = decision.measure { continue }
            counts[decision.verb, default: 0] += 1
        }
        return counts
    }
}

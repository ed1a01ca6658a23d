import Events
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

extension Protection {
    /// Who asks, from where, under which identifier.
    func arrival(of request: Request, facts: RequestFacts) -> RequestFacts.Arrival {
        let headers = request.headers
        let given = headers[.xRequestID]
        return RequestFacts.Arrival(
            id: given.flatMap { RequestIdentifier.isSafe($0) ? $0 : nil } ?? RequestIdentifier.make(),
            trace: headers[.traceparent].flatMap(TraceParent.init),
            client: facts.peer.map { proxies.client(peer: $0, headers: headers) },
            head: request.head, log: log)
    }

    /// Refuses what needs no look at who asks.
    ///
    /// - Throws: ``Refusal``.
    func check(_ request: Request, arrival: RequestFacts.Arrival, facts: RequestFacts) throws {
        // Whoever asks what is in force, or whether the application lives, is told during a maintenance, too; tokens guard both.
        let path = request.uri.path
        if path == Self.readBackPath, configuration.readBackToken != nil { return }
        if path == Self.metricsPath, configuration.metricsToken != nil { return }
        let verdict = decisions.verdict(
            address: arrival.client, method: request.method.rawValue, path: path, now: clocks.wall)
        switch verdict {
        case .none: break
        case .unknown:
            if configuration.vigie?.coldStart == .refuseAll {
                note(.undecided, facts: facts)
                throw Refusal.undecided
            }
        case .blocked(let id):
            note(.blocked, decision: id, facts: facts)
            throw Refusal.blocked
        case .maintenance(let id, let retryAfter):
            let refusal = Refusal.maintenance(retryAfter: retryAfter)
            note(refusal, decision: id, facts: facts)
            throw refusal
        case .throttled(let id, let limit):
            guard let client = arrival.client else { break }
            let quota = limits.take(limit, key: .address(client), now: clocks.monotonic())
            if quota.isExceeded {
                decisions.countRefusal(by: id)
                let refusal = Refusal.rateLimited(retryAfter: quota.seconds)
                note(refusal, decision: id, facts: facts)
                throw refusal
            }
        }
        if let limit = configuration.addressLimit, let client = arrival.client {
            try take(limit, key: .address(client), facts: facts)
        }
    }

    /// The answer that an error stands for. Says nothing about what went wrong inside; the log does.
    func response<Context: GuardedContext>(to error: any Error, request: Request, context: Context) -> Response {
        if let refusal = error as? Refusal {
            if refusal == .tooLarge || refusal == .tooSlow { note(refusal, facts: context.facts) }
            if refusal.closesConnection, let channel = context.facts.channel {
                // Not at once: an answer that is followed by a reset may never be read (RFC 9112 section 9.6).
                channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
            }
            return refusal.response(form: configuration.errors, id: context.facts.id)
        }
        if let error = error as? any HTTPResponseError, let response = try? error.response(from: request, context: context) {
            return response
        }
        context.logger.error("request failed", metadata: ["error": "\(error)"])
        log.record(.recovered(message: "\(error)").with { $0.status = 500 }, facts: context.facts)
        return Refusal.failed.response(form: configuration.errors, id: context.facts.id)
    }

    /// What every answer carries.
    func complete(_ response: inout Response, arrival: RequestFacts.Arrival) {
        configuration.headers.add(to: &response.headers, and: HTTPField(name: .xRequestID, value: arrival.id))
        let quotas = arrival.quotas.withLock { $0 }
        guard !quotas.isEmpty else { return }
        response.headers[.rateLimitPolicy] = quotas.map(\.policyField).joined(separator: ", ")
        response.headers[.rateLimit] = quotas.map(\.field).joined(separator: ", ")
    }
}

extension HTTPField.Name {
    static let rateLimitPolicy = HTTPField.Name.known("ratelimit-policy")
    static let rateLimit = HTTPField.Name.known("ratelimit")
    static let xMetricsToken = HTTPField.Name.known("x-metrics-token")
}

import Events
import HTTPTypes
public import Hummingbird
import Logging
import NIOCore
import Synchronization

/// Identifies requests, refuses what must not pass, bounds what does, and shapes every answer. From ``Protection/middleware(for:)``.
public struct GuardMiddleware<Context: GuardedContext>: RouterMiddleware {
    let protection: Protection

    /// Answers a request, or refuses it.
    public func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let began = protection.requests == nil ? 0 : protection.clocks.monotonic()
        var context = context
        let arrival = protection.arrival(of: request, facts: context.facts)
        context.facts.arrival = arrival
        context.logger = Logger(label: context.logger.label) { [logger = context.logger] _ in
            RequestLogHandler(logger.handler, arrival: arrival)
        }
        var response: Response
        do {
            try protection.check(request, arrival: arrival, facts: context.facts)
            response = try await RequestFacts.$current.withValue(arrival) { [context] in
                try await bounded(request, context: context, next: next)
            }
        } catch {
            response = protection.response(to: error, request: request, context: context)
        }
        protection.complete(&response, arrival: arrival)
        protection.requests?.observe(
            method: request.method, route: context.endpointPath ?? "unmatched", status: response.status.code,
            seconds: Double(protection.clocks.monotonic() - began) / 1e9)
        return response
    }

    /// Bodies end at their limits of size and time.
    private func bounded(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.headers.contains(.contentLength) || request.headers.contains(.transferEncoding) else {
            return try await next(request, context)
        }
        if let length = request.headers[.contentLength], Int(length).map({ $0 > protection.configuration.bodyLimit }) ?? true {
            throw Refusal.tooLarge
        }
        let deadline = context.facts.channel.map { BodyDeadline(protection.configuration.bodyTime, channel: $0) }
        defer { deadline?.cancel() }
        var request = request
        request.body = RequestBody(
            asyncSequence: LimitedBody(body: request.body, limit: protection.configuration.bodyLimit, deadline: deadline))
        do {
            return try await next(request, context)
        } catch {
            // What the application made of a body that was cut off matters less than why it was.
            throw deadline?.hasPassed == true ? Refusal.tooSlow : error
        }
    }
}

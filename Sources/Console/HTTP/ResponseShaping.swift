import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// Turns errors into pages or problems, and puts the security headers on every answer.
struct ResponseShaping: RouterMiddleware {
    let console: Console

    /// Nothing but our own files, no inline script or style, no framing, forms only to ourselves. Trusted Types leave one named policy, the
    /// one that parses our own partial pages.
    static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'",
        "trusted-types vigie",
    ].joined(separator: "; ")

    func handle(
        _ request: Request, context: ConsoleContext, next: @concurrent (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = console.answer(to: error, request: request, context: context)
        }
        response.headers[.contentSecurityPolicy] = Self.contentSecurityPolicy
        response.headers[named: "x-content-type-options"] = "nosniff"
        response.headers[named: "x-frame-options"] = "DENY"
        // Not `no-referrer`: browsers then send `Origin: null` with our own forms (Fetch 3.2), and the origin check loses its teeth.
        // Towards other origins both send nothing.
        response.headers[named: "referrer-policy"] = "same-origin"
        response.headers[named: "cross-origin-opener-policy"] = "same-origin"
        response.headers[named: "cross-origin-resource-policy"] = "same-origin"
        response.headers[named: "permissions-policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers[named: "x-request-id"] = context.requestID
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }
}

extension Console {
    /// The page, or for programs the RFC 9457 problem, that stands for `error`.
    func answer(to error: any Error, request: Request, context: ConsoleContext) -> Response {
        let failure = ConsoleFailure(error)
        if failure.status.kind == .serverError, failure.code == "internal" {
            context.logger.error(
                "request failed",
                metadata: ["request": "\(context.requestID)", "path": "\(request.uri.path)", "error": "\(error)"])
        }
        var response: Response
        if wantsProblem(request) {
            response = problem(failure, request: request, context: context)
        } else {
            response = HTTPAnswer.html(
                pages.failure(failure, shell: shell(for: request, context: context, title: failure.title), id: context.requestID),
                status: failure.status)
        }
        // RFC 9110 11.6.1 wants a challenge; browsers ask nobody for a password because of this one.
        if failure.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"vigie\"" }
        if let seconds = failure.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        return response
    }

    private func wantsProblem(_ request: Request) -> Bool {
        let path = request.uri.path
        return path.hasPrefix("/api/") || path == "/events" || path == "/healthz"
            || request.headers[named: "vigie-partial"] != nil || request.bearer != nil
    }

    private struct Problem: Encodable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var instance: String
        var requestId: String
    }

    private func problem(_ failure: ConsoleFailure, request: Request, context: ConsoleContext) -> Response {
        let problem = Problem(
            type: "urn:vigie:problem:\(failure.code)", title: failure.title, status: failure.status.code,
            detail: failure.advice, instance: request.uri.path, requestId: context.requestID)
        let answer = try? HTTPAnswer.json(problem, status: failure.status, type: "application/problem+json")
        return answer ?? Response(status: failure.status)
    }
}

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import NIOCore

/// Every request that changes something has to come from a form of ours: right origin, and the token that only our page knew.
///
/// Three layers, because each alone has holes: `SameSite=Strict` cookies know sites but not ports, old browsers send no
/// `Sec-Fetch-Site`, and a token can leak.
///
/// A request with a bearer token is not asked: no browser adds one by itself, and cookies do not count beside one.
struct ForgeryProtection: RouterMiddleware {
    static let purpose = "vigie form v1"

    let console: Console

    func handle(
        _ request: Request, context: ConsoleContext, next: @concurrent (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        switch request.method {
        case .get, .head, .options: return try await next(request, context)
        default: break
        }
        if request.bearer != nil { return try await next(request, context) }
        // Programs without a token are told so first; there is no session that could be abused.
        if context.signedIn == nil, request.uri.path.hasPrefix("/api/") { throw ConsoleFailure.signInNeeded }
        guard isSameOrigin(request) else { throw ConsoleFailure.forged }
        guard request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") == true else {
            throw ConsoleFailure.notAForm
        }
        var request = request
        let body = try await request.collectBody(upTo: ConsoleContext.maximumBody)
        let sent = FormFields(text: String(buffer: body))["csrf"] ?? ""
        // Either form cookie or session: a tab may have been signed in after another one showed the sign-in form.
        let secrets = [context.signedIn?.token, console.cookies.form(in: request)].compactMap(\.self)
        guard secrets.contains(where: { constantTimeEquals($0.proof(of: Self.purpose), sent) }) else {
            throw ConsoleFailure.forged
        }
        return try await next(request, context)
    }

    private func isSameOrigin(_ request: Request) -> Bool {
        if let site = request.headers[named: "sec-fetch-site"], site != "same-origin", site != "none" { return false }
        guard let origin = request.headers[.origin] else { return true }
        guard let authority = request.head.authority?.lowercased() else { return false }
        // The scheme is not compared: behind a proxy that ends TLS the page is https and we see http.
        let lowered = origin.lowercased()
        return lowered == "http://\(authority)" || lowered == "https://\(authority)"
    }
}

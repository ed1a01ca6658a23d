import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

/// Finds out who is asking, and renders what fails further in with that person's navigation around it.
struct Authentication: RouterMiddleware {
    let console: Console

    func handle(
        _ request: Request, context: ConsoleContext, next: @concurrent (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        // Assets and health are asked for often and mean the same to everybody: no database read for them.
        let path = request.uri.path
        let needsNobody = path.hasPrefix("/assets/") || path == "/healthz"
        if !needsNobody, let field = request.bearer {
            // Cookies do not count beside it: what a browser adds by itself must never widen what a program was given.
            if let secret = APIToken.secret(inAuthorization: field) {
                context.signedIn = try await console.dependencies.identity.authenticate(
                    apiToken: secret, at: console.dependencies.now())
            }
        } else if !needsNobody, let token = console.cookies.session(in: request) {
            // Counts as the person's activity only when a person asked: pages also refresh themselves.
            let isActivity = request.headers[named: "vigie-partial"] == nil && path != "/events"
            context.signedIn = try await console.dependencies.identity.authenticate(
                token, isActivity: isActivity, at: console.dependencies.now())
        }
        do {
            return try await next(request, context)
        } catch {
            return console.answer(to: error, request: request, context: context)
        }
    }
}

extension Request {
    /// The `Authorization` field of a program. What a browser may add by itself (Basic, for a proxy in front) is none.
    var bearer: String? {
        headers[values: .authorization].first { $0.prefix(7).lowercased() == "bearer " }
    }
}

/// A path on this console that a redirect may lead to: never another host.
struct LocalPath: Equatable {
    let text: String

    /// `nil` for everything but `/…` without a second slash, backslash or control character.
    init?(_ text: String?) {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), text.utf8.count <= 2000,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") })
        else { return nil }
        self.text = text
    }
}

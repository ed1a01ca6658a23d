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
        if !path.hasPrefix("/assets/"), path != "/healthz", let token = console.cookies.session(in: request) {
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

/// Lets only signed-in people through.
struct RequireSignIn: RouterMiddleware {
    enum Answer {
        /// To the sign-in page, and back afterwards.
        case redirect
        /// 401 as problem+json.
        case problem
    }

    let console: Console
    let answer: Answer

    func handle(
        _ request: Request, context: ConsoleContext, next: @concurrent (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        if context.signedIn != nil { return try await next(request, context) }
        guard answer == .redirect, request.headers[named: "vigie-partial"] == nil else { throw ConsoleFailure.signInNeeded }
        guard try await console.dependencies.identity.hasAccounts() else { return HTTPAnswer.redirect(to: "/setup") }
        if isLinkFromElsewhere(request) {
            // A SameSite=Strict cookie is not sent along a link on another site (the chat that paged us). Ask again from here.
            return HTTPAnswer.html(
                console.pages.hop(
                    to: request.uri.string, shell: console.shell(for: request, context: context, title: "Opening")))
        }
        return HTTPAnswer.redirect(to: "/sign-in?next=\(FormFields.encode(request.uri.string))")
    }

    private func isLinkFromElsewhere(_ request: Request) -> Bool {
        let site = request.headers[named: "sec-fetch-site"]
        return (site == "cross-site" || site == "same-site") && request.headers[named: "sec-fetch-mode"] == "navigate"
            && LocalPath(request.uri.string) != nil
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

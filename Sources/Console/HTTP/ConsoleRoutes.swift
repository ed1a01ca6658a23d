import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

/// The one way to add a route: each says who may use it, and that is enforced here for all of them.
///
/// Used while the router is built, by one thread.
struct ConsoleRoutes {
    /// What was declared, in order.
    final class Table {
        var declarations: [RouteDeclaration] = []
    }

    let console: Console
    let router: Router<ConsoleContext>
    let table: Table
    var prefix = ""
    var surface = RouteDeclaration.Surface.page

    /// The same, below a path.
    func under(_ prefix: String, surface: RouteDeclaration.Surface) -> ConsoleRoutes {
        var routes = self
        routes.prefix = prefix
        routes.surface = surface
        return routes
    }

    /// HEAD works wherever GET does.
    func get(
        _ path: String, _ access: Access, use handler: @escaping @Sendable (Request, ConsoleContext) async throws -> Response
    ) {
        add(.get, path, access, handler)
    }

    func post(
        _ path: String, _ access: Access, use handler: @escaping @Sendable (Request, ConsoleContext) async throws -> Response
    ) {
        add(.post, path, access, handler)
    }

    func delete(
        _ path: String, _ access: Access, use handler: @escaping @Sendable (Request, ConsoleContext) async throws -> Response
    ) {
        add(.delete, path, access, handler)
    }

    private func add(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access,
        _ handler: @escaping @Sendable (Request, ConsoleContext) async throws -> Response
    ) {
        let whole = prefix + (path.hasPrefix("/") ? path : "/" + path)
        let declaration = RouteDeclaration(method: method, path: whole, access: access, surface: surface)
        table.declarations.append(declaration)
        let console = console
        router.on(RouterPath(whole), method: method) { request, context in
            if let answer = try await console.authorize(request, context: context, declaration) { return answer }
            return try await handler(request, context)
        }
    }
}

extension Console {
    /// What somebody reaches who has to have a second factor, and has none yet.
    private static let enrolment: Set<String> = ["/account/second-factor"]

    /// Lets through who may use the route.
    ///
    /// - Returns: where somebody is sent who has to sign in first; `nil` for those who may pass.
    /// - Throws: 401 or 403.
    func authorize(
        _ request: Request, context: ConsoleContext, _ route: RouteDeclaration
    ) async throws -> Response? {
        guard let role = route.access.role else { return nil }
        guard let signedIn = context.signedIn else { return try await askToSignIn(request, context: context, route) }
        if let scopes = signedIn.scopes {
            guard route.surface == .api else { throw ConsoleFailure.tokenOnPage }
            guard scopes.contains(where: { $0.covers(route.scope) }) else { throw ConsoleFailure.scopeNeeded(route.scope) }
        }
        guard signedIn.role >= role else { throw ConsoleFailure.roleNeeded(role) }
        if signedIn.token != nil, !signedIn.hasSecondFactor, dependencies.identity.requiresSecondFactor(signedIn.role),
            !Self.enrolment.contains(route.path)
        {
            guard route.surface == .page else { throw ConsoleFailure.secondFactorNeeded }
            return HTTPAnswer.redirect(to: "/account/second-factor")
        }
        return nil
    }

    private func askToSignIn(
        _ request: Request, context: ConsoleContext, _ route: RouteDeclaration
    ) async throws -> Response {
        guard route.surface == .page, request.headers[named: "vigie-partial"] == nil, request.bearer == nil
        else { throw ConsoleFailure.signInNeeded }
        guard try await dependencies.identity.hasAccounts() else { return HTTPAnswer.redirect(to: "/setup") }
        if isLinkFromElsewhere(request) {
            // A SameSite=Strict cookie is not sent along a link on another site (the chat that paged us). Ask again from here.
            return HTTPAnswer.html(
                pages.hop(to: request.uri.string, shell: shell(for: request, context: context, title: "Opening")))
        }
        return HTTPAnswer.redirect(to: "/sign-in?next=\(FormFields.encode(request.uri.string))")
    }

    private func isLinkFromElsewhere(_ request: Request) -> Bool {
        let site = request.headers[named: "sec-fetch-site"]
        return (site == "cross-site" || site == "same-site") && request.headers[named: "sec-fetch-mode"] == "navigate"
            && LocalPath(request.uri.string) != nil
    }
}

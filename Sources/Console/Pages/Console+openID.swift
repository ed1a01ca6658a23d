import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import Logging

extension Console {
    private static let returnPath = "/sign-in/provider/return"

    /// Signing in through a provider, and out of it. Links and not forms: browsers that know `form-action` follow no form there.
    func addOpenIDRoutes(to routes: ConsoleRoutes) {
        routes.get("sign-in/provider", .everybody) { request, context in try await goToProvider(request, context: context) }
        routes.get(Self.returnPath, .everybody) { request, context in
            try await returnFromProvider(request, context: context)
        }
        routes.get("sign-out/provider", .everybody) { request, context in
            guard let openID,
                let address = await openID.provider.endSessionAddress(
                    returningTo: try own("/sign-in", request), at: dependencies.now())
            else { throw ConsoleFailure.notFound }
            return HTTPAnswer.redirect(to: address)
        }
    }

    private func goToProvider(_ request: Request, context: ConsoleContext) async throws -> Response {
        guard let openID else { throw ConsoleFailure.notFound }
        let next = LocalPath(FormFields(query: request.uri.query)["next"])
        if context.signedIn != nil { return HTTPAnswer.redirect(to: next?.text ?? "/incidents") }
        guard try await dependencies.identity.hasAccounts() else { return HTTPAnswer.redirect(to: "/setup") }
        do throws(OpenIDProblem) {
            let (location, attempt) = try await openID.begin(
                next: next?.text ?? "", returningTo: try own(Self.returnPath, request), at: dependencies.now())
            var response = HTTPAnswer.redirect(to: location)
            cookies.setAttempt(attempt, on: &response)
            return response
        } catch {
            context.logger.warning("a sign-in through the provider cannot begin", metadata: ["problem": "\(error)"])
            throw ConsoleFailure(OpenIDRefusal.provider(error))
        }
    }

    private func returnFromProvider(_ request: Request, context: ConsoleContext) async throws -> Response {
        guard let openID else { throw ConsoleFailure.notFound }
        let fields = FormFields(query: request.uri.query)
        let sent = OpenIDSignIn.Answer(
            state: fields["state"], code: fields["code"], error: fields["error"], issuer: fields["iss"])
        let outcome: OpenIDSignIn.Outcome
        do {
            outcome = try await openID.finish(
                sent, attempt: cookies.attempt(in: request), returnedTo: try own(Self.returnPath, request),
                address: context.address, at: dependencies.now())
        } catch let problem as OpenIDProblem {
            throw ConsoleFailure(OpenIDRefusal.provider(problem))
        }
        switch outcome {
        case .signedIn(let signedIn, let next):
            // Not a redirect: the browser comes from the provider's site, and would send no SameSite=Strict cookie along one.
            let path = LocalPath(next)?.text ?? "/incidents"
            var response = HTTPAnswer.html(
                pages.hop(to: path, shell: shell(for: request, context: context, title: "Opening")))
            if let token = signedIn.token {
                let life = dependencies.identity.rules.lifetime(of: signedIn.means ?? .password)
                cookies.setSession(token, maximumAge: life, on: &response)
            }
            cookies.clearAttempt(on: &response)
            return response
        case .refused(let refusal):
            if case .provider(let problem) = refusal {
                context.logger.warning(
                    "a sign-in through the provider failed",
                    metadata: ["problem": "\(problem)", "request": "\(context.requestID)"])
            }
            var response = answer(to: ConsoleFailure(refusal), request: request, context: context)
            // What was not expected leaves another tab's attempt alone: anybody can send a browser here.
            if refusal != .notExpected { cookies.clearAttempt(on: &response) }
            return response
        }
    }

    /// An address of this console, as this browser names it; `RequestLimits` has checked the host.
    private func own(_ path: String, _ request: Request) throws(OpenIDProblem) -> String {
        guard let authority = request.head.authority else {
            throw OpenIDProblem(.malformed, "the request names no host", "use a browser")
        }
        return "\(options.isBehindTLS ? "https" : "http")://\(authority.lowercased())\(path)"
    }
}

extension ConsoleFailure {
    init(_ refusal: OpenIDRefusal) {
        let status: HTTPResponse.Status
        var retryAfter: Int64?
        switch refusal {
        case .notExpected: status = .badRequest
        case .limited(let seconds): (status, retryAfter) = (.tooManyRequests, seconds)
        case .provider(let problem) where problem.code == .busy: (status, retryAfter) = (.serviceUnavailable, 5)
        case .provider(let problem) where problem.code == .codeRefused || problem.code == .tokenRefused: status = .forbidden
        case .provider: status = .badGateway
        case .noRole, .disabled, .secondFactorNeeded: status = .forbidden
        }
        self.init(
            status: status, code: "provider_\(refusal.code)", title: refusal.reason, advice: refusal.advice,
            retryAfter: retryAfter)
    }
}

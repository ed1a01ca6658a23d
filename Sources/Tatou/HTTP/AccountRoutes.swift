import Guard
import HTTPTypes
import Hummingbird
import Identity

/// `/api/create-user`, `/api/login`, and what ends or renews a sign-in.
struct AccountRoutes {
    let platform: Platform

    func add(to router: Router<TatouContext>) {
        router.post("/api/create-user", use: register)
        router.post("/api/login", use: signIn)
        router.post("/api/refresh-token", use: refresh)
        router.post("/api/logout", use: signOut)
        router.post("/api/logout-all", use: signOutEverywhere)
    }

    private struct Created: Encodable {
        var id: Int64
        var email: String
        var login: String
    }

    private func register(_ request: Request, _ context: TatouContext) async throws -> Response {
        try platform.protection.limit(platform.rates.registration, in: context)
        let form = try await JSONObject(request)
        let (email, login, password) = (try form.text("email"), try form.text("login"), try form.text("password"))
        guard let email, let login, let password else {
            context.record(.registrationFailed(name: email.map(AccountRules.nameForLog) ?? "", reason: "missing_fields"))
            throw Refusal.invalid("email, login, and password are required")
        }
        do {
            let account = try await platform.accounts.register(email: email, login: login, password: password)
            context.record(.registered(user: account.subject, name: account.email))
            return try JSONAnswer.response(
                Created(id: account.id, email: account.email, login: account.login), status: .created)
        } catch let refusal as AccountRefusal {
            throw self.refusal(for: refusal, name: AccountRules.nameForLog(email), context)
        } catch let error as IdentityError where error.code == .busy {
            throw Self.busy
        }
    }

    private struct SignedIn: Encodable {
        var token: String
        var token_type = "bearer"
        var expires_in: Int64

        init(_ issued: IssuedToken) {
            token = issued.token.text
            expires_in = issued.seconds
        }
    }

    private func signIn(_ request: Request, _ context: TatouContext) async throws -> Response {
        let form = try await JSONObject(request)
        guard let email = try form.text("email"), let password = try form.text("password") else {
            platform.metrics.signInRefused("missing_fields")
            throw Refusal.invalid("email and password are required")
        }
        let name = AccountRules.nameForLog(email)
        do {
            try platform.protection.limit(platform.rates.signIn, in: context)
        } catch {
            platform.metrics.signInRefused("rate_limited")
            context.record(.loginFailed(name: name, reason: .rateLimited))
            throw error
        }
        do {
            let (account, token) = try await platform.accounts.signIn(
                email: email, password: password, address: context.facts.client
            ) { [protection = platform.protection] in protection.isDisabled(user: $0.subject) }
            platform.metrics.signedIn()
            context.record(.loginSucceeded(user: account.subject, name: account.email).with { $0.token = token.id })
            return try JSONAnswer.response(SignedIn(token))
        } catch let refusal as AccountRefusal {
            throw self.refusal(for: refusal, name: name, context)
        } catch let error as IdentityError where error.code == .busy {
            throw Self.busy
        }
    }

    private func refusal(for refusal: AccountRefusal, name: String, _ context: TatouContext) -> Refusal {
        switch refusal {
        case .invalid(let message): return .invalid(message)
        case .exists:
            context.record(.registrationFailed(name: name))
            return Refusal("exists", status: .conflict, message: "email or login already exists")
        case .badCredentials(let reason):
            platform.metrics.signInRefused("invalid_credentials")
            context.record(.loginFailed(name: name, reason: reason))
            return .unauthorized("invalid credentials")
        case .wait(let seconds):
            platform.metrics.signInRefused("rate_limited")
            context.record(.loginFailed(name: name, reason: .rateLimited))
            return Refusal(
                "rate_limited", status: .tooManyRequests, message: "too many sign-in attempts", retryAfter: max(seconds, 1))
        }
    }

    private static let busy = Refusal(
        "busy", status: .serviceUnavailable, message: "too many sign-ins are waiting", retryAfter: 5)

    private func refresh(_ request: Request, _ context: TatouContext) async throws -> Response {
        // A lease may stand against whoever shows the token; one that was exchanged is told apart below, as a replay.
        guard let text = Platform.bearer(request) else {
            throw Refusal.unauthorized("Missing or invalid Authorization header")
        }
        do {
            let next = try await platform.accounts.refresh(text) { [platform] record in
                var context = context
                _ = try platform.admit(record, &context)
            }
            context.record(.tokenRefreshed(id: next.issued.id, user: next.account.subject))
            return try JSONAnswer.response(SignedIn(next.issued))
        } catch let refusal as TokenRefusal {
            throw platform.answer(to: refusal, context)
        }
    }

    private struct SignedOut: Encodable {
        var logged_out = true
        var sessions: Int
    }

    private func signOut(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        try await platform.accounts.signOut(session: caller.token.session)
        context.record(SecurityEvent("logout", category: "session", outcome: .success))
        return try JSONAnswer.response(SignedOut(sessions: 1))
    }

    private func signOutEverywhere(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        let count = try await platform.accounts.signOutEverywhere(account: caller.account.id)
        context.record(SecurityEvent("logout", category: "session", outcome: .success, reason: "all_sessions"))
        return try JSONAnswer.response(SignedOut(sessions: count))
    }
}

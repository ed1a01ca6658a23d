import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

extension Console {
    /// What everybody may do with their own account.
    func addOwnAccountRoutes(to routes: ConsoleRoutes) {
        routes.get("account", .viewer) { request, context in try await ownPage(request, context: context) }
        routes.post("account/password", .viewer) { request, context in try await changePassword(request, context: context) }
        routes.post("account/sessions", .viewer) { request, context in
            let signedIn = try signedIn(context)
            try await accounts.endSessions(
                accountID: signedIn.accountID, except: signedIn.token, by: try author(context), at: dependencies.now())
            return HTTPAnswer.redirect(to: "/account?done=sessions")
        }
        routes.post("account/tokens", .viewer) { request, context in try await createToken(request, context: context) }
        routes.post("account/tokens/:id/revoke", .viewer) { _, context in
            try await accounts.revokeToken(
                id: try context.parameters.require("id"), owner: try signedIn(context).accountID, by: try author(context),
                at: dependencies.now())
            return HTTPAnswer.redirect(to: "/account")
        }
        // Where a browser comes back to after signing in again.
        for path in ["account/password", "account/sessions", "account/tokens", "account/tokens/:id/revoke"] {
            routes.get(path, .viewer) { _, _ in HTTPAnswer.redirect(to: "/account") }
        }
    }

    func signedIn(_ context: ConsoleContext) throws -> SignedIn {
        guard let signedIn = context.signedIn else { throw ConsoleFailure.signInNeeded }
        return signedIn
    }

    /// What the page says besides the account.
    private enum News {
        case refusal(AccountRefusal)
        case token(IssuedToken)
    }

    private func ownPage(_ request: Request, context: ConsoleContext, news: News? = nil) async throws -> Response {
        let signedIn = try signedIn(context)
        let now = dependencies.now()
        let sessions = try await accounts.sessions(accountID: signedIn.accountID, at: now)
        let tokens = try await accounts.tokens(accountID: signedIn.accountID)
        let done = FormFields(query: request.uri.query)["done"]
        var model: PageModel = [
            "name": signedIn.accountName, "role": signedIn.role.rawValue, "hasSecondFactor": signedIn.hasSecondFactor,
            "formToken": formToken(context),
            "sessions": sessions.map { session -> PageModel in
                [
                    "began": TimeText.model(session.createdAt, now: now), "seen": TimeText.model(session.lastSeenAt, now: now),
                    "isThis": session.digest == signedIn.token?.digest,
                ]
            },
            "hasOthers": sessions.count > 1, "tokens": tokens.map { AccountForms.token($0, now: now) },
            "hasTokens": !tokens.isEmpty, "passwordChanged": done == "password", "sessionsEnded": done == "sessions",
            "scopes": TokenScope.allCases.filter { $0 != .admin || signedIn.role == .admin }.map {
                ["scope": $0.rawValue, "isChosen": $0 == .read] as PageModel
            },
        ]
        if let openID, signedIn.means != .password, signedIn.means != nil { model["provider"] = openID.options.name }
        var status = HTTPResponse.Status.ok
        switch news {
        case .refusal(let refusal):
            model["problem"] = refusal.sentence
            status = ConsoleFailure(refusal).status
        case .token(let issued): model["secret"] = issued.secret.text
        case nil: break
        }
        var response = answer(
            "account", model, title: "Your account", section: "account", sequence: dependencies.updates.sequence,
            request: request, context: context)
        response.status = status
        return response
    }

    private func changePassword(_ request: Request, context: ConsoleContext) async throws -> Response {
        let fields = try await FormFields(bodyOf: request)
        do {
            guard fields["password"] == fields["password_again"] else {
                throw AccountRefusal(.invalid, "the two new passwords differ", "type them again")
            }
            try await accounts.changePassword(
                of: try signedIn(context), from: fields["old"] ?? "", to: fields["password"] ?? "", address: context.address,
                at: dependencies.now())
            return HTTPAnswer.redirect(to: "/account?done=password")
        } catch let refusal as AccountRefusal {
            return try await ownPage(request, context: context, news: .refusal(refusal))
        }
    }

    private func createToken(_ request: Request, context: ConsoleContext) async throws -> Response {
        let fields = try await FormFields(bodyOf: request)
        do {
            let issued = try await issueToken(fields, for: try signedIn(context), context: context)
            return try await ownPage(request, context: context, news: .token(issued))
        } catch let refusal as AccountRefusal {
            return try await ownPage(request, context: context, news: .refusal(refusal))
        }
    }

    /// A token for the one who asks: `name`, `scope` (one or more) and `days`.
    func issueToken(_ fields: FormFields, for signedIn: SignedIn, context: ConsoleContext) async throws -> IssuedToken {
        let names = fields.all("scope").flatMap { $0.split { $0 == " " || $0 == "," }.map(String.init) }
        let scopes = names.compactMap(TokenScope.init(rawValue:))
        guard scopes.count == names.count else {
            throw AccountRefusal(
                .invalid, "there is no such scope", "known are \(TokenScope.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        // A token that makes tokens must not make a stronger one.
        if let held = signedIn.scopes, let wider = scopes.first(where: { scope in !held.contains { $0.covers(scope) } }) {
            throw AccountRefusal(.notAllowed, "your token has no scope \(wider.rawValue)", "sign in with a browser")
        }
        guard let days = Int(fields["days"] ?? "90") else {
            throw AccountRefusal(.invalid, "'days' is no number", "a token lives 1 to 366 days")
        }
        return try await accounts.createToken(
            for: signedIn.accountID, name: fields["name"] ?? "", scopes: Set(scopes), days: days, by: try author(context),
            at: dependencies.now())
    }
}

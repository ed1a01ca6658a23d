import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

extension Console {
    func addAccountRoutes(to routes: ConsoleRoutes) {
        routes.get("accounts", .admin) { request, context in try await accountsPage(request, context: context) }
        routes.post("accounts", .admin) { request, context in
            let fields = try await FormFields(bodyOf: request)
            do {
                let link = try await accounts.invite(
                    fields["name"] ?? "", role: try AccountForms.role(fields), by: try author(context), at: dependencies.now())
                return try await accountsPage(request, context: context, link: link)
            } catch let refusal as AccountRefusal {
                return try await accountsPage(request, context: context, refusal: refusal)
            }
        }
        routes.post("accounts/:id", .admin) { request, context in
            let fields = try await FormFields(bodyOf: request)
            let id = try context.parameters.require("id")
            do {
                let link = try await change(id, fields["verb"] ?? "", fields, context: context)
                if link == nil { return HTTPAnswer.redirect(to: "/accounts") }
                return try await accountsPage(request, context: context, link: link)
            } catch let refusal as AccountRefusal {
                return try await accountsPage(request, context: context, refusal: refusal)
            }
        }
        // Where a browser comes back to after signing in again.
        routes.get("accounts/:id", .admin) { _, _ in HTTPAnswer.redirect(to: "/accounts") }
    }

    /// Carries out what an admin wants done to an account.
    ///
    /// - Returns: the link that was made, where one was.
    func change(_ id: String, _ verb: String, _ fields: FormFields, context: ConsoleContext) async throws -> IssuedLink? {
        let author = try author(context)
        let now = dependencies.now()
        switch verb {
        case "role": try await accounts.changeRole(accountID: id, to: try AccountForms.role(fields), by: author, at: now)
        case "disable": try await accounts.disable(accountID: id, by: author, at: now)
        case "enable": try await accounts.enable(accountID: id, by: author, at: now)
        case "end_sessions": try await accounts.endSessions(accountID: id, by: author, at: now)
        case "reset_second_factor": try await accounts.resetSecondFactor(accountID: id, by: author, at: now)
        case "reset": return try await accounts.issueReset(accountID: id, by: author, at: now)
        default:
            throw AccountRefusal(
                .invalid, "there is no such change",
                "known are role, disable, enable, end_sessions, reset and reset_second_factor")
        }
        return nil
    }

    /// Who is signed in, as the journal names them.
    func author(_ context: ConsoleContext) throws -> AuditAuthor {
        guard let signedIn = context.signedIn else { throw ConsoleFailure.signInNeeded }
        return AuditAuthor(id: signedIn.authorID, name: signedIn.accountName, address: context.address)
    }

    private func accountsPage(
        _ request: Request, context: ConsoleContext, link: IssuedLink? = nil, refusal: AccountRefusal? = nil
    ) async throws -> Response {
        let now = dependencies.now()
        let tokens = try await accounts.tokens(accountID: nil)
        var rows: [PageModel] = []
        for account in try await accounts.accounts() {
            let sessions = try await accounts.sessions(accountID: account.id, at: now)
            var row = AccountForms.row(account, now: now)
            row["sessions"] = sessions.count
            row["hasSessions"] = !sessions.isEmpty
            row["tokens"] = tokens.count { $0.accountID == account.id && now < $0.expiresAt }
            row["last"] = sessions.map(\.lastSeenAt).max().map { TimeText.model($0, now: now) }
            row["formToken"] = formToken(context)
            rows.append(row)
        }
        var model: PageModel = [
            "rows": rows, "formToken": formToken(context), "roles": AccountForms.roles(chosen: .responder),
        ]
        if let link { model["link"] = AccountForms.link(link, now: now) }
        model["problem"] = refusal?.sentence
        var response = answer(
            "accounts", model, title: "Accounts", section: "accounts", sequence: dependencies.updates.sequence, request: request,
            context: context)
        if let refusal { response.status = ConsoleFailure(refusal).status }
        return response
    }
}

/// Turns accounts into what their templates show, and reads their forms.
enum AccountForms {
    static func role(_ fields: FormFields) throws -> Role {
        guard let role = fields["role"].flatMap(Role.init(rawValue:)) else {
            throw AccountRefusal(
                .invalid, "there is no such role", "known are \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return role
    }

    static func roles(chosen: Role) -> [PageModel] {
        Role.allCases.map { ["role": $0.rawValue, "isChosen": $0 == chosen] }
    }

    static func row(_ account: Account, now: Timestamp) -> PageModel {
        [
            "id": account.id, "name": account.name, "role": account.role.rawValue, "state": account.state.rawValue,
            "isDisabled": account.disabledAt != nil, "isInvited": account.isInvited, "isOfProvider": account.provider != nil,
            "hasSecondFactor": account.hasSecondFactor, "roles": roles(chosen: account.role),
            "created": TimeText.model(account.createdAt, now: now),
        ]
    }

    static func link(_ link: IssuedLink, now: Timestamp) -> PageModel {
        [
            "path": link.path, "name": link.account.name, "isReset": link.kind == .reset,
            "expires": TimeText.model(link.expiresAt, now: now),
        ]
    }

    static func token(_ token: APIToken, now: Timestamp) -> PageModel {
        var model: PageModel = [
            "id": token.id, "name": token.name, "scopes": token.scopes.map(\.rawValue).sorted().joined(separator: ", "),
            "created": TimeText.model(token.createdAt, now: now), "expires": TimeText.model(token.expiresAt, now: now),
            "isExpired": now >= token.expiresAt,
        ]
        model["used"] = token.lastUsedAt.map { TimeText.model($0, now: now) }
        return model
    }
}

import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

extension Console {
    /// Accounts for admins, and one's own tokens for everybody.
    func addAccountAPIRoutes(to routes: ConsoleRoutes) {
        routes.get("accounts", .admin) { _, _ in
            try HTTPAnswer.json(APIAccountList(accounts: try await accounts.accounts().map(APIAccount.init)))
        }
        routes.post("accounts", .admin) { request, context in
            let fields = try await FormFields(bodyOf: request)
            let link = try await accounts.invite(
                fields["name"] ?? "", role: try AccountForms.role(fields), by: try author(context), at: dependencies.now())
            return try HTTPAnswer.json(APIAccountChange(link.account, link: link), status: .created)
        }
        routes.get("accounts/:id", .admin) { _, context in
            try HTTPAnswer.json(APIAccount(try await accounts.account(id: try context.parameters.require("id"))))
        }
        routes.post("accounts/:id", .admin) { request, context in
            let fields = try await FormFields(bodyOf: request)
            let id = try context.parameters.require("id")
            let link = try await change(id, fields["verb"] ?? "", fields, context: context)
            return try HTTPAnswer.json(APIAccountChange(try await accounts.account(id: id), link: link))
        }
        routes.get("tokens", .viewer) { _, context in
            let tokens = try await accounts.tokens(accountID: try signedIn(context).accountID)
            return try HTTPAnswer.json(APITokenList(tokens: tokens.map { APITokenView($0) }))
        }
        routes.post("tokens", .viewer) { request, context in
            let issued = try await issueToken(
                try await FormFields(bodyOf: request), for: try signedIn(context), context: context)
            return try HTTPAnswer.json(APITokenView(issued.token, secret: issued.secret.text), status: .created)
        }
        routes.delete("tokens/:id", .viewer) { _, context in
            try await accounts.revokeToken(
                id: try context.parameters.require("id"), owner: try signedIn(context).accountID, by: try author(context),
                at: dependencies.now())
            return Response(status: .noContent)
        }
    }
}

struct APIAccountList: Encodable {
    var accounts: [APIAccount]
}

struct APIAccount: Encodable {
    var id: String
    var name: String
    var role: String
    /// As `Account.State` has it.
    var state: String
    var createdAt: String

    init(_ account: Account) {
        id = account.id
        name = account.name
        role = account.role.rawValue
        state = account.state.rawValue
        createdAt = account.createdAt.rfc3339
    }
}

struct APIAccountChange: Encodable {
    struct Link: Encodable {
        /// Below the address of the console. Shown this once.
        var path: String
        var expiresAt: String
    }

    var account: APIAccount
    var link: Link?

    init(_ account: Account, link: IssuedLink?) {
        self.account = APIAccount(account)
        self.link = link.map { Link(path: $0.path, expiresAt: $0.expiresAt.rfc3339) }
    }
}

struct APITokenList: Encodable {
    var tokens: [APITokenView]
}

struct APITokenView: Encodable {
    var id: String
    var name: String
    var scopes: [String]
    var createdAt: String
    var expiresAt: String
    var lastUsedAt: String?
    /// Only in the answer that makes it.
    var secret: String?

    init(_ token: APIToken, secret: String? = nil) {
        id = token.id
        name = token.name
        scopes = token.scopes.map(\.rawValue).sorted()
        createdAt = token.createdAt.rfc3339
        expiresAt = token.expiresAt.rfc3339
        lastUsedAt = token.lastUsedAt?.rfc3339
        self.secret = secret
    }
}

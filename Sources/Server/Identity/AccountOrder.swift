package import Events
import Foundation
package import Identity
import Journal

/// What a command wants done to accounts and tokens.
package struct AccountOrder: Sendable {
    /// `add`, `role`, `disable`, `enable`, `reset`, `reset_second_factor`, `end_sessions`; `create_token`, `revoke_token`.
    package var verb: String
    /// A name; for `revoke_token` nothing.
    package var account: String
    package var arguments: [String: String]
    package var author: AuditAuthor
    let id: String

    package init(verb: String, account: String, arguments: [String: String] = [:], author: AuditAuthor) {
        self.init(verb: verb, account: account, arguments: arguments, author: author, id: UUID().uuidString.lowercased())
    }

    private init(verb: String, account: String, arguments: [String: String], author: AuditAuthor, id: String) {
        self.verb = verb
        self.account = account
        self.arguments = arguments
        self.author = author
        self.id = id
    }

    package enum Answer: Sendable {
        /// With what is shown once: the path of a link, or a token.
        case done(secret: String?, expiresAt: String?)
        case refused(AccountRefusal)
    }

    /// Does what is asked for.
    package func carryOut(on service: AccountService, at now: Timestamp) async throws -> Answer {
        do {
            return try await answer(of: service, at: now)
        } catch let refusal as AccountRefusal {
            return .refused(refusal)
        }
    }

    private func answer(of service: AccountService, at now: Timestamp) async throws -> Answer {
        switch verb {
        case "add":
            let role = try role()
            let isFirst = try await service.accounts().isEmpty
            guard !isFirst || role == .admin else {
                throw AccountRefusal(.notAllowed, "the first account has to be an admin", "say --role admin")
            }
            return .init(try await service.invite(account, role: role, by: author, at: now))
        case "reset":
            let found = try await service.account(named: account)
            return .init(try await service.issueReset(accountID: found.id, by: author, at: now))
        case "create_token":
            let found = try await service.account(named: account)
            let issued = try await service.createToken(
                for: found.id, name: arguments["name"] ?? "", scopes: try scopes(), days: Int(arguments["days"] ?? "") ?? 0,
                by: author, at: now)
            return .done(secret: issued.secret.text, expiresAt: issued.token.expiresAt.rfc3339)
        case "revoke_token":
            try await service.revokeToken(id: arguments["id"] ?? "", owner: nil, by: author, at: now)
        case "role":
            let role = try role()
            try await service.changeRole(accountID: service.account(named: account).id, to: role, by: author, at: now)
        case "disable": try await service.disable(accountID: service.account(named: account).id, by: author, at: now)
        case "enable": try await service.enable(accountID: service.account(named: account).id, by: author, at: now)
        case "reset_second_factor":
            try await service.resetSecondFactor(accountID: service.account(named: account).id, by: author, at: now)
        case "end_sessions":
            try await service.endSessions(accountID: service.account(named: account).id, by: author, at: now)
        default: throw AccountRefusal(.invalid, "'\(verb)' is nothing that can be done to an account", "see vigie help user")
        }
        return .done(secret: nil, expiresAt: nil)
    }

    private func role() throws -> Role {
        guard let role = arguments["role"].flatMap(Role.init(rawValue:)) else {
            throw AccountRefusal(
                .invalid, "there is no such role", "known are \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return role
    }

    private func scopes() throws -> Set<TokenScope> {
        let names = (arguments["scopes"] ?? "").split(separator: " ").map(String.init)
        let scopes = names.compactMap(TokenScope.init(rawValue:))
        guard scopes.count == names.count else {
            throw AccountRefusal(
                .invalid, "there is no such scope", "known are \(TokenScope.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return Set(scopes)
    }
}

extension AccountOrder.Answer {
    fileprivate init(_ link: IssuedLink) {
        self = .done(secret: link.path, expiresAt: link.expiresAt.rfc3339)
    }

    init(_ document: JSONValue) {
        guard let refusal = AnsweredRefusal(document) else {
            self = .done(secret: document["secret"]?.stringValue, expiresAt: document["expires_at"]?.stringValue)
            return
        }
        self = .refused(
            AccountRefusal(AccountRefusal.Code(rawValue: refusal.code) ?? .invalid, refusal.reason, refusal.advice))
    }

    var document: JSONValue {
        switch self {
        case .done(let secret, let expiresAt):
            var members: [String: JSONValue] = [:]
            members["secret"] = secret.map { .string($0) }
            members["expires_at"] = expiresAt.map { .string($0) }
            return .object(members)
        case .refused(let refusal): return AnsweredRefusal(refusal).document
        }
    }
}

extension AccountOrder {
    var document: JSONValue {
        var members: [String: JSONValue] = [
            "verb": .string(verb), "account": .string(account), "author": .string(author.id),
            "arguments": .object(arguments.mapValues { .string($0) }),
        ]
        members["name"] = author.name.map { .string($0) }
        return .object(members)
    }

    init?(_ document: JSONValue, id: String) {
        guard let verb = document["verb"]?.stringValue, let author = document["author"]?.stringValue else { return nil }
        self.init(
            verb: verb, account: document["account"]?.stringValue ?? "",
            arguments: (document["arguments"]?.objectValue ?? [:]).compactMapValues(\.stringValue),
            author: AuditAuthor(id: author, name: document["name"]?.stringValue, address: ""), id: id)
    }
}

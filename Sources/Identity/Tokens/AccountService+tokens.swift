package import Events

extension AccountService {
    /// Makes a token that acts for an account.
    ///
    /// - Parameter days: until it expires.
    package func createToken(
        for accountID: String, name: String, scopes: Set<TokenScope>, days: Int, by author: AuditAuthor, at now: Timestamp
    ) async throws -> IssuedToken {
        let account = try await account(id: accountID)
        guard !account.isDisabled else {
            throw AccountRefusal(.notAllowed, "\(account.name) is disabled", "enable the account first")
        }
        guard (1...64).contains(name.count), name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            throw AccountRefusal(.invalid, "a token needs a name of 1 to 64 characters", "say what it is for")
        }
        guard !scopes.isEmpty else {
            throw AccountRefusal(
                .invalid, "a token needs a scope", "known are \(TokenScope.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard (1...APIToken.longestLife / 86_400).contains(Int64(days)) else {
            throw AccountRefusal(.invalid, "a token lives 1 to 366 days", "make a new one before it expires")
        }
        let held = try await store.tokens(accountID: accountID)
        guard held.count < Self.mostTokens else {
            throw AccountRefusal(
                .notAllowed, "\(account.name) has \(held.count) tokens already", "revoke those that are not used any more")
        }
        let secret = APIToken.secret(from: identity.randomness)
        let token = APIToken(
            id: SecretToken(bits: 64, from: identity.randomness).text, digest: secret.digest, accountID: accountID, name: name,
            scopes: scopes, createdAt: now, expiresAt: now.advanced(bySeconds: Int64(days) * 86_400))
        try await audit(
            AuditRecord(
                kind: .tokenCreated, account: account.name, address: author.address, time: now, author: author,
                details: [
                    "account": account.id, "token": token.id, "expires_at": token.expiresAt.rfc3339,
                    "scopes": scopes.map(\.rawValue).sorted().joined(separator: " "),
                ]))
        try await store.insertToken(token)
        return IssuedToken(token: token, secret: secret)
    }

    /// - Parameter owner: whose token it has to be; `nil` for anybody's.
    package func revokeToken(id: String, owner: String?, by author: AuditAuthor, at now: Timestamp) async throws {
        guard let token = try await store.tokens(accountID: owner).first(where: { $0.id == id }) else {
            throw AccountRefusal(.unknownToken, "there is no such token", "the list of tokens has their ids")
        }
        let account = try await store.account(id: token.accountID)
        try await audit(
            AuditRecord(
                kind: .tokenRevoked, account: account?.name, address: author.address, time: now, author: author,
                details: ["account": token.accountID, "token": token.id]))
        try await store.deleteToken(id: id)
    }

    /// Newest first; `nil` for those of all accounts.
    package func tokens(accountID: String?) async throws -> [APIToken] { try await store.tokens(accountID: accountID) }

    /// More than anybody needs; keeps a stolen session from filling the table.
    private static var mostTokens: Int { 100 }
}

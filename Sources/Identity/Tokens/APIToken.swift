package import Events

/// A token for programs, as it is stored: the secret itself was shown once, to whoever made it.
package struct APIToken: Sendable, Equatable {
    /// What scanners for leaked secrets look for: `vigie_` and 40 hexadecimal digits.
    package static let prefix = "vigie_"
    /// Far beyond guessing (NIST SP 800-63B asks for 64), short enough for a header and a configuration file.
    static let bits = 160
    package static let longestLife: Int64 = 366 * 86_400

    /// Names it in lists and in the journal. No secret.
    package var id: String
    package var digest: TokenDigest
    /// On whose behalf it acts; it dies with the account.
    package var accountID: String
    /// What it is for, in its maker's words.
    package var name: String
    package var scopes: Set<TokenScope>
    package var createdAt: Timestamp
    package var expiresAt: Timestamp
    /// Written at most once a minute.
    package var lastUsedAt: Timestamp?

    package init(
        id: String, digest: TokenDigest, accountID: String, name: String, scopes: Set<TokenScope>, createdAt: Timestamp,
        expiresAt: Timestamp, lastUsedAt: Timestamp? = nil
    ) {
        self.id = id
        self.digest = digest
        self.accountID = accountID
        self.name = name
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
    }

    static func secret(from randomness: Randomness) -> SecretToken {
        SecretToken(text: prefix + SecretToken(bits: bits, from: randomness).text)
    }

    /// What stands behind `Bearer` in an `Authorization` field (RFC 6750 2.1); `nil` where that is no token of ours.
    package static func secret(inAuthorization field: String) -> SecretToken? {
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let text = parts[1].drop { $0 == " " }
        guard text.utf8.count == prefix.utf8.count + bits / 4, text.hasPrefix(prefix) else { return nil }
        return SecretToken(text: String(text))
    }
}

/// A token that was just made; the only time that its secret can be seen.
package struct IssuedToken: Sendable {
    package let token: APIToken
    package let secret: SecretToken
}

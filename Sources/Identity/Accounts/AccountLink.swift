package import Events

/// A link that lets somebody choose a password, once.
package struct AccountLink: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The first password of a new account.
        case invitation
        /// A new one in place of one that was lost. Until it is used, the old one works.
        case reset

        /// Seconds. A person reads mail by the next working day; a reset is asked for by somebody who waits.
        var life: Int64 { self == .invitation ? 3 * 86_400 : 3600 }
    }

    package var digest: TokenDigest
    package var accountID: String
    package var kind: Kind
    package var expiresAt: Timestamp

    package init(digest: TokenDigest, accountID: String, kind: Kind, expiresAt: Timestamp) {
        self.digest = digest
        self.accountID = accountID
        self.kind = kind
        self.expiresAt = expiresAt
    }
}

/// A link that was just made; the only time that it can be seen.
package struct IssuedLink: Sendable {
    package let account: Account
    package let kind: AccountLink.Kind
    package let secret: SecretToken
    package let expiresAt: Timestamp

    /// Where it leads on the console.
    package var path: String { "/invitation?token=\(secret.text)" }
}

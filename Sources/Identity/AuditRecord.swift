package import Events

/// One decision about identity, for the journal. Carries no secret, and no name that is not an account's: people type passwords into
/// the name field.
package struct AuditRecord: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable, Codable {
        case setupCompleted = "account.setup_completed"
        case setupRefused = "account.setup_refused"
        case signedIn = "account.signed_in"
        case signInFailed = "account.sign_in_failed"
        /// Written once per back-off period, not once per attempt: an attacker must not be able to fill the journal.
        case signInLimited = "account.sign_in_limited"
        case signedOut = "account.signed_out"
        case invited = "account.invited"
        /// A link was taken, and a password chosen.
        case linkUsed = "account.link_used"
        case resetIssued = "account.reset_issued"
        case roleChanged = "account.role_changed"
        case disabled = "account.disabled"
        case enabled = "account.enabled"
        case sessionsEnded = "account.sessions_ended"
        case passwordChanged = "account.password_changed"
        /// The old password that had to be given with the new one was wrong.
        case passwordChangeFailed = "account.password_change_failed"
        case codeRefused = "account.code_refused"
        case recoveryCodeUsed = "account.recovery_code_used"
        case secondFactorEnabled = "account.second_factor_enabled"
        case secondFactorDisabled = "account.second_factor_disabled"
        /// By an admin, for somebody who lost theirs.
        case secondFactorReset = "account.second_factor_reset"
        /// Somebody came through the provider for the first time.
        case addedByProvider = "account.added_by_provider"
        /// Somebody came back from the provider and was not let in.
        case providerRefused = "account.provider_refused"
        case tokenCreated = "account.token_created"
        case tokenRevoked = "account.token_revoked"
    }

    package var kind: Kind
    /// `nil` when no such account exists.
    package var account: String?
    /// Where the request came from; as the server saw it.
    package var address: String
    package var time: Timestamp
    /// Who did it; `nil` where it is the account itself, or nobody who is known.
    package var author: AuditAuthor?
    /// What else is to be known: a role, the id of a token. Nothing secret, nothing personal.
    package var details: [String: String]

    package init(
        kind: Kind, account: String?, address: String, time: Timestamp, author: AuditAuthor? = nil,
        details: [String: String] = [:]
    ) {
        self.kind = kind
        self.account = account
        self.address = address
        self.time = time
        self.author = author
        self.details = details
    }
}

/// Who changes an account.
package struct AuditAuthor: Sendable, Hashable {
    /// An account's id, `token:` and a token's id, `uid:1000` for a command, or `openid` for the provider: never a name.
    package var id: String
    package var name: String?
    /// Where from; empty for a command.
    package var address: String

    package init(id: String, name: String?, address: String) {
        self.id = id
        self.name = name
        self.address = address
    }
}

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
    }

    package var kind: Kind
    /// `nil` when no such account exists.
    package var account: String?
    /// Where the request came from; as the server saw it.
    package var address: String
    package var time: Timestamp

    package init(kind: Kind, account: String?, address: String, time: Timestamp) {
        self.kind = kind
        self.account = account
        self.address = address
        self.time = time
    }
}

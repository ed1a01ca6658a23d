package import Events

/// Where accounts, sign-in sessions and the set-up token's digest live.
///
/// None of it is journalled (architecture: credentials and sessions are not projections). `Storage` implements it on SQLite;
/// ``InMemoryAccountStore`` is the reference for what each call means.
package protocol AccountStore: Sendable {
    func hasAccounts() async throws -> Bool
    /// `name` is already in the spelling of ``AccountName``.
    func account(named name: String) async throws -> Account?
    func account(id: String) async throws -> Account?

    /// Adds the very first account and forgets the set-up token, in one transaction.
    ///
    /// - Returns: `false`, and nothing changed, when an account exists or `digest` is not the stored one.
    func createFirstAccount(_ account: Account, consuming digest: TokenDigest) async throws -> Bool
    func updatePasswordHash(_ hash: String, accountID: String) async throws

    func setupTokenDigest() async throws -> TokenDigest?
    /// Replaces what was there; `nil` forgets it.
    func setSetupTokenDigest(_ digest: TokenDigest?) async throws

    func insertSession(_ session: SignInSession) async throws
    func session(digest: TokenDigest) async throws -> SignInSession?
    func touchSession(digest: TokenDigest, at time: Timestamp) async throws
    func deleteSession(digest: TokenDigest) async throws
    /// Deletes each session that began before `created` or was last seen before `seen`.
    func deleteSessions(createdBefore created: Timestamp, lastSeenBefore seen: Timestamp) async throws
}

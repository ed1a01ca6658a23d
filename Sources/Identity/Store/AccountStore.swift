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
    /// By name.
    func accounts() async throws -> [Account]
    func account(of subject: ProviderSubject) async throws -> Account?
    /// - Returns: `false`, and nothing changed, when the name is taken, or there is an account of the provider's subject.
    func insertAccount(_ account: Account) async throws -> Bool
    /// Gives an account another role, or takes and gives back its use. Disabling ends its sessions, too.
    ///
    /// - Returns: `false`, and nothing changed, when there is no such account or no active admin would be left.
    func updateAccount(id: String, role: Role, disabledAt: Timestamp?) async throws -> Bool
    /// Takes the use of an account because its provider gives it no role, and ends its sessions; `nil` gives the use back.
    func suspendAccount(id: String, at time: Timestamp?) async throws
    func updatePasswordHash(_ hash: String, accountID: String) async throws

    /// Replaces the link that the account had.
    func insertLink(_ link: AccountLink) async throws
    func link(digest: TokenDigest) async throws -> AccountLink?
    /// Uses up the link, sets the password, and ends the account's sessions, in one transaction.
    ///
    /// - Returns: `false`, and nothing changed, when the link is not there any more.
    func redeemLink(digest: TokenDigest, passwordHash: String) async throws -> Bool

    func setupTokenDigest() async throws -> TokenDigest?
    /// Replaces what was there; `nil` forgets it.
    func setSetupTokenDigest(_ digest: TokenDigest?) async throws

    /// Keeps a secret that is not in force yet; nothing changes where the account has one.
    func offerSecondFactor(secret: [UInt8], accountID: String) async throws
    func secondFactor(accountID: String) async throws -> SecondFactor?
    /// Puts the offered secret in force, its first code as used, with new recovery codes in place of old ones.
    func confirmSecondFactor(
        accountID: String, at time: Timestamp, step: Int64, recoveryCodes: [TokenDigest]
    ) async throws
    /// - Returns: `false`, and nothing changed, where a code of that step or of a later one was taken before.
    func advanceSecondFactor(accountID: String, to step: Int64) async throws -> Bool
    /// With its recovery codes.
    func deleteSecondFactor(accountID: String) async throws
    /// - Returns: `false` where the account has no such code any more.
    func useRecoveryCode(digest: TokenDigest, accountID: String) async throws -> Bool
    func recoveryCodeCount(accountID: String) async throws -> Int

    func insertSession(_ session: SignInSession) async throws
    func session(digest: TokenDigest) async throws -> SignInSession?
    func touchSession(digest: TokenDigest, at time: Timestamp) async throws
    func deleteSession(digest: TokenDigest) async throws
    /// Newest first.
    func sessions(accountID: String) async throws -> [SignInSession]
    func deleteSessions(accountID: String, except: TokenDigest?) async throws
    /// Deletes each session that began before `created` or was last seen before `seen`.
    func deleteSessions(createdBefore created: Timestamp, lastSeenBefore seen: Timestamp) async throws

    func insertToken(_ token: APIToken) async throws
    func token(digest: TokenDigest) async throws -> APIToken?
    /// Newest first; `nil` for those of all accounts.
    func tokens(accountID: String?) async throws -> [APIToken]
    func touchToken(id: String, at time: Timestamp) async throws
    func deleteToken(id: String) async throws
}

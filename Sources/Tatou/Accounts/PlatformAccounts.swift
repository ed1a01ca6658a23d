package import Events
import Guard
package import Identity
import Synchronization

/// Registration, sign-in, and the tokens that come of it. Knows nothing of HTTP.
package final class PlatformAccounts: Sendable {
    /// How long a token is good.
    package let tokenLifetime: Int64
    private let database: TatouDatabase
    private let hasher: PasswordHasher
    private let randomness: Randomness
    private let now: @Sendable () -> Timestamp
    private let throttle = Mutex(SignInThrottle())
    private let pause: @Sendable (Duration) async throws -> Void

    package init(
        database: TatouDatabase, hasher: PasswordHasher, tokenLifetime: Int64 = 86_400, randomness: Randomness = .system,
        now: @escaping @Sendable () -> Timestamp,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.database = database
        self.hasher = hasher
        self.tokenLifetime = tokenLifetime
        self.randomness = randomness
        self.now = now
        self.pause = pause
    }

    /// - Throws: ``AccountRefusal``.
    package func register(email: String, login: String, password: String) async throws -> PlatformAccount {
        let asked = try AccountRules.registration(email: email, login: login, password: password)
        // Asked before the password costs 20 ms of a core; the insertion asks again.
        guard try await !database.hasAccount(email: asked.email, login: asked.login) else { throw AccountRefusal.exists }
        let hash = try await hasher.hash(asked.password)
        let account = try await database.insertAccount(email: asked.email, login: asked.login, hash: hash, at: now())
        guard let account else { throw AccountRefusal.exists }
        return account
    }

    /// Checks a password in the same time whether there is such an account or not.
    ///
    /// - Parameter isBarred: whether a lease disables the account; asked whoever it is, answered as for a wrong password.
    /// - Throws: ``AccountRefusal``.
    package func signIn(
        email: String, password: String, address: String, isBarred: @Sendable (PlatformAccount) -> Bool = { _ in false }
    ) async throws -> (account: PlatformAccount, token: IssuedToken) {
        let email = AccountRules.normalized(email)
        let verdict = throttle.withLock { $0.begin(account: email, address: address, at: now()) }
        switch verdict {
        case .wait(let seconds, _): throw AccountRefusal.wait(seconds: Int(seconds))
        case .proceed(let delay): if delay > 0 { try await pause(.milliseconds(delay)) }
        }
        let found = try await database.account(email: email)
        let isRight = try await hasher.verify(password, against: found?.hash)
        guard let found else { throw AccountRefusal.badCredentials(.invalidUser) }
        guard isRight else { throw AccountRefusal.badCredentials(.badCredentials) }
        guard found.account.disabledAt == nil, !isBarred(found.account) else {
            throw AccountRefusal.badCredentials(.accountDisabled)
        }
        throttle.withLock { $0.succeeded(account: email, address: address) }
        if hasher.isOutdated(found.hash) {
            try await database.setHash(try await hasher.hash(password), account: found.account.id)
        }
        let token = newToken()
        try await database.insertSession(token, account: found.account.id)
        return (found.account, token)
    }

    /// Who shows this token.
    ///
    /// - Throws: ``TokenRefusal``.
    package func authenticate(_ token: String) async throws -> TokenRecord {
        guard let record = try await database.token(SecretToken(text: token).digest) else { throw TokenRefusal.unknown }
        guard !record.isEnded, !record.isReplaced else { throw TokenRefusal.revoked(id: record.id) }
        guard now() < record.expiresAt else { throw TokenRefusal.expired(id: record.id) }
        guard record.account.disabledAt == nil else { throw TokenRefusal.disabled(id: record.id) }
        return record
    }

    /// Exchanges a token for a new one of the same session; the old one is refused from then on.
    ///
    /// - Parameter admit: throws where a lease stands against the token.
    /// - Throws: ``TokenRefusal``, or what `admit` throws.
    package func refresh(
        _ token: String, admit: (TokenRecord) throws -> Void
    ) async throws -> (issued: IssuedToken, account: PlatformAccount) {
        let digest = SecretToken(text: token).digest
        guard let record = try await database.token(digest) else { throw TokenRefusal.unknown }
        guard record.account.disabledAt == nil else { throw TokenRefusal.disabled(id: record.id) }
        if !record.isReplaced, !record.isEnded { try admit(record) }
        return (try await database.replaceToken(digest, with: newToken(), at: now()), record.account)
    }

    /// Ends the session of a token.
    package func signOut(session: String) async throws {
        try await database.endSession(session, at: now())
    }

    /// Ends all sessions of an account; says how many were open.
    package func signOutEverywhere(account: Int64) async throws -> Int {
        try await database.endSessions(account: account, at: now())
    }

    /// Ends all sessions of everybody; says how many were open.
    package func signOutEveryone() async throws -> Int {
        try await database.endAllSessions(at: now())
    }

    package func accounts() async throws -> [PlatformAccount] { try await database.accounts() }

    package func account(email: String) async throws -> PlatformAccount? {
        try await database.account(email: AccountRules.normalized(email))?.account
    }

    /// Disables an account and ends its sessions, or enables it again.
    package func setDisabled(_ isDisabled: Bool, account: Int64) async throws {
        guard try await database.setDisabled(isDisabled ? now() : nil, account: account), isDisabled else { return }
        _ = try await database.endSessions(account: account, at: now())
    }

    /// Gives an account another password, and ends its sessions.
    ///
    /// - Throws: ``AccountRefusal`` where it is too weak.
    package func setPassword(_ password: String, of account: PlatformAccount) async throws {
        _ = try AccountRules.registration(email: account.email, login: account.login, password: password)
        try await database.setHash(try await hasher.hash(password), account: account.id)
        _ = try await database.endSessions(account: account.id, at: now())
    }

    /// Forgets sessions that ended long ago.
    func sweep() async throws {
        try await database.sweepSessions(before: now().advanced(bySeconds: -7 * 86_400))
    }

    private func newToken() -> IssuedToken {
        let now = now()
        return IssuedToken(
            token: SecretToken(bits: 256, from: randomness), session: SecretToken(bits: 64, from: randomness).text,
            issuedAt: now, expiresAt: now.advanced(bySeconds: tokenLifetime))
    }
}

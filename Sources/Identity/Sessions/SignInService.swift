package import Events
import Synchronization

/// Decides who may come in. The caller journals each ``AuditRecord`` *before* it hands out what the decision grants.
///
/// Thread-safe. Time is an argument of each decision; randomness and waiting are given at the start.
package final class SignInService: Sendable {
    let store: any AccountStore
    let hasher: PasswordHasher
    let randomness: Randomness
    let throttle: Mutex<SignInThrottle>
    /// Of codes, per account.
    let codeThrottle: Mutex<SignInThrottle>
    let pending = Mutex<[TokenDigest: PendingSignIn]>([:])
    let secondFactorRoles: Set<Role>
    package let rules: SessionRules
    private let delay: @Sendable (_ milliseconds: Int64) async throws -> Void
    /// Once an account exists it stays so; spares a database read per page.
    private let knowsAccounts = Mutex(false)

    /// - Parameters:
    ///   - secondFactorRoles: who has to have a second factor; others may.
    ///   - delay: how an answer is held back; tests pass one that returns at once.
    package init(
        store: any AccountStore, hasher: PasswordHasher, rules: SessionRules = SessionRules(),
        secondFactorRoles: Set<Role> = [],
        limits: SignInThrottle.Limits = SignInThrottle.Limits(), randomness: Randomness = .system,
        delay: @escaping @Sendable (_ milliseconds: Int64) async throws -> Void = { try await Task.sleep(for: .milliseconds($0)) }
    ) {
        self.store = store
        self.hasher = hasher
        self.rules = rules
        self.randomness = randomness
        self.delay = delay
        throttle = Mutex(SignInThrottle(limits: limits))
        codeThrottle = Mutex(SignInThrottle(limits: limits))
        self.secondFactorRoles = secondFactorRoles
    }

    /// Whether the first account has been made.
    package func hasAccounts() async throws -> Bool {
        if knowsAccounts.withLock({ $0 }) { return true }
        let found = try await store.hasAccounts()
        if found { knowsAccounts.withLock { $0 = true } }
        return found
    }

    /// Checks name and password, and opens a session.
    ///
    /// - Parameter replacing: the token that the browser sent, if any: that session ends (no session fixation, no leftovers).
    package func signIn(
        name: String, password: String, address: String, replacing old: SecretToken?, at now: Timestamp
    ) async throws -> SignInOutcome {
        let normalized = AccountName.normalized(name)
        let verdict = throttle.withLock { $0.begin(account: normalized ?? "", address: address, at: now) }
        switch verdict {
        case .wait(let seconds, let isFirst):
            let known = try await knownName(normalized)
            let record = AuditRecord(kind: .signInLimited, account: known, address: address, time: now)
            return .limited(retryAfterSeconds: seconds, audit: isFirst ? record : nil)
        case .proceed(let milliseconds):
            if milliseconds > 0 { try await delay(milliseconds) }
        }
        var account: Account?
        if let normalized { account = try await store.account(named: normalized) }
        // A password over the limit cannot be right; the decoy is checked in its stead, so that it costs the same.
        let isTooLong = password.utf8.count > PasswordPolicy.maximumBytes
        // An account that nobody may sign in with answers as one that is not there, and as slowly.
        let usable = account.flatMap { $0.isDisabled || !$0.hasPassword ? nil : $0 }
        let stored = isTooLong ? nil : usable.map { PasswordHash(phc: $0.passwordHash) }
        let matches: Bool
        do {
            matches = try await hasher.verify(isTooLong ? "" : password, against: stored)
        } catch let error as IdentityError where error.code == .busy {
            return .busy
        }
        guard matches, let account, let stored else {
            return .refused(audit: AuditRecord(kind: .signInFailed, account: account?.name, address: address, time: now))
        }
        throttle.withLock { $0.succeeded(account: account.name, address: address) }
        if hasher.isOutdated(stored), let renewed = try? await hasher.hash(password) {
            try await store.updatePasswordHash(renewed.phc, accountID: account.id)
        }
        if account.hasSecondFactor { return .codeNeeded(waitForCode(account, at: now)) }
        let session = try await openSession(for: account, replacing: old, at: now)
        return .signedIn(session, audit: AuditRecord(kind: .signedIn, account: account.name, address: address, time: now))
    }

    /// Who the token belongs to; `nil` when it is unknown, expired, or its account is gone.
    ///
    /// - Parameter isActivity: whether the request is a person's: what a page fetches by itself does not keep a session alive.
    package func authenticate(_ token: SecretToken, isActivity: Bool, at now: Timestamp) async throws -> SignedIn? {
        let digest = token.digest
        guard let session = try await store.session(digest: digest) else { return nil }
        guard rules.isValid(session, at: now) else {
            try await store.deleteSession(digest: digest)
            return nil
        }
        guard let account = try await store.account(id: session.accountID), !account.isDisabled else { return nil }
        if isActivity, rules.needsTouch(session, at: now) { try await store.touchSession(digest: digest, at: now) }
        return SignedIn(account: account, token: token, means: session.means)
    }

    /// On whose behalf an API token speaks; `nil` when it is unknown, expired or revoked, or its account is gone or disabled.
    package func authenticate(apiToken secret: SecretToken, at now: Timestamp) async throws -> SignedIn? {
        try await authenticate(digest: secret.digest, at: now)
    }

    /// Whether an API token may hand in logs: what only looks like one, or has other scopes, may not.
    package func mayIngest(apiToken secret: SecretToken, at now: Timestamp) async throws -> Bool {
        try await authenticate(apiToken: secret, at: now)?.scopes?.contains { $0.covers(.ingest) } ?? false
    }

    private func authenticate(digest: TokenDigest, at now: Timestamp) async throws -> SignedIn? {
        guard let token = try await store.token(digest: digest), now < token.expiresAt,
            let account = try await store.account(id: token.accountID), !account.isDisabled
        else { return nil }
        if token.lastUsedAt.map({ now >= $0.advanced(bySeconds: rules.touchInterval) }) ?? true {
            try await store.touchToken(id: token.id, at: now)
        }
        return SignedIn(account: account, apiToken: token)
    }

    /// Whether what let somebody in still does; for streams that outlive a request. Watching is no activity.
    package func isStillValid(_ signedIn: SignedIn, at now: Timestamp) async throws -> Bool {
        switch signedIn.credential {
        case .session(let token): try await authenticate(token, isActivity: false, at: now) != nil
        case .apiToken(let token): try await authenticate(digest: token.digest, at: now) != nil
        }
    }

    /// Ends the session on the server; the cookie alone would leave a stolen token usable.
    package func signOut(_ signedIn: SignedIn, address: String, at now: Timestamp) async throws -> AuditRecord {
        if let token = signedIn.token { try await store.deleteSession(digest: token.digest) }
        return AuditRecord(kind: .signedOut, account: signedIn.accountName, address: address, time: now)
    }

    func openSession(
        for account: Account, means: SignInMeans = .password, replacing old: SecretToken?, at now: Timestamp
    ) async throws -> SignedIn {
        if let old { try await store.deleteSession(digest: old.digest) }
        try await store.deleteSessions(
            createdBefore: now.advanced(bySeconds: -rules.absolute), lastSeenBefore: now.advanced(bySeconds: -rules.idle))
        let token = SecretToken(bits: 256, from: randomness)
        try await store.insertSession(
            SignInSession(digest: token.digest, accountID: account.id, createdAt: now, lastSeenAt: now, means: means))
        return SignedIn(account: account, token: token, means: means)
    }

    private func knownName(_ name: String?) async throws -> String? {
        guard let name else { return nil }
        return try await store.account(named: name)?.name
    }
}

/// What became of a sign-in.
package enum SignInOutcome: Sendable {
    case signedIn(SignedIn, audit: AuditRecord)
    /// The password was right; the token stands for that, for a few minutes.
    case codeNeeded(SecretToken)
    /// Wrong name or wrong password: the caller must not say which.
    case refused(audit: AuditRecord)
    case limited(retryAfterSeconds: Int64, audit: AuditRecord?)
    /// Too many sign-ins are waiting for a core.
    case busy
}

/// A person with an open session, or a program with a token.
package struct SignedIn: Sendable, Equatable {
    package enum Credential: Sendable, Equatable {
        case session(SecretToken)
        case apiToken(APIToken)
    }

    package let accountID: String
    package let accountName: String
    package let role: Role
    /// Of the account, or of the provider at this sign-in.
    package let hasSecondFactor: Bool
    package let credential: Credential
    /// `nil` for a program.
    package let means: SignInMeans?

    package init(account: Account, token: SecretToken, means: SignInMeans = .password) {
        self.init(account: account, credential: .session(token), means: means)
    }

    package init(account: Account, apiToken: APIToken) {
        self.init(account: account, credential: .apiToken(apiToken), means: nil)
    }

    private init(account: Account, credential: Credential, means: SignInMeans?) {
        accountID = account.id
        accountName = account.name
        role = account.role
        hasSecondFactor = account.hasSecondFactor || means == .providerWithSecondFactor
        self.credential = credential
        self.means = means
    }

    /// The session's, for the cookie and the tokens of forms; `nil` for a program.
    package var token: SecretToken? {
        if case .session(let token) = credential { token } else { nil }
    }

    /// What a program's token allows; `nil` for a person, who may do all that the role allows.
    package var scopes: Set<TokenScope>? {
        if case .apiToken(let token) = credential { token.scopes } else { nil }
    }

    /// As the journal names who did something: the account, or the token that acted for it.
    package var authorID: String {
        if case .apiToken(let token) = credential { "token:\(token.id)" } else { accountID }
    }
}

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
    package let rules: SessionRules
    private let delay: @Sendable (_ milliseconds: Int64) async throws -> Void
    /// Once an account exists it stays so; spares a database read per page.
    private let knowsAccounts = Mutex(false)

    /// - Parameter delay: how an answer is held back; tests pass one that returns at once.
    package init(
        store: any AccountStore, hasher: PasswordHasher, rules: SessionRules = SessionRules(),
        limits: SignInThrottle.Limits = SignInThrottle.Limits(), randomness: Randomness = .system,
        delay: @escaping @Sendable (_ milliseconds: Int64) async throws -> Void = { try await Task.sleep(for: .milliseconds($0)) }
    ) {
        self.store = store
        self.hasher = hasher
        self.rules = rules
        self.randomness = randomness
        self.delay = delay
        throttle = Mutex(SignInThrottle(limits: limits))
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
        let stored = isTooLong ? nil : account.map { PasswordHash(phc: $0.passwordHash) }
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
        guard let account = try await store.account(id: session.accountID) else { return nil }
        if isActivity, rules.needsTouch(session, at: now) { try await store.touchSession(digest: digest, at: now) }
        return SignedIn(account: account, token: token)
    }

    /// Ends the session on the server; the cookie alone would leave a stolen token usable.
    package func signOut(_ signedIn: SignedIn, address: String, at now: Timestamp) async throws -> AuditRecord {
        try await store.deleteSession(digest: signedIn.token.digest)
        return AuditRecord(kind: .signedOut, account: signedIn.accountName, address: address, time: now)
    }

    func openSession(for account: Account, replacing old: SecretToken?, at now: Timestamp) async throws -> SignedIn {
        if let old { try await store.deleteSession(digest: old.digest) }
        try await store.deleteSessions(
            createdBefore: now.advanced(bySeconds: -rules.absolute), lastSeenBefore: now.advanced(bySeconds: -rules.idle))
        let token = SecretToken(bits: 256, from: randomness)
        try await store.insertSession(
            SignInSession(digest: token.digest, accountID: account.id, createdAt: now, lastSeenAt: now))
        return SignedIn(account: account, token: token)
    }

    private func knownName(_ name: String?) async throws -> String? {
        guard let name else { return nil }
        return try await store.account(named: name)?.name
    }
}

/// What became of a sign-in.
package enum SignInOutcome: Sendable {
    case signedIn(SignedIn, audit: AuditRecord)
    /// Wrong name or wrong password: the caller must not say which.
    case refused(audit: AuditRecord)
    case limited(retryAfterSeconds: Int64, audit: AuditRecord?)
    /// Too many sign-ins are waiting for a core.
    case busy
}

/// A person with an open session.
package struct SignedIn: Sendable, Equatable {
    package let accountID: String
    package let accountName: String
    package let role: Role
    /// For the cookie, and for nothing else.
    package let token: SecretToken

    package init(account: Account, token: SecretToken) {
        accountID = account.id
        accountName = account.name
        role = account.role
        self.token = token
    }
}

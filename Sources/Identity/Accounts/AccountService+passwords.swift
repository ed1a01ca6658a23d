package import Events
import Synchronization

extension AccountService {
    /// Whose link it is; `nil` when it is unknown, used or expired.
    package func link(_ secret: SecretToken, at now: Timestamp) async throws -> (account: Account, kind: AccountLink.Kind)? {
        guard let link = try await store.link(digest: secret.digest), now < link.expiresAt,
            let account = try await store.account(id: link.accountID), !account.isDisabled
        else { return nil }
        return (account, link.kind)
    }

    /// Sets the password that the reader of a link chose. It signs nobody in: that is done with it, and whatever else is asked then.
    ///
    /// - Returns: the name of the account.
    package func redeem(
        _ secret: SecretToken, password: String, address: String, at now: Timestamp
    ) async throws -> String {
        guard let (account, kind) = try await link(secret, at: now) else { throw Self.deadLink }
        if let violation = PasswordPolicy.violation(of: password, name: account.name) {
            throw AccountRefusal(.invalid, "that password will not do", violation.advice)
        }
        let hash = try await hash(password)
        try await audit(
            AuditRecord(
                kind: .linkUsed, account: account.name, address: address, time: now,
                details: ["account": account.id, "link": kind.rawValue]))
        guard try await store.redeemLink(digest: secret.digest, passwordHash: hash.phc) else { throw Self.deadLink }
        return account.name
    }

    /// Replaces a password by somebody who knows it, and ends all other sessions: who changes it may do so because of one of them.
    ///
    /// Guessing the old one is slowed down as at the sign-in: a stolen session must not become a password.
    package func changePassword(
        of signedIn: SignedIn, from old: String, to new: String, address: String, at now: Timestamp
    ) async throws {
        guard let token = signedIn.token else {
            throw AccountRefusal(.notAllowed, "a token cannot change a password", "sign in with a browser")
        }
        let account = try await account(id: signedIn.accountID)
        guard account.provider == nil else { throw Self.atProvider }
        if let violation = PasswordPolicy.violation(of: new, name: account.name) {
            throw AccountRefusal(.invalid, "the new password will not do", violation.advice)
        }
        try await checkPassword(old, of: account, address: address, at: now)
        let hash = try await hash(new)
        try await audit(
            AuditRecord(
                kind: .passwordChanged, account: account.name, address: address, time: now, details: ["account": account.id]))
        try await store.updatePasswordHash(hash.phc, accountID: account.id)
        try await store.deleteSessions(accountID: account.id, except: token.digest)
    }

    /// Asks once more for the password before something that a stolen session must not be able to do.
    func checkPassword(_ password: String, of account: Account, address: String, at now: Timestamp) async throws {
        let verdict = identity.throttle.withLock { $0.begin(account: account.name, address: address, at: now) }
        if case .wait(let seconds, _) = verdict {
            throw AccountRefusal(
                .limited, "there were too many wrong passwords", "try again in \(seconds) s", retryAfter: seconds)
        }
        let matches: Bool
        do {
            let isPossible = password.utf8.count <= PasswordPolicy.maximumBytes && account.hasPassword
            matches = try await identity.hasher.verify(
                isPossible ? password : "", against: isPossible ? PasswordHash(phc: account.passwordHash) : nil)
        } catch let error as IdentityError where error.code == .busy {
            throw Self.busy
        }
        guard matches else {
            try await audit(
                AuditRecord(
                    kind: .passwordChangeFailed, account: account.name, address: address, time: now,
                    details: ["account": account.id]))
            throw AccountRefusal(.invalid, "the present password is wrong", "type it again")
        }
        identity.throttle.withLock { $0.succeeded(account: account.name, address: address) }
    }

    private func hash(_ password: String) async throws -> PasswordHash {
        do {
            return try await identity.hasher.hash(password)
        } catch let error as IdentityError where error.code == .busy {
            throw Self.busy
        }
    }

    private static let busy = AccountRefusal(.busy, "too many sign-ins are waiting", "try again in a few seconds")
    /// Whoever comes through a provider has everything that belongs to signing in there.
    static let atProvider = AccountRefusal(
        .notAllowed, "this account signs in through the provider",
        "do it there: here it has no password, no code and no role of its own")
    static let deadLink = AccountRefusal(
        .notAllowed, "this link is used up or too old", "ask the admin who sent it for a new one")
}

package import Events
import Synchronization

extension SignInService {
    /// Makes a new one-time token for the first account, and forgets the one before it.
    ///
    /// Call it at each start and print the result on the terminal: whoever can read the terminal owns the installation.
    /// - Returns: `nil` when an account exists.
    package func issueSetupToken() async throws -> String? {
        guard try await !hasAccounts() else { return nil }
        let text = SetupToken.generate(from: randomness)
        try await store.setSetupTokenDigest(SetupToken.secret(typed: text).digest)
        return text
    }

    /// Makes the first account, an admin, and signs it in.
    ///
    /// The token is checked before anything else costs time, and is used up in the same transaction that adds the account.
    package func setUp(
        token: String, name: String, password: String, address: String, at now: Timestamp
    ) async throws -> SetupOutcome {
        let refused = AuditRecord(kind: .setupRefused, account: nil, address: address, time: now)
        // 130 random bits need no throttle against guessing; it keeps the journal from filling up with refusals.
        let verdict = throttle.withLock { $0.begin(account: "", address: address, at: now) }
        if case .wait(let seconds, let isFirst) = verdict {
            return .refused(.limited(retryAfterSeconds: seconds), audit: isFirst ? refused : nil)
        }
        guard try await !hasAccounts() else { return .refused(.accountExists, audit: refused) }
        let digest = SetupToken.secret(typed: token).digest
        guard let stored = try await store.setupTokenDigest(), constantTimeEquals(stored.hex, digest.hex) else {
            return .refused(.wrongToken, audit: refused)
        }
        throttle.withLock { $0.succeeded(account: "", address: address) }
        guard let name = AccountName.normalized(name) else { return .refused(.invalidName, audit: nil) }
        if let violation = PasswordPolicy.violation(of: password, name: name) {
            return .refused(.password(violation), audit: nil)
        }
        let hash: PasswordHash
        do {
            hash = try await hasher.hash(password)
        } catch let error as IdentityError where error.code == .busy {
            return .refused(.busy, audit: nil)
        }
        let account = Account(
            id: SecretToken(bits: 128, from: randomness).text, name: name, role: .admin, passwordHash: hash.phc, createdAt: now)
        guard try await store.createFirstAccount(account, consuming: digest) else {
            return .refused(.accountExists, audit: refused)
        }
        let signedIn = try await openSession(for: account, replacing: nil, at: now)
        return .created(
            signedIn, audit: AuditRecord(kind: .setupCompleted, account: name, address: address, time: now))
    }
}

/// What became of the first visit.
package enum SetupOutcome: Sendable {
    case created(SignedIn, audit: AuditRecord)
    case refused(SetupRefusal, audit: AuditRecord?)
}

package enum SetupRefusal: Sendable, Equatable {
    case accountExists
    case wrongToken
    case invalidName
    case password(PasswordPolicy.Violation)
    case limited(retryAfterSeconds: Int64)
    case busy
}

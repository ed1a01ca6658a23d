package import Events
import Synchronization

/// Somebody whose password was right, and who has not shown the second factor yet. In memory only: a restart asks again.
struct PendingSignIn: Sendable {
    /// Long enough to find the telephone.
    static let life: Int64 = 300
    /// Wrong codes on one password; then the password is asked for again.
    static let mostFailures = 5
    /// Sign-ins that may wait at once; the oldest makes room.
    static let mostWaiting = 1000

    var accountID: String
    var began: Timestamp
    var failures = 0
}

extension SignInService {
    /// Whether the role has to have a second factor.
    package func requiresSecondFactor(_ role: Role) -> Bool { secondFactorRoles.contains(role) }

    func waitForCode(_ account: Account, at now: Timestamp) -> SecretToken {
        let token = SecretToken(bits: 256, from: randomness)
        pending.withLock { pending in
            pending = pending.filter { now < $0.value.began.advanced(bySeconds: PendingSignIn.life) }
            if pending.count >= PendingSignIn.mostWaiting,
                let oldest = pending.min(by: { $0.value.began < $1.value.began })
            {
                pending[oldest.key] = nil
            }
            pending[token.digest] = PendingSignIn(accountID: account.id, began: now)
        }
        return token
    }

    /// Takes a code of the authenticator, or a recovery code, from somebody whose password was right.
    ///
    /// Wrong codes count per account over all addresses: whoever gets here knows the password, so nobody else can be locked out by it.
    package func signIn(
        code: String, pending token: SecretToken, address: String, replacing old: SecretToken?, at now: Timestamp
    ) async throws -> CodeOutcome {
        let waiting = pending.withLock { $0[token.digest] }
        guard let waiting, now < waiting.began.advanced(bySeconds: PendingSignIn.life),
            waiting.failures < PendingSignIn.mostFailures,
            let account = try await store.account(id: waiting.accountID), !account.isDisabled
        else { return .startAgain }
        let verdict = codeThrottle.withLock { $0.begin(account: account.id, address: "", at: now) }
        switch verdict {
        case .wait(let seconds, let isFirst):
            let record = AuditRecord(kind: .signInLimited, account: account.name, address: address, time: now)
            return .limited(retryAfterSeconds: seconds, audit: isFirst ? record : nil)
        case .proceed: break
        }
        // Counted before it is known to be wrong: many at once must not all pass.
        pending.withLock { $0[token.digest]?.failures += 1 }
        var audits: [AuditRecord] = []
        if try await takeCode(code, of: account, at: now) == false {
            guard try await store.useRecoveryCode(digest: RecoveryCode.secret(typed: code).digest, accountID: account.id) else {
                return .refused(
                    audit: AuditRecord(kind: .codeRefused, account: account.name, address: address, time: now))
            }
            let left = try await store.recoveryCodeCount(accountID: account.id)
            audits.append(
                AuditRecord(
                    kind: .recoveryCodeUsed, account: account.name, address: address, time: now, details: ["left": "\(left)"]))
        }
        guard pending.withLock({ $0.removeValue(forKey: token.digest) }) != nil else { return .startAgain }
        codeThrottle.withLock { $0.succeeded(account: account.id, address: "") }
        let session = try await openSession(for: account, replacing: old, at: now)
        audits.append(AuditRecord(kind: .signedIn, account: account.name, address: address, time: now))
        return .signedIn(session, audits: audits)
    }

    /// Whether it is a code of the account's authenticator that was not taken before; then it is taken now.
    func takeCode(_ code: String, of account: Account, at now: Timestamp) async throws -> Bool {
        guard let factor = try await store.secondFactor(accountID: account.id), factor.since != nil,
            let step = TimeCode(secret: factor.secret).step(of: code, at: now)
        else { return false }
        return try await store.advanceSecondFactor(accountID: account.id, to: step)
    }
}

/// What became of a code.
package enum CodeOutcome: Sendable {
    case signedIn(SignedIn, audits: [AuditRecord])
    case refused(audit: AuditRecord)
    case limited(retryAfterSeconds: Int64, audit: AuditRecord?)
    /// The password is too long ago, or too many codes were wrong.
    case startAgain
}

package import Events
import Synchronization

/// Lets people in through an OpenID Connect provider: authorization codes with PKCE, accounts bound to issuer and subject.
///
/// What it does to accounts is journalled before it is done. Thread-safe; copies share what they remember.
package struct OpenIDSignIn: Sendable {
    package let provider: OpenIDProvider
    let identity: SignInService
    let audit: @Sendable (AuditRecord) async throws -> Void
    private let used = UsedAttempts()

    /// Under which attempts are slowed down; no account can be called so.
    private static let throttled = ":openid"

    package init(
        _ provider: OpenIDProvider, _ identity: SignInService, audit: @escaping @Sendable (AuditRecord) async throws -> Void
    ) {
        self.provider = provider
        self.identity = identity
        self.audit = audit
    }

    package var options: OpenIDOptions { provider.options }

    /// What the provider sent the browser back with: anything.
    package struct Answer: Sendable {
        package var state: String?
        package var code: String?
        package var error: String?
        package var issuer: String?

        package init(state: String?, code: String?, error: String? = nil, issuer: String? = nil) {
            self.state = state
            self.code = code
            self.error = error
            self.issuer = issuer
        }
    }

    package enum Outcome: Sendable {
        case signedIn(SignedIn, next: String)
        case refused(OpenIDRefusal)
    }

    /// - Parameter next: where the person wanted to go.
    /// - Returns: where the browser is sent, and what it keeps.
    package func begin(
        next: String, returningTo address: String, at now: Timestamp
    ) async throws(OpenIDProblem) -> (location: String, attempt: OpenIDAttempt) {
        let attempt = OpenIDAttempt(secret: SecretToken(bits: 256, from: identity.randomness), began: now, next: next)
        return (try await provider.authorizationAddress(for: attempt, returningTo: address, at: now), attempt)
    }

    /// Takes what the provider answered.
    ///
    /// - Parameters:
    ///   - attempt: what the browser kept.
    ///   - returned: the address to which it was to come back, letter by letter as it was sent there.
    ///   - address: the browser's.
    package func finish(
        _ answer: Answer, attempt: OpenIDAttempt?, returnedTo returned: String, address: String, at now: Timestamp
    ) async throws -> Outcome {
        // Before anything is believed, written or asked: an answer that this browser did not wait for is nobody's.
        guard let attempt, attempt.isAlive(at: now), let state = answer.state, constantTimeEquals(state, attempt.state) else {
            return .refused(.notExpected)
        }
        let verdict = identity.throttle.withLock { $0.begin(account: Self.throttled, address: address, at: now) }
        if case .wait(let seconds, _) = verdict { return .refused(.limited(seconds: seconds)) }
        // Once, whatever becomes of it: a code that was seen elsewhere is not tried a second time.
        guard used.insert(attempt, at: now) else { return .refused(.notExpected) }
        let person: OpenIDIdentity
        do throws(OpenIDProblem) {
            let code = try await code(answer, at: now)
            person = try await provider.identity(code: code, attempt: attempt, returnedTo: returned, at: now)
        } catch {
            return try await refuse(.provider(error), account: nil, address: address, at: now)
        }
        identity.throttle.withLock { $0.succeeded(account: Self.throttled, address: address) }
        return try await letIn(person, next: attempt.next, address: address, at: now)
    }

    private func code(_ answer: Answer, at now: Timestamp) async throws(OpenIDProblem) -> String {
        // RFC 9207: an answer of another provider is not taken to this one.
        let namesIssuer = try await provider.metadata(at: now).namesIssuer
        guard answer.issuer.map({ $0 == options.issuer.text }) ?? !namesIssuer else {
            throw OpenIDProblem(.mismatch, "the answer is not of this provider", "sign in again")
        }
        if let error = answer.error {
            throw error == "access_denied"
                ? OpenIDProblem(.codeRefused, "the provider did not let you in", "ask whoever runs it")
                : OpenIDProblem(.codeRefused, "the provider answered with an error", "its log says which")
        }
        guard let code = answer.code, (1...4096).contains(code.utf8.count) else {
            throw OpenIDProblem(.malformed, "the provider sent no code", "sign in again")
        }
        return code
    }

    func refuse(
        _ refusal: OpenIDRefusal, account: Account?, address: String, at now: Timestamp
    ) async throws -> Outcome {
        try await audit(
            AuditRecord(
                kind: .providerRefused, account: account?.name, address: address, time: now,
                details: ["reason": refusal.code, "issuer": options.issuer.text]))
        return .refused(refusal)
    }
}

/// Attempts that came back, as long as they would count: each does so once.
private final class UsedAttempts: Sendable {
    /// The oldest make room. Each costs its sender an attempt that is slowed down by address.
    private static let most = 10_000
    private let times = Mutex<[TokenDigest: Timestamp]>([:])

    /// - Returns: `false` where it came back before.
    func insert(_ attempt: OpenIDAttempt, at now: Timestamp) -> Bool {
        times.withLock { times in
            guard times[attempt.secret.digest] == nil else { return false }
            if times.count >= Self.most {
                let life = OpenIDAttempt.life + IDTokenCheck.skew
                times = times.filter { now < $0.value.advanced(bySeconds: life) }
                if times.count >= Self.most, let oldest = times.min(by: { $0.value < $1.value }) { times[oldest.key] = nil }
            }
            times[attempt.secret.digest] = now
            return true
        }
    }
}

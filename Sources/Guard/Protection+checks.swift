import Events
import HTTPTypes
import Hummingbird
import Synchronization

public import struct FoundationEssentials.Date

extension Protection {
    /// Says who asks, and refuses them where they are disabled, their token, session or all of theirs is revoked, or they ask too often.
    ///
    /// Call it in the application's authentication, once the token is proved genuine and before anything is served for it:
    ///
    /// ```swift
    /// try protection.admit(Subject(user: claims.user, token: claims.id, session: claims.session, issued: claims.issued), in: &context)
    /// ```
    ///
    /// - Throws: ``Refusal`` with 401, 403, 429, or 503 while it is not known what is revoked; let it through to the middleware.
    public func admit<Context: GuardedContext>(_ subject: Subject, in context: inout Context) throws {
        context.facts.subject = subject
        switch decisions.verdict(on: subject, now: clocks.wall()) {
        case .none: break
        case .revoked(let id):
            refuse(.revoked, event: .tokenRefused(id: subject.token, reason: .revoked), decision: id, in: context)
            throw Refusal.revoked
        case .disabled(let id):
            refuse(.disabled, event: .authorizationDenied("request", reason: .forbidden), decision: id, in: context)
            throw Refusal.disabled
        case .unknown:
            guard configuration.vigie?.coldStart == .serve else {
                note(.undecided, facts: context.facts)
                throw Refusal.undecided
            }
        case .throttled(let id, let limit):
            let quota = limits.take(limit, key: .account(subject.user), now: clocks.monotonic())
            if quota.isExceeded {
                decisions.countRefusal(by: id)
                let refusal = Refusal.rateLimited(retryAfter: quota.seconds)
                note(refusal, decision: id, facts: context.facts)
                throw refusal
            }
        }
        if let limit = configuration.userLimit { try self.limit(limit, account: subject.user, in: context) }
    }

    /// Whether a user may not sign in. Ask at sign-in, before the password is tried, and answer as for a wrong one.
    public func isDisabled(user: String) -> Bool {
        decisions.isDisabled(user: user, now: clocks.wall())
    }

    /// Whether a user has to choose a new password before anything else, as Vigie decided. Ask at sign-in, once the password has proved
    /// right, and sign nobody in whose answer is `true`; ask again once a new one is set. It is so until then, or until the decision
    /// ends; tokens issued before the decision are refused in ``admit(_:in:)`` meanwhile.
    ///
    /// - Parameter changed: when the password was set; `nil` where the application does not know, which counts as before.
    public func mustResetPassword(user: String, changed: Date?) -> Bool {
        decisions.mustResetPassword(user: user, changed: changed.map { Timestamp($0) }, now: clocks.wall())
    }

    /// Refuses with 404 what Vigie has put in quarantine. Ask before an object is served.
    ///
    /// - Throws: ``Refusal``, also while it is not known what is in quarantine.
    public func checkAvailable<Context: GuardedContext>(_ resource: SecurityEvent.Resource, in context: Context) throws {
        if let id = decisions.quarantine(type: resource.type, id: resource.id, now: clocks.wall()) {
            refuse(.quarantined, event: .readDenied(resource, reason: .forbidden), decision: id, in: context)
            throw Refusal.quarantined
        }
        if decisions.read({ !$0.isKnown }), configuration.vigie?.coldStart != .serve {
            note(.undecided, facts: context.facts)
            throw Refusal.undecided
        }
    }

    /// Counts a request of one route against a limit of its own, by the client's address.
    ///
    /// - Throws: ``Refusal`` with 429.
    public func limit<Context: GuardedContext>(_ limit: RateLimit, in context: Context) throws {
        guard let address = context.facts.arrival?.client else { return }
        try take(limit, key: .address(address), facts: context.facts)
    }

    /// Counts a request against a limit of an account: a sign-in by the name that was typed, an upload by the user.
    ///
    /// - Throws: ``Refusal`` with 429.
    public func limit<Context: GuardedContext>(_ limit: RateLimit, account: String, in context: Context) throws {
        try take(limit, key: .account(account), facts: context.facts)
    }

    func take(_ limit: RateLimit, key: RateLimitKey, facts: RequestFacts) throws {
        let quota = limits.take(limit, key: key, now: clocks.monotonic())
        facts.arrival?.quotas.withLock { $0.append(quota) }
        guard quota.isExceeded else { return }
        let refusal = Refusal.rateLimited(retryAfter: quota.seconds)
        note(refusal, action: limit.name, facts: facts)
        throw refusal
    }

    private func refuse<Context: GuardedContext>(_ refusal: Refusal, event: SecurityEvent, decision: String, in context: Context)
    {
        guard count(refusal, facts: context.facts) else { return }
        context.record(
            event.with {
                $0.status = refusal.status.code
                $0.details["vigie.decision.id"] = decision
            })
    }
}

package import Events

/// Somebody's word that findings of some kind are not to alarm anybody, until a moment that is named.
///
/// One shape for two purposes. A silence says "we know of it": what it takes opens no incident and raises none, and still stands with the
/// findings of an incident that is open. An exception says "this is no attack": what it takes joins no incident; only with those of a
/// restricted one it stands, for its readers alone to know.
package struct Silence: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case silence, exception

        /// The longest, in seconds: what nobody renews on purpose ends.
        package var longest: Int64 { (self == .silence ? 90 : 365) * 86_400 }
    }

    /// How it ended before its time, or that its time was over.
    package enum End: Sendable, Hashable {
        /// `reason` is `nil` once its author's key was erased.
        case ended(by: Author, at: Timestamp, reason: String?)
        /// Somebody has been told so.
        case expired
    }

    package enum State: String, Sendable {
        case active, ended, expired
        /// What it matches was erased with the person whom it names: it takes nothing any more.
        case erased
    }

    /// `S-1`, `S-2`, …
    package var id: String
    package var kind: Kind
    package var matcher: SilenceMatcher
    /// `nil` once its author's key was erased.
    package var reason: String?
    package var author: Author
    package var createdAt: Timestamp
    /// From this very instant on it takes nothing.
    package var until: Timestamp
    /// It takes findings of P0 and of canaries too: a commander said so, of one rule and of exactly whom.
    package var takesCritical: Bool
    /// Where the finding stood that it was made from.
    package var incident: String?
    package var end: End?
    package var isErased = false

    package init(
        id: String, kind: Kind, matcher: SilenceMatcher, reason: String?, author: Author, createdAt: Timestamp, until: Timestamp,
        takesCritical: Bool = false, incident: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.matcher = matcher
        self.reason = reason
        self.author = author
        self.createdAt = createdAt
        self.until = until
        self.takesCritical = takesCritical
        self.incident = incident
    }

    // Inlined where orders are decided, it makes the optimiser of Swift 6.3.1 give up (CopyPropagation, "Found ownership error").
    @inline(never)
    package func state(at now: Timestamp) -> State {
        switch end {
        case .ended: .ended
        // A clock that goes back does not bring back what was said to be over.
        case .expired: .expired
        case nil: now >= until ? .expired : isErased ? .erased : .active
        }
    }

    /// Whether it takes a finding that is recorded at that time.
    package func takes(_ finding: SilenceMatcher.Subject, at now: Timestamp) -> Bool {
        state(at: now) == .active && (takesCritical || !finding.isCritical) && matcher.matches(finding)
    }
}

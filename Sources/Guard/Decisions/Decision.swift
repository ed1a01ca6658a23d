import Events

/// One measure of containment that Vigie has decided, as it is enforced here.
///
/// The wire format is `docs/guard.md`; the decision's own bytes are kept for the cache.
struct Decision: Sendable, Equatable {
    enum Measure: Sendable, Equatable {
        case block(AddressBlock)
        case throttleAddress(AddressBlock, RateLimit)
        case throttleUser(String, RateLimit)
        case revokeToken(String)
        case revokeSession(String)
        /// Everything issued before a moment; `.distantFuture` revokes what will be issued, too, until it is lifted.
        case revokeUser(String, before: Timestamp)
        case revokeEveryone(before: Timestamp)
        case disable(user: String)
        /// Everything issued before a moment is void, and a password that was set before it is no longer enough.
        case resetPassword(user: String, before: Timestamp)
        case maintenance(RoutePattern, retryAfter: Int?)
        case quarantine(type: String, id: String)
        /// Of a kind that this version does not know, or without what its kind needs: kept, reported, not enforced.
        case unknown(String)
    }

    let id: String
    let measure: Measure
    /// `nil` for one that stands until it is lifted.
    let expires: Timestamp?
    /// The decision as JSON, for the cache.
    let json: [UInt8]

    func isOver(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }

    /// The name that read-back counts it under.
    var verb: String {
        switch measure {
        case .block: "block"
        case .throttleAddress, .throttleUser: "throttle"
        case .revokeToken, .revokeSession, .revokeUser, .revokeEveryone: "revoke"
        case .disable: "disable"
        case .resetPassword: "reset_password"
        case .maintenance: "maintenance"
        case .quarantine: "quarantine"
        case .unknown: "unknown"
        }
    }
}

package import Events
package import Guard

/// Somebody who may have documents here.
package struct PlatformAccount: Sendable, Equatable {
    package var id: Int64
    /// Trimmed and in lower case; unique.
    package var email: String
    /// Unique in either case.
    package var login: String
    package var createdAt: Timestamp
    package var disabledAt: Timestamp?

    /// `user.id` in events and leases.
    package var subject: String { String(id) }
}

/// Why nothing was done about an account; `message` is what the client reads.
package enum AccountRefusal: Error, Sendable, Equatable {
    case invalid(message: String)
    /// One answer for both, so that it does not say which.
    case exists
    /// One answer whatever the reason; the log tells them apart.
    case badCredentials(SecurityEvent.LoginFailure)
    /// Too many attempts; seconds to wait.
    case wait(seconds: Int)
}

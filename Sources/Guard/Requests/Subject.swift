public import struct FoundationEssentials.Date

/// Who asks, once the application has checked it: the user, and what proved it.
public struct Subject: Sendable, Equatable {
    /// The user's identifier, the same that events name `user.id` and Vigie is told.
    public var user: String
    /// The token's identifier or a hash of it; never the token.
    public var token: String?
    /// The session that the token belongs to.
    public var session: String?
    /// When the token was issued. Revoking everything that a user was issued before some time asks for it; without it such a token
    /// counts as issued before.
    public var issued: Date?

    /// A checked user.
    public init(user: String, token: String? = nil, session: String? = nil, issued: Date? = nil) {
        self.user = user
        self.token = token
        self.session = session
        self.issued = issued
    }
}

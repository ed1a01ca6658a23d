package import Events
package import Identity

/// A token as it is handed out, once.
package struct IssuedToken: Sendable {
    /// 256 random bits in hexadecimal; only their digest is kept.
    package var token: SecretToken
    package var session: String
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp

    /// `token.id` in events and leases.
    package var id: String { TokenRecord.id(of: token.digest) }
    /// `expires_in` of the answer.
    package var seconds: Int64 { expiresAt.seconds - issuedAt.seconds }
}

/// What is known of a token that somebody showed.
package struct TokenRecord: Sendable, Equatable {
    package var account: PlatformAccount
    package var id: String
    package var session: String
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp
    /// It was exchanged for another one.
    package var isReplaced: Bool
    package var isEnded: Bool

    /// Half of the digest: enough to tell tokens apart, and no way back to one.
    static func id(of digest: TokenDigest) -> String { String(digest.hex.prefix(32)) }
}

/// Why a token was refused.
package enum TokenRefusal: Error, Sendable, Equatable {
    case unknown
    case expired(id: String)
    case revoked(id: String)
    /// Came to be exchanged a second time: it was stolen, or its successor was. The whole session is over.
    case replayed(id: String, account: Int64)
    case disabled(id: String)
}

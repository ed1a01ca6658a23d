extension SecurityEvent {
    /// What was done with a watermark.
    public enum WatermarkAction: String, Sendable, CaseIterable {
        /// Compared with what it should be.
        case verify = "watermark_verify"
        /// Read.
        case read = "watermark_read"
        /// Put in.
        case create = "watermark_create"
    }

    /// What was wrong with a watermark.
    public enum WatermarkFault: String, Sendable, CaseIterable {
        /// Says something else than it should: tampering.
        case mismatch
        /// Was there and is not: tampering.
        case missing
        /// The file is not what it was: tampering.
        case hashMismatch = "hash_mismatch"
        /// The key does not open it.
        case wrongKey = "wrong_key"
        /// Never had one.
        case notMarked = "not_marked"
    }

    /// What was wrong with an RMAP handshake.
    public enum HandshakeFault: String, Sendable, CaseIterable {
        /// Nobody of that name.
        case unknownIdentity = "unknown_identity"
        /// Cannot be decrypted.
        case decryptionFailed = "decryption_failed"
        /// Not the number that was given.
        case nonceMismatch = "nonce_mismatch"
        /// A number that was used before.
        case nonceReused = "nonce_reused"
        /// More are under way than may be.
        case tooMany = "too_many"
        /// The process that read the message died of it.
        case parserKilled = "parser_killed"
    }

    /// A watermark was made, read or checked.
    public static func watermark(_ action: WatermarkAction, resource: Resource, fault: WatermarkFault? = nil) -> SecurityEvent {
        SecurityEvent(action.rawValue, category: "file", outcome: fault == nil ? .success : .failure, reason: fault?.rawValue)
            .with { $0.resource = resource }
    }

    /// A step of an RMAP handshake; `identity` is the one claimed.
    public static func rmapHandshake(identity: String, fault: HandshakeFault? = nil) -> SecurityEvent {
        SecurityEvent("rmap_handshake", category: "web", outcome: fault == nil ? .success : .failure, reason: fault?.rawValue)
            .with { $0.name = identity }
    }

    /// A canary was touched. `isUpkeep` is for its planned rotation.
    public static func canaryAccessed(id: String, isUpkeep: Bool = false) -> SecurityEvent {
        SecurityEvent(
            "canary_access", category: "file", outcome: .success, reason: isUpkeep ? "rotation" : nil,
            level: isUpkeep ? .info : .error
        ).with { $0.resource = Resource("canary", id: id) }
    }

    /// A canary is not what it was.
    public static func canaryDamaged(id: String, isMissing: Bool) -> SecurityEvent {
        SecurityEvent(
            "canary_integrity", category: "file", outcome: .failure, reason: isMissing ? "missing" : "hash_mismatch",
            level: .error
        ).with { $0.resource = Resource("canary", id: id) }
    }

    /// The database refused or failed; `reason` is `syntax_error`, `timeout`, …
    public static func databaseFailed(reason: String) -> SecurityEvent {
        SecurityEvent("database_error", category: "database", outcome: .failure, reason: reason, level: .error)
    }

    /// Something failed that nobody foresaw, and the request was answered all the same.
    public static func recovered(message: String) -> SecurityEvent {
        SecurityEvent("panic_recovered", category: "process", outcome: .failure, level: .error).with {
            $0.details["message"] = message
        }
    }

    /// A limiter refused `action`.
    public static func rateLimited(_ action: String) -> SecurityEvent {
        SecurityEvent(action, category: "web", outcome: .failure, reason: "rate_limited")
    }

    /// A message came to the mailbox for security reports.
    public static let securityReport = SecurityEvent("security_report", category: "email", outcome: .success)
}

extension SecurityEvent {
    /// Why a sign-in was refused.
    public enum LoginFailure: String, Sendable, CaseIterable {
        /// The password or the second factor was wrong.
        case badCredentials = "bad_credentials"
        /// There is no such account.
        case invalidUser = "invalid_user"
        /// Too many failures before.
        case accountLocked = "account_locked"
        /// Switched off.
        case accountDisabled = "account_disabled"
        /// A limiter refused.
        case rateLimited = "rate_limited"
    }

    /// Why a token was refused.
    public enum TokenFailure: String, Sendable, CaseIterable {
        /// The signature does not fit.
        case badSignature = "bad_signature"
        /// Signed with a key nobody knows.
        case unknownKey = "unknown_key"
        /// Issued elsewhere.
        case wrongIssuer = "wrong_issuer"
        /// Issued for somebody else.
        case wrongAudience = "wrong_audience"
        /// The token says that it needs no signature.
        case algorithmNone = "algorithm_none"
        /// Signed in another way than is accepted.
        case wrongAlgorithm = "wrong_algorithm"
        /// Its time is over.
        case expired = "token_expired"
        /// Taken back.
        case revoked = "token_revoked"
        /// Not a token.
        case invalid = "token_invalid"
        /// A refresh token where an access token belongs, or the reverse.
        case wrongType = "wrong_token_type"
    }

    /// Somebody signed in. `reason` explains a success that is none of a password's alone.
    public static func loginSucceeded(user: String, name: String? = nil, reason: String? = nil) -> SecurityEvent {
        SecurityEvent("login", category: "authentication", outcome: .success, reason: reason).with {
            $0.user = user
            $0.name = name
        }
    }

    /// A sign-in was refused; `name` is what was typed.
    public static func loginFailed(name: String, reason: LoginFailure) -> SecurityEvent {
        SecurityEvent("login", category: "authentication", outcome: .failure, reason: reason.rawValue).with { $0.name = name }
    }

    /// An account was locked after failures.
    public static func accountLocked(name: String) -> SecurityEvent {
        SecurityEvent("account_lockout", category: "authentication", outcome: .failure).with { $0.name = name }
    }

    /// Somebody registered.
    public static func registered(user: String, name: String) -> SecurityEvent {
        SecurityEvent("register", category: "iam", outcome: .success).with {
            $0.user = user
            $0.name = name
        }
    }

    /// A registration was refused because there is such an account.
    public static func registrationFailed(name: String, reason: String = "account_exists") -> SecurityEvent {
        SecurityEvent("register", category: "iam", outcome: .failure, reason: reason).with { $0.name = name }
    }

    /// The subject gave `target` another role, or tried to.
    public static func roleChanged(target: String, outcome: Outcome = .success) -> SecurityEvent {
        SecurityEvent("role_changed", category: "iam", outcome: outcome).with { $0.target = target }
    }

    /// A token was issued. `id` is its identifier or a hash.
    public static func tokenIssued(id: String, user: String) -> SecurityEvent {
        SecurityEvent("token_issue", category: "session", outcome: .success).with {
            $0.token = id
            $0.user = user
        }
    }

    /// A token was refused.
    public static func tokenRefused(id: String? = nil, reason: TokenFailure) -> SecurityEvent {
        SecurityEvent("token_validate", category: "session", outcome: .failure, reason: reason.rawValue).with { $0.token = id }
    }

    /// A token was exchanged for the next one.
    public static func tokenRefreshed(id: String, user: String) -> SecurityEvent {
        SecurityEvent("token_refresh", category: "session", outcome: .success).with {
            $0.token = id
            $0.user = user
        }
    }

    /// A refresh token came a second time: it was stolen, or its successor was.
    public static func tokenReplayed(id: String, user: String?) -> SecurityEvent {
        SecurityEvent("token_refresh", category: "session", outcome: .failure, reason: "replayed").with {
            $0.token = id
            $0.user = user
        }
    }
}

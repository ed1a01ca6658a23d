package import Events

/// Why something cannot be done to an account. Nothing of it was done.
package struct AccountRefusal: OrderRefusing, Equatable {
    package enum Code: String, RefusalCode {
        case unknownAccount = "unknown_account"
        case unknownToken = "unknown_token"
        case notAllowed = "not_allowed"
        case alreadyDone = "already_done"
        case invalid
        case limited
        case busy

        package var kind: RefusalKind {
            switch self {
            case .unknownAccount, .unknownToken: .unknown
            case .notAllowed, .alreadyDone: .conflict
            case .invalid: .invalid
            case .limited: .limited
            case .busy: .unavailable
            }
        }
    }

    package var code: Code
    package var reason: String
    package var advice: String
    /// Seconds, where it is `limited`.
    package var retryAfter: Int64?

    package init(_ code: Code, _ reason: String, _ advice: String, retryAfter: Int64? = nil) {
        self.code = code
        self.reason = reason
        self.advice = advice
        self.retryAfter = retryAfter
    }
}

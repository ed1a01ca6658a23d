/// Why something cannot be done to an account. Nothing of it was done.
package struct AccountRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unknownAccount = "unknown_account"
        case unknownToken = "unknown_token"
        case notAllowed = "not_allowed"
        case alreadyDone = "already_done"
        case invalid
        case limited
        case busy
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

    package var description: String { "\(reason); \(advice)" }
}

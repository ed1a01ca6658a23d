/// Why a provider's answer is not taken, or none came. Carries no token, no claim and no secret: it is shown and logged.
package struct OpenIDProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// Nothing answers, or too slowly.
        case unreachable
        /// An answer that is not what the specification has.
        case malformed
        /// The provider and the configuration do not fit together.
        case mismatch
        /// The provider does not take the code.
        case codeRefused = "code_refused"
        /// The ID token proves nothing.
        case tokenRefused = "token_refused"
        /// Too many sign-ins wait for the provider.
        case busy
    }

    package var code: Code
    package var reason: String
    package var advice: String

    package init(_ code: Code, _ reason: String, _ advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }

    static func token(_ reason: String) -> OpenIDProblem {
        OpenIDProblem(.tokenRefused, reason, "sign in again; where it stays, the provider's settings for this client are wrong")
    }

    package var description: String { "\(reason); \(advice)" }
}

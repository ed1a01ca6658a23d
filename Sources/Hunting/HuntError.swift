/// Why a hunt cannot begin, and what to do about it.
package struct HuntError: Error, Sendable, Equatable, CustomStringConvertible {
    package var reason: String
    package var advice: String

    package init(_ reason: String, _ advice: String) {
        self.reason = reason
        self.advice = advice
    }

    package var description: String { "\(reason); \(advice)" }
}

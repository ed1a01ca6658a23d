/// Why something cannot be done to an incident. Nothing of it was done.
package struct IncidentRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case unknownIncident = "unknown_incident"
        case notAllowed = "not_allowed"
        case alreadyDone = "already_done"
        case invalid
        case forbidden
        /// Vigie could not, for a reason that has nothing to do with the order.
        case failed
    }

    package var code: Code
    package var reason: String
    package var advice: String

    package init(_ code: Code, _ reason: String, _ advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }

    package var description: String { "\(reason); \(advice)" }
}

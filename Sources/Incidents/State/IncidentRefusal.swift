package import Events

/// Why something cannot be done to an incident.
package typealias IncidentRefusal = OrderRefusal<IncidentRefusalCode>

package enum IncidentRefusalCode: String, RefusalCode {
    case unknownIncident = "unknown_incident"
    case notAllowed = "not_allowed"
    case alreadyDone = "already_done"
    case invalid
    case forbidden
    /// Vigie could not, for a reason that has nothing to do with the order.
    case failed

    package var kind: RefusalKind {
        switch self {
        case .unknownIncident: .unknown
        case .notAllowed, .alreadyDone: .conflict
        case .invalid: .invalid
        case .forbidden: .forbidden
        case .failed: .unavailable
        }
    }
}

/// What an account may do. Each role may do everything that the ones before it may.
package enum Role: String, Sendable, CaseIterable, Codable, Comparable {
    /// Reads.
    case viewer
    /// Works on incidents.
    case responder
    /// Leads an incident: severity, containment, closing.
    case commander
    /// Accounts and configuration.
    case admin

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .responder: 1
        case .commander: 2
        case .admin: 3
        }
    }

    /// Ordered by what they allow: `.viewer < .admin`.
    package static func < (left: Role, right: Role) -> Bool {
        left.rank < right.rank
    }
}

package import HTTPTypes
package import Identity

/// Who may use a route.
package enum Access: String, Sendable, Hashable, CaseIterable {
    /// Without a sign-in: sign-in itself, set-up, assets, health.
    case everybody
    // At least this role.
    case viewer, responder, commander, admin

    /// The least role; `nil` where nobody has to sign in.
    package var role: Role? { Role(rawValue: rawValue) }
}

/// A route as it was declared.
package struct RouteDeclaration: Sendable, Hashable {
    /// How somebody is answered who may not come in.
    package enum Surface: Sendable, Hashable {
        /// For browsers: to the sign-in page, and back afterwards. Takes no API token.
        case page
        /// For programs: an RFC 9457 problem.
        case api
    }

    package let method: HTTPRequest.Method
    /// With a leading slash, and parameters as `:name`.
    package let path: String
    package let access: Access
    package let surface: Surface

    /// Changes nothing.
    package var isReading: Bool { method == .get }

    /// The API token scope that the route needs besides the role. What changes something is never only reading.
    package var scope: TokenScope {
        switch access {
        case .admin: .admin
        case .responder, .commander: .respond
        case .everybody, .viewer: isReading ? .read : .respond
        }
    }
}

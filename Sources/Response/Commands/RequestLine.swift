/// The start line of an `http-api` command (CACAO §5.4): `POST /api/v1/leases HTTP/1.1`.
package struct RequestLine: Sendable, Hashable {
    package var method: String
    /// With its query.
    package var path: String

    /// `nil` where the text is none: the form of playbooks is checked before.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count >= 2, parts[1].hasPrefix("/") || parts[1].hasPrefix("http") else { return nil }
        method = String(parts[0])
        path = String(parts[1])
    }

    /// A path of an agent's address; one that names a host of its own is not taken: playbooks speak to whom they name.
    package static func join(_ address: String, _ path: String) -> String {
        let base = address.hasSuffix("/") ? String(address.dropLast()) : address
        return base + (path.hasPrefix("/") ? path : "/" + path)
    }
}

/// Which provider people sign in through, and what they may do then.
package struct OpenIDOptions: Sendable, Equatable {
    /// As the provider spells itself; compared letter by letter.
    package var issuer: OpenIDAddress
    package var clientID: String
    /// What people call the provider.
    package var name: String
    package var scopes: [String]
    /// The claim that a new account is named after.
    package var nameClaim: String
    /// The claim with groups or roles: a name, or a path with dots.
    package var rolesClaim: String
    /// What each group or role may do here; the highest counts. Who has none of them is refused.
    package var roles: [String: Role]
    /// Values of `acr` that stand for a second factor, besides `mfa` in `amr` (RFC 8176).
    package var strongContexts: Set<String>

    package init(
        issuer: OpenIDAddress, clientID: String, name: String = "single sign-on", scopes: [String] = ["openid", "profile"],
        nameClaim: String = "preferred_username", rolesClaim: String = "groups", roles: [String: Role],
        strongContexts: Set<String> = []
    ) {
        self.issuer = issuer
        self.clientID = clientID
        self.name = name
        self.scopes = scopes
        self.nameClaim = nameClaim
        self.rolesClaim = rolesClaim
        self.roles = roles
        self.strongContexts = strongContexts
    }

    /// `nil` where nothing that the provider says gives a role.
    func role(of claims: [String: ClaimValue]) -> Role? {
        (claims.claim(rolesClaim)?.texts ?? []).compactMap { roles[$0] }.max()
    }

    /// Whether the provider says that it asked for a second factor.
    func isStrong(_ claims: [String: ClaimValue]) -> Bool {
        (claims["amr"]?.texts ?? []).contains("mfa") || claims["acr"]?.text.map(strongContexts.contains) ?? false
    }
}

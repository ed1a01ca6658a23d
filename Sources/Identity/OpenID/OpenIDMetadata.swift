/// What a provider says about itself (OpenID Connect Discovery 1.0 section 3).
package struct OpenIDMetadata: Sendable, Equatable {
    package enum ClientAuthentication: String, Sendable {
        case basic = "client_secret_basic"
        case post = "client_secret_post"
        /// A public client: PKCE alone.
        case none
    }

    package let authorization: OpenIDAddress
    package let token: OpenIDAddress
    package let keys: OpenIDAddress
    package let userInfo: OpenIDAddress?
    package let endSession: OpenIDAddress?
    /// Answers name their issuer (RFC 9207).
    let namesIssuer: Bool
    private let authentications: [String]

    /// Where it is found.
    static func location(of issuer: OpenIDAddress) -> String {
        (issuer.text.hasSuffix("/") ? String(issuer.text.dropLast()) : issuer.text) + "/.well-known/openid-configuration"
    }

    init(_ bytes: [UInt8], issuer: OpenIDAddress) throws(OpenIDProblem) {
        guard let members = ClaimValue.object(bytes) else {
            throw OpenIDProblem(
                .malformed, "\(Self.location(of: issuer)) answers no JSON object", "check the issuer's address")
        }
        // Section 4.3: letter by letter, or somebody else's document would do.
        guard members["issuer"]?.text == issuer.text else {
            throw OpenIDProblem(
                .mismatch, "the provider calls itself by another name than \(issuer)",
                "write the issuer as its document has it, the slash at the end included")
        }
        authorization = try Self.address(members, "authorization_endpoint", issuer)
        token = try Self.address(members, "token_endpoint", issuer)
        keys = try Self.address(members, "jwks_uri", issuer)
        userInfo = members["userinfo_endpoint"] == nil ? nil : try Self.address(members, "userinfo_endpoint", issuer)
        endSession = members["end_session_endpoint"] == nil ? nil : try Self.address(members, "end_session_endpoint", issuer)
        namesIssuer = members["authorization_response_iss_parameter_supported"] == .flag(true)
        // Section 3: the default.
        authentications = members["token_endpoint_auth_methods_supported"]?.texts ?? [ClientAuthentication.basic.rawValue]
        if let types = members["response_types_supported"]?.texts, !types.contains("code") {
            throw OpenIDProblem(.mismatch, "the provider knows no authorization codes", "allow the authorization code flow there")
        }
        if let methods = members["code_challenge_methods_supported"]?.texts, !methods.contains("S256") {
            throw OpenIDProblem(.mismatch, "the provider knows no PKCE with S256 (RFC 7636)", "allow S256 there")
        }
        if let algorithms = members["id_token_signing_alg_values_supported"]?.texts,
            !algorithms.contains(where: { JSONWebToken.Algorithm(rawValue: $0) != nil })
        {
            throw OpenIDProblem(
                .mismatch, "the provider signs with nothing that can be checked here", "let it sign with RS256, ES256 or EdDSA")
        }
    }

    private static func address(
        _ members: [String: ClaimValue], _ name: String, _ issuer: OpenIDAddress
    ) throws(OpenIDProblem) -> OpenIDAddress {
        guard let address = members[name]?.text.flatMap({ OpenIDAddress($0, allowsPlain: issuer.isPlain) }) else {
            throw OpenIDProblem(
                .mismatch, "the provider's '\(name)' is no https address", "see \(Self.location(of: issuer))")
        }
        return address
    }

    /// How the client shows who it is.
    func authentication(hasSecret: Bool) throws(OpenIDProblem) -> ClientAuthentication {
        // Some providers leave `none` out of their list and take public clients all the same.
        guard hasSecret else { return .none }
        if authentications.contains(ClientAuthentication.basic.rawValue) { return .basic }
        if authentications.contains(ClientAuthentication.post.rawValue) { return .post }
        throw OpenIDProblem(
            .mismatch, "the provider takes a client's secret neither as client_secret_basic nor as client_secret_post",
            "allow one of them there")
    }
}

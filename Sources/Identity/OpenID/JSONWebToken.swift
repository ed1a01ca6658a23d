/// A signed token in compact form (RFC 7515 section 3.1): read, and not believed yet.
struct JSONWebToken: Sendable, Equatable {
    /// Providers put lists of groups into them; more than this is no token.
    static let maximumBytes = 64 * 1024

    /// Asymmetric ones only. `none` proves nothing; with `HS256`, whoever has a public key could sign with it as the secret
    /// (RFC 8725 section 2.1).
    enum Algorithm: String, Sendable, CaseIterable {
        case rs256 = "RS256"
        case es256 = "ES256"
        case edDSA = "EdDSA"
    }

    let algorithm: Algorithm
    let keyID: String?
    let claims: [String: ClaimValue]
    /// What the signature is made of.
    let signed: [UInt8]
    let signature: [UInt8]

    init(_ text: String) throws(OpenIDProblem) {
        guard text.utf8.count <= Self.maximumBytes else { throw .token("the ID token is larger than 64 KiB") }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(parts[0]), let body = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]), let header = ClaimValue.object(head),
            let claims = ClaimValue.object(body)
        else { throw .token("the ID token cannot be read") }
        // RFC 7515 section 4.1.11: whoever does not know an extension that is critical has to refuse. We know none.
        guard header["crit"] == nil else { throw .token("the ID token has extensions that have to be understood") }
        // An access token in the form of RFC 9068 is signed with the same keys and is no ID token.
        if let type = header["typ"], type.text?.uppercased() != "JWT" {
            throw .token("what was sent as ID token is another token")
        }
        guard let algorithm = header["alg"]?.text.flatMap(Algorithm.init) else {
            throw .token("the ID token is not signed with RS256, ES256 or EdDSA")
        }
        guard !signature.isEmpty else { throw .token("the ID token has no signature") }
        self.algorithm = algorithm
        keyID = header["kid"]?.text
        self.claims = claims
        self.signature = signature
        signed = Array(text.utf8.prefix(parts[0].count + 1 + parts[1].count))
    }
}

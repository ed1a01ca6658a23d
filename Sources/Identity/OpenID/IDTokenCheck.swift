import Crypto
import Events

/// The checks of OpenID Connect Core 1.0, section 3.1.3.7, besides the signature.
struct IDTokenCheck: Sendable {
    /// Seconds by which the clocks of provider and console may differ.
    static let skew: Int64 = 60
    /// Seconds since it was made. It comes straight from the provider, within one exchange.
    static let maximumAge: Int64 = 600
    /// Section 2: of `sub`.
    private static let maximumSubject = 255

    let issuer: OpenIDAddress
    let clientID: String
    let nonce: String
    /// Of the same answer.
    let accessToken: String?
    let now: Timestamp

    /// - Returns: the subject.
    func subject(of token: JSONWebToken) throws(OpenIDProblem) -> String {
        let claims = token.claims
        guard claims["iss"]?.text == issuer.text else { throw .token("the ID token is of another issuer") }
        guard let audiences = claims["aud"]?.texts, audiences.contains(clientID) else {
            throw .token("the ID token is for another client")
        }
        // No other audience is known here, so none is trusted.
        guard audiences.allSatisfy({ $0 == clientID }) else { throw .token("the ID token is for other clients, too") }
        if let party = claims["azp"], party.text != clientID { throw .token("the ID token was made for another client") }
        try checkTimes(claims)
        guard let said = claims["nonce"]?.text, constantTimeEquals(said, nonce) else {
            throw .token("the ID token is not of this sign-in")
        }
        if let hash = claims["at_hash"] {
            guard let accessToken, hash.text == Self.half(accessToken, token.algorithm) else {
                throw .token("the access token is not the one that the ID token goes with")
            }
        }
        guard let subject = claims["sub"]?.text, (1...Self.maximumSubject).contains(subject.utf8.count),
            subject.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f })
        else { throw .token("the ID token names nobody") }
        return subject
    }

    private func checkTimes(_ claims: [String: ClaimValue]) throws(OpenIDProblem) {
        guard let expires = claims["exp"]?.seconds, let issued = claims["iat"]?.seconds else {
            throw .token("the ID token does not say when it was made and when it ends")
        }
        guard now < Timestamp(seconds: expires + Self.skew) else {
            throw .token("the ID token has expired; see whether the clocks are right")
        }
        guard Timestamp(seconds: issued - Self.skew) <= now else {
            throw .token("the ID token is of the future; see whether the clocks are right")
        }
        guard now < Timestamp(seconds: issued + Self.maximumAge + Self.skew) else { throw .token("the ID token is too old") }
        if let begins = claims["nbf"] {
            guard let begins = begins.seconds, Timestamp(seconds: begins - Self.skew) <= now else {
                throw .token("the ID token is not valid yet; see whether the clocks are right")
            }
        }
    }

    /// Section 3.1.3.6: the left half of the hash that the algorithm uses; that of Ed25519 is SHA-512.
    private static func half(_ accessToken: String, _ algorithm: JSONWebToken.Algorithm) -> String {
        let bytes = Array(accessToken.utf8)
        switch algorithm {
        case .rs256, .es256: return Base64URL.encode(Array(SHA256.hash(data: bytes)).prefix(16))
        case .edDSA: return Base64URL.encode(Array(SHA512.hash(data: bytes)).prefix(32))
        }
    }
}

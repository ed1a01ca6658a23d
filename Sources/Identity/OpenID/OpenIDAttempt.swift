import Crypto
import Events

/// One sign-in on its way through the provider, as the browser's cookie keeps it. Nothing of it is kept here.
///
/// State, nonce and the PKCE verifier derive from one random secret and the time it began, which only the cookie has: an answer
/// counts in the browser that asked, and nowhere else (RFC 9700 sections 2.1 and 4.7). Without the secret none of the three tells
/// of another.
package struct OpenIDAttempt: Sendable, Equatable {
    /// Seconds. Long enough to find a password and a telephone.
    package static let life: Int64 = 600
    static let maximumNext = 1000

    let secret: SecretToken
    let began: Int64
    /// Where the person wanted to go; checked again before anybody is sent there.
    package let next: String

    init(secret: SecretToken, began: Timestamp, next: String) {
        self.secret = secret
        self.began = began.nanoseconds / 1_000_000_000
        self.next = next.utf8.count <= Self.maximumNext ? next : ""
    }

    /// - Parameter cookie: what a browser sent: anything.
    package init?(cookie: String) {
        let parts = cookie.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.count == 64, let began = Int64(parts[1]), (0..<9_000_000_000).contains(began),
            parts[2].utf8.count <= Self.maximumNext * 4 / 3 + 4, let next = Base64URL.decode(parts[2].utf8)
        else { return nil }
        secret = SecretToken(text: String(parts[0]))
        self.began = began
        self.next = String(decoding: next, as: UTF8.self)
    }

    package var cookie: String { "\(secret.text).\(began).\(Base64URL.encode(next.utf8))" }

    var state: String { derived("state") }
    var nonce: String { derived("nonce") }
    /// RFC 7636 section 4.1: 43 to 128 unreserved characters.
    var verifier: String { derived("verifier") }
    var challenge: String { Base64URL.encode(SHA256.hash(data: Array(verifier.utf8))) }

    private func derived(_ purpose: String) -> String { secret.proof(of: "vigie openid v1 \(purpose) \(began)") }

    func isAlive(at now: Timestamp) -> Bool {
        let start = Timestamp(seconds: began)
        return start.advanced(bySeconds: -IDTokenCheck.skew) <= now && now < start.advanced(bySeconds: Self.life)
    }
}

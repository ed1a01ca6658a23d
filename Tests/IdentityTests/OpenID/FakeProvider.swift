import Crypto
import CryptoExtras
import Foundation
import Synchronization

@testable import Identity

/// A provider that answers as a test wants, over no network: what it is asked, and what it says.
final class FakeProvider: Sendable {
    /// Signs tokens; made once for all tests, since RSA keys cost time.
    struct Keys: Sendable {
        let rsa: _RSA.Signing.PrivateKey
        /// Published in the place of the first while a test says that the provider has not changed its keys yet.
        let older: _RSA.Signing.PrivateKey
        let p256 = P256.Signing.PrivateKey()
        let ed25519 = Curve25519.Signing.PrivateKey()

        init() throws {
            rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
            older = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        }
    }

    static let keys: Keys? = try? Keys()
    static let issuer = "https://login.example.org"
    static let client = "vigie"

    struct Answers: Sendable {
        var status = 200
        var metadata: [String: ClaimValue] = [
            "issuer": .text(issuer), "authorization_endpoint": .text(issuer + "/authorize?tenant=1"),
            "token_endpoint": .text(issuer + "/token"), "jwks_uri": .text(issuer + "/keys"),
            "userinfo_endpoint": .text(issuer + "/userinfo"), "end_session_endpoint": .text(issuer + "/logout"),
            "code_challenge_methods_supported": .list([.text("S256")]),
        ]
        /// Claims of the next ID token; `nil` values are left out. The nonce is that of the attempt unless a test says another.
        var claims: [String: ClaimValue] = [:]
        var header: [String: ClaimValue] = [:]
        var algorithm = "RS256"
        var keyID = "1"
        /// What the key set says the keys are called.
        var publishedID = "1"
        var publishesOlder = false
        var userInfo: [String: ClaimValue]?
        /// In place of a token answer.
        var tokenAnswer: OpenIDResponse?
        var tamper: @Sendable (String) -> String = { $0 }
        var problem: OpenIDProblem?
        var accessToken: String? = "access-1"
    }

    private let state = Mutex((answers: Answers(), asked: [OpenIDRequest](), nonce: "", now: Int64(1_790_000_000)))

    func set(_ change: @Sendable (inout Answers) -> Void) { state.withLock { change(&$0.answers) } }
    var asked: [OpenIDRequest] { state.withLock { $0.asked } }
    func asked(_ path: String) -> [OpenIDRequest] { asked.filter { $0.url.hasPrefix(Self.issuer + path) } }
    func expect(nonce: String) { state.withLock { $0.nonce = nonce } }
    var time: Int64 {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }

    func answer(_ request: OpenIDRequest) throws(OpenIDProblem) -> OpenIDResponse {
        let (answers, nonce, now) = state.withLock { state in
            state.asked.append(request)
            return (state.answers, state.nonce, state.now)
        }
        if let problem = answers.problem { throw problem }
        let path = request.url.dropFirst(Self.issuer.count)
        if path == "/.well-known/openid-configuration" { return Self.json(answers.metadata, answers.status) }
        if path == "/keys" {
            return OpenIDResponse(status: 200, body: Self.keySet(id: answers.publishedID, older: answers.publishesOlder))
        }
        if path == "/userinfo" {
            return answers.userInfo.map { Self.json($0, 200) } ?? OpenIDResponse(status: 404, body: [])
        }
        if let other = answers.tokenAnswer { return other }
        let token = answers.tamper(Self.token(answers, nonce: nonce, now: now))
        var members: [String: ClaimValue] = ["id_token": .text(token), "token_type": .text("Bearer")]
        members["access_token"] = answers.accessToken.map { .text($0) }
        return Self.json(members, 200)
    }

    static func token(_ answers: Answers, nonce: String, now: Int64) -> String {
        var claims: [String: ClaimValue] = [
            "iss": .text(issuer), "aud": .text(client), "sub": .text("subject-1"), "exp": .number(Double(now + 300)),
            "iat": .number(Double(now)), "nonce": .text(nonce), "preferred_username": .text("ana"),
            "groups": .list([.text("soc")]),
        ]
        claims.merge(answers.claims) { _, new in new }
        var header: [String: ClaimValue] = ["alg": .text(answers.algorithm), "kid": .text(answers.keyID)]
        header.merge(answers.header) { _, new in new }
        return sign(header, claims, by: answers.algorithm)
    }

    static func sign(_ header: [String: ClaimValue], _ claims: [String: ClaimValue], by algorithm: String) -> String {
        let head = header.filter { $0.value != .null }
        let signed =
            Base64URL.encode(encode(.members(head)).utf8) + "."
            + Base64URL.encode(encode(.members(claims.filter { $0.value != .null })).utf8)
        return signed + "." + Base64URL.encode(signature(Data(signed.utf8), by: algorithm))
    }

    private static func signature(_ bytes: Data, by algorithm: String) -> [UInt8] {
        guard let keys else { return [] }
        switch algorithm {
        case "RS256":
            return ((try? keys.rsa.signature(for: bytes, padding: .insecurePKCS1v1_5)).map { Array($0.rawRepresentation) }) ?? []
        case "ES256": return ((try? keys.p256.signature(for: bytes)).map { Array($0.rawRepresentation) }) ?? []
        case "EdDSA": return ((try? keys.ed25519.signature(for: bytes)).map { Array($0) }) ?? []
        case "HS256":
            // The attack of RFC 8725 section 2.1: the public key as the secret.
            return Array(
                HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: keys.rsa.publicKey.pkcs1DERRepresentation)))
        default: return []
        }
    }

    static func keySet(id: String, older: Bool = false) -> [UInt8] {
        guard let keys, let primitives = try? (older ? keys.older : keys.rsa).publicKey.getKeyPrimitives() else { return [] }
        let point = Array(keys.p256.publicKey.rawRepresentation)
        let list: [ClaimValue] = [
            .members([
                "kty": .text("RSA"), "kid": .text(id), "use": .text("sig"), "n": .text(Base64URL.encode(primitives.modulus)),
                "e": .text(Base64URL.encode(primitives.publicExponent)),
            ]),
            .members([
                "kty": .text("EC"), "crv": .text("P-256"), "kid": .text(id), "x": .text(Base64URL.encode(point[..<32])),
                "y": .text(Base64URL.encode(point[32...])),
            ]),
            .members([
                "kty": .text("OKP"), "crv": .text("Ed25519"), "kid": .text(id),
                "x": .text(Base64URL.encode(keys.ed25519.publicKey.rawRepresentation)),
            ]),
            .members(["kty": .text("RSA"), "use": .text("enc"), "kid": .text(id), "n": .text("AQAB"), "e": .text("AQAB")]),
            .members(["kty": .text("oct"), "kid": .text(id), "k": .text("c2VjcmV0")]),
        ]
        return Array(encode(.members(["keys": .list(list)])).utf8)
    }

    static func json(_ members: [String: ClaimValue], _ status: Int) -> OpenIDResponse {
        OpenIDResponse(status: status, body: Array(encode(.members(members)).utf8))
    }

    static func encode(_ value: ClaimValue) -> String {
        switch value {
        case .null: "null"
        case .flag(let flag): flag ? "true" : "false"
        case .number(let number): number == number.rounded() ? String(Int64(number)) : String(number)
        case .text(let text):
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
        case .list(let list): "[" + list.map(encode).joined(separator: ",") + "]"
        case .members(let members):
            "{" + members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\(encode($0.value))" }.joined(separator: ",") + "}"
        }
    }
}

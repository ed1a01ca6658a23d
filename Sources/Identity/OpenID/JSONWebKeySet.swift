import Crypto
import CryptoExtras
import Foundation

/// The keys that a provider signs with (RFC 7517 section 5).
struct JSONWebKeySet: Sendable {
    /// Providers publish two or three.
    private static let mostKeys = 64

    /// A key that can be of use here.
    struct Key: Sendable {
        enum Value: Sendable {
            case rsa(_RSA.Signing.PublicKey)
            case p256(P256.Signing.PublicKey)
            case ed25519(Curve25519.Signing.PublicKey)
        }

        let id: String?
        let algorithm: JSONWebToken.Algorithm
        let value: Value

        /// `nil` for keys of other kinds, for encryption, and for such that are too weak or none.
        init?(_ members: [String: ClaimValue]) {
            if let use = members["use"], use.text != "sig" { return nil }
            if let operations = members["key_ops"]?.texts, !operations.contains("verify") { return nil }
            id = members["kid"]?.text
            switch members["kty"]?.text {
            case "RSA":
                guard let modulus = Key.bytes(members["n"]), let exponent = Key.bytes(members["e"]) else { return nil }
                let digits = modulus.drop { $0 == 0 }
                // 2048 bits at least (RFC 7518 section 3.3); beyond 8192 a check takes longer than a sign-in should.
                guard (256...1024).contains(digits.count), (digits.first ?? 0) >= 0x80 || digits.count > 256,
                    (1...8).contains(exponent.drop(while: { $0 == 0 }).count), exponent.last.map({ $0 & 1 == 1 }) ?? false,
                    let key = try? _RSA.Signing.PublicKey(n: Array(digits), e: exponent)
                else { return nil }
                (algorithm, value) = (.rs256, .rsa(key))
            case "EC":
                guard members["crv"]?.text == "P-256", let x = Key.bytes(members["x"]), let y = Key.bytes(members["y"]),
                    x.count == 32, y.count == 32, let key = try? P256.Signing.PublicKey(rawRepresentation: x + y)
                else { return nil }
                (algorithm, value) = (.es256, .p256(key))
            case "OKP":
                guard members["crv"]?.text == "Ed25519", let x = Key.bytes(members["x"]),
                    let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
                else { return nil }
                (algorithm, value) = (.edDSA, .ed25519(key))
            default: return nil
            }
            if let stated = members["alg"], stated.text != algorithm.rawValue { return nil }
        }

        private static func bytes(_ value: ClaimValue?) -> [UInt8]? {
            value?.text.flatMap { Base64URL.decode($0.utf8) }
        }

        func verifies(_ token: JSONWebToken) -> Bool {
            switch value {
            case .rsa(let key):
                // PKCS #1 v1.5 is what RS256 is (RFC 7518 section 3.3).
                key.isValidSignature(
                    _RSA.Signing.RSASignature(rawRepresentation: Data(token.signature)), for: Data(token.signed),
                    padding: .insecurePKCS1v1_5)
            case .p256(let key):
                (try? P256.Signing.ECDSASignature(rawRepresentation: token.signature)).map {
                    key.isValidSignature($0, for: token.signed)
                } ?? false
            case .ed25519(let key): key.isValidSignature(token.signature, for: token.signed)
            }
        }
    }

    let keys: [Key]

    init(_ bytes: [UInt8]) throws(OpenIDProblem) {
        guard case .list(let list) = ClaimValue.object(bytes)?["keys"] else {
            throw OpenIDProblem(.malformed, "the provider's keys cannot be read", "see what its jwks_uri answers")
        }
        var keys: [Key] = []
        for case .members(let members) in list.prefix(Self.mostKeys) {
            if let key = Key(members) { keys.append(key) }
        }
        self.keys = keys
    }

    /// Those that may have signed the token: of its algorithm, and of its name where it says one.
    func candidates(for token: JSONWebToken) -> [Key] {
        keys.filter { $0.algorithm == token.algorithm && (token.keyID == nil || $0.id == token.keyID) }
    }
}

import Crypto
import Events
import Foundation
import Fuzzing

@testable import Identity

/// What a provider of OpenID Connect, or somebody in its place, sends: the first byte chooses what the rest is taken for.
///
/// Laws: nothing traps; a token that is read has one form; what a key signed is believed and nothing one bit beside it is; claims that
/// are taken say what the checks promise; a provider reached by `https` sends nobody to an address without it.
@main enum FuzzTokens {
    static func main() {
        fuzz(examine)
    }

    private static let client = "vigie"
    private static let nonce = "n-0S6_WzA2Mj"
    private static let now = Timestamp(seconds: 1_800_000_000)

    /// A provider with one key.
    private struct Provider {
        let issuer: OpenIDAddress
        let key: Curve25519.Signing.PrivateKey
        /// Read anew for each input: a key that is kept looks lost to LeakSanitizer, which does not see pointers inside an enum.
        let keySet: [UInt8]

        init?() {
            guard let issuer = OpenIDAddress("https://login.example.org"),
                let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 7, count: 32))
            else { return nil }
            let x = Base64URL.encode(key.publicKey.rawRepresentation)
            (self.issuer, self.key) = (issuer, key)
            keySet = Array(#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}]}"#.utf8)
        }

        func believes(_ token: JSONWebToken) -> Bool {
            guard let keys = try? JSONWebKeySet(keySet) else { preconditionFailure("a key set that is right is not read") }
            return keys.candidates(for: token).contains { $0.verifies(token) }
        }
    }

    private static let made = Provider()
    private static var provider: Provider {
        guard let made else { preconditionFailure("the provider of the fuzzer is none") }
        return made
    }

    private static func examine(_ data: [UInt8]) {
        guard let kind = data.first else { return }
        let bytes = Array(data.dropFirst())
        switch kind % 7 {
        case 0: token(String(decoding: bytes, as: UTF8.self))
        case 1: claims(bytes)
        case 2: keySet(bytes)
        case 3: metadata(bytes)
        case 4: encoded(bytes)
        case 5:
            guard let members = ClaimValue.object(bytes) else { return }
            for name in members.keys { precondition(members.claim(name) == members[name], "a claim is not found by its name") }
            for path in ["realm_access.roles", "a.b.c.d", ".", "a."] { _ = members.claim(path)?.texts }
        default:
            let text = String(decoding: bytes, as: UTF8.self)
            guard let address = OpenIDAddress(text, allowsPlain: false) else { return }
            precondition(address.text == text && text.hasPrefix("https://"), "an address without TLS")
            let longer = address.adding([("state", text)])
            precondition(longer.hasPrefix(text) && longer.utf8.allSatisfy { (0x21..<0x7F).contains($0) }, "more than an address")
        }
    }

    private static func token(_ text: String) {
        guard let token = try? JSONWebToken(text) else { return }
        let whole = String(decoding: token.signed, as: UTF8.self) + "." + Base64URL.encode(token.signature)
        precondition(whole == text, "a token has two forms")
        precondition(!provider.believes(token), "a token was believed that nobody signed")
    }

    /// Claims that the provider's key stands for.
    private static func claims(_ bytes: [UInt8]) {
        let signed = Base64URL.encode(Array(#"{"alg":"EdDSA"}"#.utf8)) + "." + Base64URL.encode(bytes)
        let provider = provider
        guard let signature = try? provider.key.signature(for: Array(signed.utf8)) else { return }
        guard let token = try? JSONWebToken(signed + "." + Base64URL.encode(signature)) else {
            precondition(ClaimValue.object(bytes) == nil || bytes.count > 40_000, "a token that is right is not read")
            return
        }
        precondition(provider.believes(token), "what the key signed is not believed")
        var damaged = Array(signature)
        damaged[bytes.count % damaged.count] ^= 1 << UInt8(bytes.count / 64 % 8)
        if let other = try? JSONWebToken(signed + "." + Base64URL.encode(damaged)) {
            precondition(!provider.believes(other), "a damaged signature was believed")
        }
        let check = IDTokenCheck(issuer: provider.issuer, clientID: client, nonce: nonce, accessToken: "access", now: now)
        guard let subject = try? check.subject(of: token) else { return }
        precondition(
            (1...255).contains(subject.utf8.count) && subject.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "no subject")
        precondition(token.claims["iss"]?.text == provider.issuer.text, "of another issuer")
        precondition(Set(token.claims["aud"]?.texts ?? []) == [client], "for another client")
        precondition(token.claims["nonce"]?.text == nonce, "of another sign-in")
        let expires = token.claims["exp"]?.seconds ?? 0
        precondition(now < Timestamp(seconds: expires + IDTokenCheck.skew), "expired")
    }

    private static func keySet(_ bytes: [UInt8]) {
        guard let set = try? JSONWebKeySet(bytes) else { return }
        precondition(set.keys.count <= 64, "more keys than a provider has")
        for algorithm in JSONWebToken.Algorithm.allCases {
            let header = Base64URL.encode(Array(#"{"alg":"\#(algorithm.rawValue)"}"#.utf8))
            let body = Base64URL.encode(Array("{}".utf8))
            for size in [1, 64, 256] {
                let signature = Base64URL.encode([UInt8](repeating: 1, count: size))
                guard let token = try? JSONWebToken("\(header).\(body).\(signature)") else {
                    preconditionFailure("a token that is right is not read")
                }
                for key in set.candidates(for: token) {
                    precondition(key.algorithm == algorithm, "a key of another algorithm")
                    _ = key.verifies(token)
                }
            }
        }
    }

    private static func metadata(_ bytes: [UInt8]) {
        guard let metadata = try? OpenIDMetadata(bytes, issuer: provider.issuer) else { return }
        for address in [metadata.authorization, metadata.token, metadata.keys, metadata.userInfo, metadata.endSession] {
            precondition(address.map { !$0.isPlain && $0.text.hasPrefix("https://") } ?? true, "sent where there is no TLS")
        }
        _ = try? metadata.authentication(hasSecret: true)
    }

    private static func encoded(_ bytes: [UInt8]) {
        precondition(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes, "what was encoded is not decoded")
        guard let decoded = Base64URL.decode(bytes) else { return }
        precondition(Array(Base64URL.encode(decoded).utf8) == bytes, "bytes have two encodings")
    }
}

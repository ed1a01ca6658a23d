import Events
import Foundation
import Testing

@testable import Identity

/// What is asked of a provider, how often, and what of its answers is believed.
@Suite("OpenID Connect provider")
struct OpenIDProviderTests {
    let base: OpenIDSignInTests

    init() throws { base = try OpenIDSignInTests() }

    @Test("document and keys are asked for once an hour, however many sign in")
    func caching() async throws {
        for _ in 0..<3 { #expect(try await base.go().session != nil) }
        #expect(base.provider.asked("/.well-known").count == 1 && base.provider.asked("/keys").count == 1)
        let later = noon.advanced(bySeconds: OpenIDProvider.keptFor)
        #expect(try await base.go(at: later).session != nil)
        #expect(base.provider.asked("/.well-known").count == 2 && base.provider.asked("/keys").count == 2)
    }

    @Test("new keys are found at once; names of keys that somebody made up do not make us ask more than every ten seconds")
    func rotation() async throws {
        #expect(try await base.go().session != nil)
        base.provider.set {
            $0.publishedID = "2"
            $0.keyID = "2"
        }
        let later = noon.advanced(bySeconds: OpenIDProvider.pause)
        #expect(try await base.go(at: later).session != nil)
        #expect(base.provider.asked("/keys").count == 2)
        // The old key is gone with the old set.
        base.provider.set { $0.keyID = "1" }
        for second in 1...9 as ClosedRange<Int64> {
            let outcome = try await base.go(from: "192.0.2.\(second)", at: later.advanced(bySeconds: second))
            #expect(outcome.problem?.code == .tokenRefused)
        }
        #expect(base.provider.asked("/keys").count == 2)
        #expect(try await base.go(from: "192.0.2.99", at: later.advanced(bySeconds: OpenIDProvider.pause)).problem != nil)
        #expect(base.provider.asked("/keys").count == 3)
    }

    @Test("new keys are found where keys have no names, or keep them")
    func rotationWithoutNames() async throws {
        // Each from an address of its own: what fails often is held back.
        for (address, name) in [("192.0.2.1", ClaimValue.null), ("192.0.2.2", .text("1"))] {
            let signIn = try OpenIDSignInTests.service(base.provider, base.setup.service, base.log)
            base.provider.set {
                $0.publishesOlder = true
                $0.header["kid"] = name
            }
            #expect(try await base.go(signIn, from: address).problem?.code == .tokenRefused)
            base.provider.set { $0.publishesOlder = false }
            #expect(try await base.go(signIn, from: address).problem?.code == .tokenRefused, "asked a moment ago")
            #expect(try await base.go(signIn, from: address, at: noon.advanced(bySeconds: OpenIDProvider.pause)).session != nil)
        }
    }

    @Test("a token without the name of a key is checked with those of its algorithm")
    func withoutKeyID() async throws {
        base.provider.set { $0.header["kid"] = .null }
        #expect(try await base.go().session != nil)
        base.provider.set { $0.header["kid"] = .number(1) }
        #expect(try await base.go().session != nil, "what is no name is none")
    }

    @Test("while the provider cannot be reached, everybody is told so, and it is asked every ten seconds")
    func unreachable() async throws {
        base.provider.set { $0.problem = OpenIDProblem(.unreachable, "no answer within 10 s", "wait") }
        for _ in 0..<5 {
            await #expect(throws: OpenIDProblem.self) { _ = try await base.begin() }
        }
        #expect(base.provider.asked.count == 1)
        base.provider.set { $0.problem = nil }
        #expect(try await base.go(at: noon.advanced(bySeconds: OpenIDProvider.pause)).session != nil)
    }

    @Test("ten that come at once wait for one answer")
    func coalescing() async throws {
        let gate = AsyncStream<Void>.makeStream()
        let asked = DelayLog()
        let options = base.signIn.options
        let provider = base.provider
        let client = OpenIDProvider(options, secret: { () throws(OpenIDProblem) in nil }) { request throws(OpenIDProblem) in
            asked.append(1)
            for await _ in gate.stream { break }
            return try provider.answer(request)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { _ = try await client.metadata(at: noon) } }
            group.addTask { gate.continuation.finish() }
            try await group.waitForAll()
        }
        #expect(asked.all.count == 1)
    }

    @Test(
        "documents that do not fit are refused, each with its reason",
        arguments: [
            ("issuer", ClaimValue.text("https://login.example.org/"), "another name"),
            ("issuer", .text("https://evil.example"), "another name"), ("issuer", .null, "another name"),
            ("authorization_endpoint", .text("http://login.example.org/a"), "authorization_endpoint"),
            ("authorization_endpoint", .text("javascript:alert(1)"), "authorization_endpoint"),
            ("authorization_endpoint", .text("https://a@evil.example/"), "authorization_endpoint"),
            ("token_endpoint", .null, "token_endpoint"), ("token_endpoint", .text("file:///etc/passwd"), "token_endpoint"),
            ("jwks_uri", .text("http://127.0.0.1:8630/metrics"), "jwks_uri"), ("jwks_uri", .number(1), "jwks_uri"),
            ("userinfo_endpoint", .text("https://"), "userinfo_endpoint"),
            ("end_session_endpoint", .text("https://login.example.org/#"), "end_session_endpoint"),
            ("response_types_supported", .list([.text("id_token")]), "authorization codes"),
            ("code_challenge_methods_supported", .list([.text("plain")]), "S256"),
            ("id_token_signing_alg_values_supported", .list([.text("HS256"), .text("none")]), "signs with nothing"),
        ])
    func documents(name: String, value: ClaimValue, said: String) async throws {
        base.provider.set { $0.metadata[name] = value == .null ? nil : value }
        do {
            _ = try await base.begin()
            Issue.record("it is taken")
        } catch let problem as OpenIDProblem {
            #expect(problem.code == .mismatch && problem.reason.contains(said), "\(problem)")
        }
    }

    @Test("what is no document, and statuses that are no answer")
    func noDocuments() async throws {
        for (status, code) in [(404, OpenIDProblem.Code.unreachable), (302, .unreachable), (500, .unreachable)] {
            base.provider.set { $0.status = status }
            let signIn = try OpenIDSignInTests.service(base.provider, base.setup.service, base.log)
            do {
                _ = try await base.begin(signIn)
                Issue.record("\(status) is taken")
            } catch let problem as OpenIDProblem {
                #expect(problem.code == code && problem.reason.contains("\(status)"))
            }
        }
        let issuer = try #require(OpenIDAddress(FakeProvider.issuer))
        for text in ["", "<html>", "[]", "7", "{", "{\"issuer\":", String(repeating: "{\"a\":", count: 50_000)] {
            #expect(throws: OpenIDProblem.self) { _ = try OpenIDMetadata(Array(text.utf8), issuer: issuer) }
            #expect(throws: OpenIDProblem.self) { _ = try JSONWebKeySet(Array(text.utf8)) }
        }
    }

    @Test("addresses: https, or http on loopback, and nothing that looks like one")
    func addresses() {
        for text in [
            "https://a", "https://a.example/x?y=z", "https://a:8443/", "http://localhost:9400", "http://127.0.0.1",
            "http://[::1]:9/",
            "https://[2001:db8::1]/",
        ] { #expect(OpenIDAddress(text) != nil, "\(text)") }
        for text in [
            "", "https", "https://", "http://a.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example/",
            "https://user@a/", "https://a\\@b/", "https://a/#x", "https://a b/", "https://a/\n", "HTTPS://a", "//a", "ftp://a",
            "https://a:port/", "https://a:99999/", "https://[::1", "https://ä.example", "http://localhost@evil.example",
            "https://a/" + String(repeating: "x", count: 2000),
        ] { #expect(OpenIDAddress(text) == nil, "\(text)") }
        #expect(OpenIDAddress("http://localhost", allowsPlain: false) == nil)
    }

    @Test("keys that are too weak, too large, for encryption, or none")
    func keys() throws {
        let rsa = { (bytes: Int, first: UInt8) -> ClaimValue in
            .text(Base64URL.encode([first] + [UInt8](repeating: 0xA5, count: bytes - 1)))
        }
        let base: [String: ClaimValue] = ["kty": .text("RSA"), "e": .text("AQAB")]
        func isTaken(_ change: [String: ClaimValue]) -> Bool {
            JSONWebKeySet.Key(base.merging(change) { _, new in new }) != nil
        }
        #expect(isTaken(["n": rsa(256, 0x80)]) && isTaken(["n": rsa(512, 0xC0)]))
        #expect(isTaken(["n": .text(Base64URL.encode([0, 0x80] + [UInt8](repeating: 0xA5, count: 255)))]), "zeros in front")
        #expect(!isTaken(["n": rsa(128, 0x80)]) && !isTaken(["n": rsa(256, 0x01)]) && !isTaken(["n": rsa(2048, 0x80)]))
        #expect(!isTaken(["n": rsa(256, 0x80), "e": .text("AA")]) && !isTaken(["n": rsa(256, 0x80), "use": .text("enc")]))
        #expect(!isTaken(["n": rsa(256, 0x80), "alg": .text("RS512")]) && !isTaken(["n": rsa(256, 0x80), "alg": .text("none")]))
        #expect(!isTaken(["n": rsa(256, 0x80), "key_ops": .list([.text("encrypt")])]))
        #expect(
            JSONWebKeySet.Key(["kty": .text("EC"), "crv": .text("P-256"), "x": rsa(32, 1), "y": rsa(32, 1)]) == nil,
            "not on the curve")
        #expect(JSONWebKeySet.Key(["kty": .text("OKP"), "crv": .text("Ed25519"), "x": rsa(31, 1)]) == nil)
        #expect(JSONWebKeySet.Key(["kty": .text("oct"), "k": .text("c2VjcmV0")]) == nil)
    }

    @Test("Base64url is strict, and what is encoded is decoded")
    func base64() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            let text = Base64URL.encode(bytes)
            #expect(Base64URL.decode(text.utf8) == bytes)
            let standard = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            #expect(text == standard.replacing("=", with: ""))
        }
        for text in ["A", "AB==", "A B", "AB+/", "AB\n", "AAAAA", "AB"] { #expect(Base64URL.decode(text.utf8) == nil, "\(text)") }
    }

    @Test("cookies of attempts: what is damaged is none, and what is whole stays what it is")
    func cookies() throws {
        let attempt = OpenIDAttempt(secret: SecretToken(bits: 256, from: .system), began: noon, next: "/incidents?q=a&b=ü")
        #expect(OpenIDAttempt(cookie: attempt.cookie) == attempt)
        #expect(attempt.cookie.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\",;\\".utf8.contains($0) }, "RFC 6265 4.1.1")
        for damaged in [
            "", "..", attempt.secret.text, "\(attempt.secret.text).x.", "\(attempt.secret.text).-1.", "ab.1790000000.",
            attempt.cookie + ".", attempt.cookie + "=",
            "\(attempt.secret.text).1790000000." + String(repeating: "A", count: 4000),
        ] { #expect(OpenIDAttempt(cookie: damaged) == nil, "\(damaged)") }
        let long = OpenIDAttempt(secret: attempt.secret, began: noon, next: "/" + String(repeating: "x", count: 1000))
        #expect(long.next.isEmpty, "a cookie has an end")
    }

    @Test("whatever bytes come as token, keys or document: an answer, and no crash")
    func arbitraryBytes() throws {
        var generator = SplitMix(state: 7)
        let issuer = try #require(OpenIDAddress(FakeProvider.issuer))
        let token = Array(FakeProvider.token(FakeProvider.Answers(), nonce: "n", now: 1_790_000_000).utf8)
        let keySet = try JSONWebKeySet(FakeProvider.keySet(id: "1"))
        let genuine = try JSONWebToken(String(decoding: token, as: UTF8.self))
        #expect(keySet.candidates(for: genuine).contains { $0.verifies(genuine) })
        let seeds = [token, FakeProvider.keySet(id: "1"), FakeProvider.json(FakeProvider.Answers().metadata, 200).body]
        for round in 0..<2_000 {
            var bytes = seeds[round % 3]
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
                default: bytes[index] = Array("\"{}[],:.=-_\\0Ae".utf8).randomElement(using: &generator) ?? 0
                }
                if bytes.isEmpty { bytes = [0] }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let read = try? JSONWebToken(text), text != String(decoding: token, as: UTF8.self) {
                // ES256 and EdDSA aside, only the very bytes that were signed pass.
                #expect(!keySet.candidates(for: read).contains { $0.verifies(read) }, "\(text)")
            }
            _ = try? JSONWebKeySet(bytes)
            _ = try? OpenIDMetadata(bytes, issuer: issuer)
            _ = OpenIDAttempt(cookie: text)
            _ = OpenIDAddress(text)
        }
    }
}

/// The same numbers in each run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

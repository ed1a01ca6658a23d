import Crypto
import Events
import Foundation
import Synchronization
import Testing

@testable import Identity

/// Sign-in through a provider, from the first redirect to the session, and every way in which it must not end in one.
@Suite("OpenID Connect sign-in")
struct OpenIDSignInTests {
    let provider = FakeProvider()
    let setup: Setup
    let log = AccountServiceTests.Log()
    let signIn: OpenIDSignIn

    static let home = "https://vigie.example.org/sign-in/provider/return"
    static let roles: [String: Role] = ["staff": .viewer, "soc": .responder, "leads": .commander, "admins": .admin]

    init() throws {
        setup = try Setup()
        signIn = try Self.service(provider, setup.service, log)
    }

    static func service(
        _ provider: FakeProvider, _ identity: SignInService, _ log: AccountServiceTests.Log, secret: String? = "s3cret:&=",
        change: (inout OpenIDOptions) -> Void = { _ in }
    ) throws -> OpenIDSignIn {
        var options = OpenIDOptions(
            issuer: try #require(OpenIDAddress(FakeProvider.issuer)), clientID: FakeProvider.client, roles: roles)
        change(&options)
        let client = OpenIDProvider(options, secret: { () throws(OpenIDProblem) in secret }) { request throws(OpenIDProblem) in
            try provider.answer(request)
        }
        return OpenIDSignIn(client, identity) { log.append($0) }
    }

    /// Begins, and comes back with whatever the provider was told to say.
    func go(
        _ signIn: OpenIDSignIn? = nil, from address: String = "192.0.2.1", at time: Timestamp = noon,
        answer: (OpenIDAttempt) -> OpenIDSignIn.Answer = { OpenIDSignIn.Answer(state: $0.state, code: "code-1") }
    ) async throws -> OpenIDSignIn.Outcome {
        let signIn = signIn ?? self.signIn
        let attempt = try await begin(signIn, at: time)
        return try await signIn.finish(answer(attempt), attempt: attempt, returnedTo: Self.home, address: address, at: time)
    }

    func begin(_ signIn: OpenIDSignIn? = nil, at time: Timestamp = noon) async throws -> OpenIDAttempt {
        let (_, attempt) = try await (signIn ?? self.signIn).begin(next: "/rules", returningTo: Self.home, at: time)
        provider.expect(nonce: attempt.nonce)
        provider.time = time.nanoseconds / 1_000_000_000
        // As the browser hands it back.
        return try #require(OpenIDAttempt(cookie: attempt.cookie))
    }

    @Test(
        "a first sign-in makes an account bound to issuer and subject, with the role of the groups",
        arguments: [
            "RS256", "ES256", "EdDSA",
        ])
    func first(algorithm: String) async throws {
        provider.set { $0.algorithm = algorithm }
        let signedIn = try #require(try await go().session)
        #expect(signedIn.accountName == "ana" && signedIn.role == .responder && signedIn.means == .provider)
        let account = try #require(try await setup.store.account(named: "ana"))
        #expect(account.provider == ProviderSubject(issuer: FakeProvider.issuer, subject: "subject-1"))
        #expect(!account.hasPassword && !account.isInvited && !account.isActiveAdmin)
        #expect(log.kinds == [.addedByProvider, .signedIn])
        #expect(log.all.allSatisfy { !"\($0)".contains("subject-1") && !"\($0)".contains("access-1") })
        // The same person again: the same account, whatever it is called by now.
        provider.set { $0.claims["preferred_username"] = .text("ana.new") }
        #expect(try await go().session?.accountID == signedIn.accountID)
        #expect(try await setup.store.accounts().count == 1)
        #expect(
            try await setup.service.authenticate(signedIn.cookie, isActivity: true, at: noon)?.accountID == signedIn.accountID)
    }

    @Test("the browser is sent there with PKCE, state and nonce; the code goes back with the verifier and the secret")
    func requests() async throws {
        let (location, attempt) = try await signIn.begin(next: "/rules", returningTo: Self.home, at: noon)
        provider.expect(nonce: attempt.nonce)
        let query = try #require(URLComponents(string: location)?.queryItems)
        let sent = Dictionary(query.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        #expect(location.hasPrefix("https://login.example.org/authorize?tenant=1&response_type=code&"))
        #expect(sent["client_id"] == "vigie" && sent["redirect_uri"] == Self.home && sent["scope"] == "openid profile")
        #expect(sent["code_challenge_method"] == "S256")
        #expect(Set([sent["state"], sent["nonce"], sent["code_challenge"], attempt.verifier, attempt.secret.text]).count == 5)
        #expect(!location.contains(attempt.secret.text) && !location.contains(attempt.verifier))
        _ = try await signIn.finish(
            .init(state: attempt.state, code: "a&b=c"), attempt: attempt, returnedTo: Self.home, address: "", at: noon)
        let request = try #require(provider.asked("/token").first)
        let form = try #require(URLComponents(string: "x:?" + (request.form ?? ""))?.queryItems)
        let fields = Dictionary(form.map { ($0.name, $0.value ?? "") }) { first, _ in first }
        #expect(fields["code"] == "a&b=c" && fields["redirect_uri"] == Self.home && fields["grant_type"] == "authorization_code")
        // RFC 7636 section 4.6, computed apart.
        let challenge = Data(SHA256.hash(data: Data((fields["code_verifier"] ?? "").utf8))).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        #expect(challenge == sent["code_challenge"])
        let authorization = request.headers.first { $0.name == "Authorization" }?.value
        #expect(authorization == "Basic " + Data("vigie:s3cret%3A%26%3D".utf8).base64EncodedString())
        #expect(fields["client_secret"] == nil)
    }

    @Test("the client shows who it is as the provider takes it")
    func clientAuthentication() async throws {
        provider.set { $0.metadata["token_endpoint_auth_methods_supported"] = .list([.text("client_secret_post")]) }
        #expect(try await go().session != nil)
        #expect(provider.asked("/token").last?.form?.contains("client_id=vigie&client_secret=s3cret%3A%26%3D") == true)
        let open = try Self.service(provider, setup.service, log, secret: nil)
        #expect(try await go(open).session != nil)
        #expect(provider.asked("/token").last?.form?.contains("client_secret") == false)
        #expect(provider.asked("/token").last?.headers.contains { $0.name == "Authorization" } == false)
        provider.set { $0.metadata["token_endpoint_auth_methods_supported"] = .list([.text("private_key_jwt")]) }
        #expect(try await go(Self.service(provider, setup.service, log)).problem?.code == .mismatch)
    }

    /// What is wrong with a token, and what is said of it.
    struct WrongToken: Sendable, CustomTestStringConvertible {
        var what: String
        var said: String
        var change: @Sendable (inout FakeProvider.Answers) -> Void
        var testDescription: String { what }

        init(_ what: String, _ said: String, _ change: @escaping @Sendable (inout FakeProvider.Answers) -> Void) {
            self.what = what
            self.said = said
            self.change = change
        }
    }

    static let now = Double(noon.nanoseconds / 1_000_000_000)

    static let wrongTokens: [WrongToken] = [
        .init("unsigned", "not signed with") { $0.algorithm = "none" },
        .init("unsigned, spelled otherwise", "not signed with") { $0.algorithm = "nOnE" },
        .init("signed with the public key as an HMAC secret", "not signed with") { $0.algorithm = "HS256" },
        .init("HS256 signature under an RS256 header", "not signed with a key") { answers in
            answers.tamper = { token in
                let forged = FakeProvider.sign(["alg": .text("HS256")], [:], by: "HS256").split(separator: ".")[2]
                return token.split(separator: ".").prefix(2).joined(separator: ".") + "." + forged
            }
        },
        .init("no signature", "no signature") { $0.tamper = { $0.split(separator: ".").prefix(2).joined(separator: ".") + "." } },
        .init("claims changed after signing", "not signed with a key") { answers in
            answers.tamper = { token in
                let parts = token.split(separator: ".")
                let claims = String(decoding: Base64URL.decode(parts[1].utf8) ?? [], as: UTF8.self)
                return "\(parts[0]).\(Base64URL.encode(claims.replacing("soc", with: "admins").utf8)).\(parts[2])"
            }
        },
        .init("critical extension", "extensions") { $0.header["crit"] = .list([.text("exp")]) },
        .init("an access token", "another token") { $0.header["typ"] = .text("at+jwt") },
        .init("two parts", "cannot be read") { $0.tamper = { _ in "a.b" } },
        .init("five parts, as encrypted ones have", "cannot be read") { $0.tamper = { _ in "a.b.c.d.e" } },
        .init("padding", "cannot be read") { $0.tamper = { $0.replacing(".", with: "=.", maxReplacements: 1) } },
        .init("nested without end", "cannot be read") { answers in
            answers.tamper = { token in
                let deep = String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000)
                return "\(token.split(separator: ".")[0]).\(Base64URL.encode("{\"a\":\(deep)}".utf8)).AAAA"
            }
        },
        .init("larger than any", "larger than 64 KiB") { $0.claims["x"] = .text(String(repeating: "x", count: 70_000)) },
        .init("another issuer", "another issuer") { $0.claims["iss"] = .text(FakeProvider.issuer + "/") },
        .init("no issuer", "another issuer") { $0.claims["iss"] = .null },
        .init("another audience", "another client") { $0.claims["aud"] = .text("other") },
        .init("no audience", "another client") { $0.claims["aud"] = .null },
        .init("an audience more", "other clients, too") { $0.claims["aud"] = .list([.text("vigie"), .text("other")]) },
        .init("another authorized party", "made for another") { $0.claims["azp"] = .text("other") },
        .init("an authorized party that is no text", "made for another") { $0.claims["azp"] = .number(1) },
        .init("expired", "expired") { $0.claims["exp"] = .number(now - 60) },
        .init("no end", "does not say when") { $0.claims["exp"] = .null },
        .init("an end that is no number", "does not say when") { $0.claims["exp"] = .text("2090-01-01") },
        .init("an end that no clock can show", "does not say when") { $0.claims["exp"] = .number(9e15) },
        .init("no beginning", "does not say when") { $0.claims["iat"] = .null },
        .init("of the future", "of the future") { $0.claims["iat"] = .number(now + 61) },
        .init("old", "too old") { $0.claims["iat"] = .number(now - 660) },
        .init("not valid yet", "not valid yet") { $0.claims["nbf"] = .number(now + 61) },
        .init("of another sign-in", "not of this sign-in") { $0.claims["nonce"] = .text(String(repeating: "0", count: 64)) },
        .init("no nonce", "not of this sign-in") { $0.claims["nonce"] = .null },
        .init("about nobody", "names nobody") { $0.claims["sub"] = .text("") },
        .init("a subject that is too long", "names nobody") { $0.claims["sub"] = .text(String(repeating: "s", count: 256)) },
        .init("a subject with line breaks", "names nobody") { $0.claims["sub"] = .text("a\nb") },
        .init("another access token", "goes with") { $0.claims["at_hash"] = .text("AAAAAAAAAAAAAAAAAAAAAA") },
        .init("a hash of no access token", "goes with") {
            $0.claims["at_hash"] = .text("AAAAAAAAAAAAAAAAAAAAAA")
            $0.accessToken = nil
        },
    ]

    @Test("what is wrong with a token keeps everybody out, and is said", arguments: wrongTokens)
    func wrong(token: WrongToken) async throws {
        provider.set(token.change)
        let problem = try #require(try await go().problem)
        #expect(problem.code == .tokenRefused)
        #expect(problem.reason.contains(token.said), "\(problem)")
        #expect(try await setup.store.accounts().isEmpty && setup.store.sessionCount == 0)
        #expect(log.kinds == [.providerRefused])
    }

    @Test("an access token that the ID token names has to be that one", arguments: ["RS256", "EdDSA"])
    func accessTokenHash(algorithm: String) async throws {
        let bytes = Array("access-1".utf8)
        let half =
            algorithm == "EdDSA"
            ? Base64URL.encode(Array(SHA512.hash(data: bytes)).prefix(32))
            : Base64URL.encode(Array(SHA256.hash(data: bytes)).prefix(16))
        provider.set {
            $0.algorithm = algorithm
            $0.claims["at_hash"] = .text(half)
        }
        #expect(try await go().session != nil)
    }

    @Test("clocks may differ by a minute, and by no more")
    func skew() async throws {
        provider.set {
            $0.claims = ["iat": .number(Self.now + 60), "exp": .number(Self.now + 61), "nbf": .number(Self.now + 60)]
        }
        #expect(try await go().session != nil)
        provider.set { $0.claims = ["iat": .number(Self.now - 300), "exp": .number(Self.now - 59)] }
        #expect(try await go().session != nil)
    }

    @Test("an answer counts once, in the browser that asked, and for ten minutes")
    func boundToTheBrowser() async throws {
        let attempt = try await begin()
        let answer = OpenIDSignIn.Answer(state: attempt.state, code: "code-1")
        let other = try await begin()
        for (kept, time) in [(nil, noon), (other, noon), (attempt, noon.advanced(bySeconds: OpenIDAttempt.life))] {
            let outcome = try await signIn.finish(answer, attempt: kept, returnedTo: Self.home, address: "", at: time)
            #expect(outcome.refusal == .notExpected)
        }
        for state in [nil, "", "x", other.state] {
            let outcome = try await signIn.finish(
                .init(state: state, code: "code-1"), attempt: attempt, returnedTo: Self.home, address: "", at: noon)
            #expect(outcome.refusal == .notExpected)
        }
        // A cookie whose time somebody changed has another state.
        let younger = try #require(
            OpenIDAttempt(cookie: attempt.cookie.replacing(".\(attempt.began).", with: ".\(attempt.began + 600).")))
        #expect(
            try await signIn.finish(
                answer, attempt: younger, returnedTo: Self.home, address: "", at: noon.advanced(bySeconds: 700)
            )
            .refusal == .notExpected)
        #expect(provider.asked("/token").isEmpty && log.kinds.isEmpty, "nothing is asked or written for what is nobody's")
        provider.expect(nonce: attempt.nonce)
        #expect(try await signIn.finish(answer, attempt: attempt, returnedTo: Self.home, address: "", at: noon).session != nil)
        // Replayed, by whoever has the address and the cookie.
        #expect(
            try await signIn.finish(answer, attempt: attempt, returnedTo: Self.home, address: "", at: noon).refusal
                == .notExpected)
        #expect(provider.asked("/token").count == 1)
    }

    @Test("a code that the provider saw before, and other answers of it that are errors")
    func tokenErrors() async throws {
        let answers: [(body: String, status: Int, code: OpenIDProblem.Code)] = [
            (#"{"error":"invalid_grant","error_description":"<script>alert(1)</script>"}"#, 400, .codeRefused),
            (#"{"error":"invalid_client"}"#, 401, .mismatch), (#"{"error":["x"]}"#, 400, .codeRefused),
            ("<html>", 502, .codeRefused), ("", 200, .codeRefused), ("[]", 200, .codeRefused),
            (#"{"access_token":"x"}"#, 200, .malformed), (#"{"id_token":7}"#, 200, .malformed),
        ]
        for (number, (body, status, code)) in answers.enumerated() {
            provider.set { $0.tokenAnswer = OpenIDResponse(status: status, body: Array(body.utf8)) }
            let problem = try await go(from: "192.0.2.\(number)").problem
            #expect(problem?.code == code, "\(body)")
            #expect(problem?.description.contains("script") == false)
        }
        #expect(setup.store.sessionCount == 0)
    }

    @Test("answers of another provider, and errors, are not taken (RFC 9207, RFC 6749 4.1.2.1)")
    func mixUp() async throws {
        #expect(
            try await go { .init(state: $0.state, code: "c", issuer: "https://evil.example") }.problem?.code == .mismatch)
        #expect(try await go { .init(state: $0.state, code: "c", issuer: FakeProvider.issuer) }.session != nil)
        #expect(try await go { .init(state: $0.state, code: nil, error: "access_denied") }.problem?.code == .codeRefused)
        #expect(try await go { .init(state: $0.state, code: "c", error: "<b>") }.problem?.code == .codeRefused)
        #expect(try await go { .init(state: $0.state, code: nil) }.problem?.code == .malformed)
        #expect(try await go { .init(state: $0.state, code: String(repeating: "c", count: 5000)) }.problem?.code == .malformed)
        #expect(provider.asked("/token").count == 1)
        // One that promises to name itself has to.
        provider.set { $0.metadata["authorization_response_iss_parameter_supported"] = .flag(true) }
        let strict = try Self.service(provider, setup.service, log)
        #expect(try await go(strict).problem?.code == .mismatch)
    }

    @Test("many attempts from one address are slowed down before the provider is asked")
    func throttled() async throws {
        provider.set { $0.tokenAnswer = OpenIDResponse(status: 400, body: []) }
        var refusals: [OpenIDRefusal] = []
        for _ in 0..<12 { if let refusal = try await go().refusal { refusals.append(refusal) } }
        #expect(refusals.contains { if case .limited = $0 { true } else { false } })
        #expect(provider.asked("/token").count < 8)
        provider.set { $0.tokenAnswer = nil }
        #expect(try await go(from: "198.51.100.9").session != nil, "others are not touched")
    }
}

extension OpenIDSignIn.Outcome {
    var session: SignedIn? { if case .signedIn(let signedIn, _) = self { signedIn } else { nil } }
    var refusal: OpenIDRefusal? { if case .refused(let refusal) = self { refusal } else { nil } }
    var problem: OpenIDProblem? { if case .provider(let problem) = refusal { problem } else { nil } }
}

import Events
import Testing

@testable import Identity

/// What becomes of accounts of a provider.
@Suite("OpenID Connect accounts")
struct OpenIDAccountTests {
    let base: OpenIDSignInTests
    let accounts: AccountService
    static let admin = AuditAuthor(id: "a0", name: "root", address: "192.0.2.1")

    init() throws {
        base = try OpenIDSignInTests()
        let log = base.log
        accounts = AccountService(base.setup.service) { log.append($0) }
    }

    @Test("who has none of the groups is refused, and makes no account")
    func noRole() async throws {
        let without: [ClaimValue] = [
            .null, .list([]), .list([.text("others")]), .text("others"), .flag(true), .list([.number(1)]),
        ]
        for (number, groups) in without.enumerated() {
            base.provider.set {
                $0.claims["groups"] = groups
                $0.userInfo = ["sub": .text("subject-1")]
            }
            #expect(try await base.go(from: "192.0.2.\(number)").refusal == .noRole)
        }
        #expect(try await base.setup.store.accounts().isEmpty)
        #expect(base.log.all.allSatisfy { $0.kind == .providerRefused && $0.account == nil && $0.details["reason"] == "no_role" })
    }

    @Test("the highest of the roles counts, also from below an object")
    func highestRole() async throws {
        base.provider.set { $0.claims["groups"] = .list([.text("staff"), .text("admins"), .text("soc")]) }
        #expect(try await base.go().session?.role == .admin)
        base.provider.set {
            $0.claims = ["sub": .text("2"), "groups": .null, "realm_access": .members(["roles": .list([.text("leads")])])]
        }
        let nested = try OpenIDSignInTests.service(base.provider, base.setup.service, base.log) {
            $0.rolesClaim = "realm_access.roles"
        }
        #expect(try await base.go(nested).session?.role == .commander)
    }

    @Test("groups that only userinfo has are asked for, of the same person")
    func userInfo() async throws {
        base.provider.set {
            $0.claims["groups"] = .null
            $0.userInfo = ["sub": .text("subject-1"), "groups": .list([.text("leads")]), "preferred_username": .text("other")]
        }
        let signedIn = try #require(try await base.go().session)
        #expect(signedIn.role == .commander && signedIn.accountName == "ana", "what is signed counts before what is not")
        #expect(base.provider.asked("/userinfo").first?.headers.contains { $0.value == "Bearer access-1" } == true)
        base.provider.set { $0.userInfo?["sub"] = .text("subject-2") }
        #expect(try await base.go().problem?.code == .tokenRefused)
        base.provider.set { $0.userInfo = nil }
        #expect(try await base.go().problem?.code == .malformed)
    }

    @Test("a role that the provider changes is changed here; one that it takes away ends sessions and tokens until it is back")
    func changes() async throws {
        let first = try #require(try await base.go().session)
        let token = try await accounts.createToken(
            for: first.accountID, name: "ci", scopes: [.read], days: 30, by: Self.admin, at: noon)
        base.provider.set { $0.claims["groups"] = .text("admins") }
        #expect(try await base.go().session?.role == .admin)
        #expect(base.log.kinds.suffix(2) == [.roleChanged, .signedIn])
        base.provider.set { $0.claims["groups"] = .list([]) }
        #expect(try await base.go().refusal == .noRole)
        let service = base.setup.service
        #expect(try await service.authenticate(first.cookie, isActivity: true, at: noon) == nil)
        #expect(try await service.authenticate(apiToken: token.secret, at: noon) == nil)
        #expect(try await accounts.account(id: first.accountID).state == .suspended)
        #expect(base.setup.store.sessionCount == 0)
        base.provider.set { $0.claims["groups"] = .text("staff") }
        #expect(try await base.go().session?.role == .viewer)
        #expect(try await service.authenticate(apiToken: token.secret, at: noon)?.role == .viewer)
        // An admin's word stands against the provider's.
        try await accounts.disable(accountID: first.accountID, by: Self.admin, at: noon)
        #expect(try await base.go().refusal == .disabled)
        #expect(try await service.authenticate(apiToken: token.secret, at: noon) == nil)
    }

    @Test("accounts are never joined by a name or an address of mail")
    func names() async throws {
        let local = try await base.setup.firstAccount()
        base.provider.set { $0.claims["email"] = .text("ana") }
        #expect(try await base.go().session?.accountName == "ana-2")
        base.provider.set { $0.claims["sub"] = .text("subject-2") }
        #expect(try await base.go().session?.accountName == "ana-3")
        for (number, name) in ["vigie", "Zoë <b>", "", "-", "x y", String(repeating: "n", count: 65)].enumerated() {
            base.provider.set { $0.claims = ["sub": .text("other-\(number)"), "preferred_username": .text(name)] }
            let made = try #require(try await base.go().session?.accountName)
            #expect(made == "vigie-2" || made.wholeMatch(of: /sso-[0-9a-f]{16}/) != nil, "\(name) → \(made)")
        }
        base.provider.set { $0.claims = ["sub": .text("long"), "preferred_username": .text(String(repeating: "n", count: 64))] }
        _ = try await base.go()
        base.provider.set { $0.claims["sub"] = .text("long-2") }
        #expect(try await base.go().session?.accountName.utf8.count == 64)
        // The same subject at another issuer is somebody else.
        let store = base.setup.store
        #expect(try await store.account(of: ProviderSubject(issuer: "https://other.example", subject: "subject-1")) == nil)
        #expect(try await store.account(id: local.accountID)?.provider == nil)
    }

    @Test("four first sign-ins at once make one account")
    func atOnce() async throws {
        let attempts = try await [base.begin(), base.begin(), base.begin(), base.begin()]
        base.provider.expect(nonce: attempts[0].nonce)
        // All four have the nonce of the first, so that one provider can answer them: what is tested is the account.
        let person = OpenIDIdentity(
            issuer: FakeProvider.issuer, subject: "subject-1",
            claims: ["groups": .text("soc"), "preferred_username": .text("ana")])
        let ids = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in attempts {
                group.addTask { try await base.signIn.letIn(person, next: "", address: "", at: noon).session?.accountID }
            }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(ids.count == 1 && !ids.contains(nil))
    }

    @Test("passwords, codes and roles of such an account are not kept here; the last admin with a password stays")
    func separate() async throws {
        let local = try await base.setup.firstAccount()
        base.provider.set { $0.claims["groups"] = .text("admins") }
        let signedIn = try #require(try await base.go(from: "192.0.2.8").session)
        #expect(try await refusal { try await accounts.issueReset(accountID: signedIn.accountID, by: Self.admin, at: noon) })
        #expect(
            try await refusal {
                try await accounts.changeRole(accountID: signedIn.accountID, to: .viewer, by: Self.admin, at: noon)
            })
        #expect(
            try await refusal {
                try await accounts.changePassword(of: signedIn, from: "", to: "something long enough", address: "", at: noon)
            })
        _ = try await accounts.secondFactorOffer(accountID: signedIn.accountID)
        #expect(
            try await refusal {
                try await accounts.enableSecondFactor(of: signedIn, password: "", code: "000000", address: "", at: noon)
            })
        for password in ["", goodPassword] {
            #expect(try await base.setup.signIn(signedIn.accountName, password, from: "192.0.2.9").session == nil)
        }
        // The break-glass account: with the provider down, an admin of the provider is none.
        #expect(try await refusal { try await accounts.disable(accountID: local.accountID, by: Self.admin, at: noon) })
        #expect(
            try await refusal { try await accounts.changeRole(accountID: local.accountID, to: .viewer, by: Self.admin, at: noon) }
        )
        #expect(try await base.setup.signIn(from: "192.0.2.10").session != nil)
    }

    private func refusal(_ body: () async throws -> some Any) async throws -> Bool {
        do {
            _ = try await body()
            return false
        } catch let refusal as AccountRefusal {
            return refusal.code == .notAllowed
        }
    }

    @Test("where a role has to have a second factor, the provider has to say that it asked for one")
    func secondFactor() async throws {
        let identity = SignInService(
            store: base.setup.store, hasher: try PasswordHasher(cost: cheap), secondFactorRoles: [.responder], delay: { _ in })
        let strict = try OpenIDSignInTests.service(base.provider, identity, base.log) { $0.strongContexts = ["urn:example:gold"] }
        #expect(try await base.go(strict).refusal == .secondFactorNeeded)
        for weak: [String: ClaimValue] in [
            ["amr": .list([.text("pwd")])], ["amr": .flag(true)], ["acr": .text("urn:example:silver")],
            ["acr": .list([.text("1")])],
        ] {
            base.provider.set { $0.claims = weak }
            #expect(try await base.go(strict, from: "192.0.2.77").refusal == .secondFactorNeeded)
        }
        for strong: [String: ClaimValue] in [
            ["amr": .list([.text("pwd"), .text("mfa")])], ["acr": .text("urn:example:gold")],
        ] {
            base.provider.set { $0.claims = strong }
            let signedIn = try #require(try await base.go(strict, from: "192.0.2.78").session)
            #expect(signedIn.hasSecondFactor && signedIn.means == .providerWithSecondFactor)
            #expect(try await identity.authenticate(signedIn.cookie, isActivity: true, at: noon)?.hasSecondFactor == true)
        }
    }

    @Test("a session through a provider ends after twelve hours, whatever happens in it")
    func lifetime() async throws {
        let signedIn = try #require(try await base.go().session)
        let service = base.setup.service
        for hours in 1...11 as ClosedRange<Int64> {
            #expect(
                try await service.authenticate(signedIn.cookie, isActivity: true, at: noon.advanced(bySeconds: hours * 3600))
                    != nil)
        }
        #expect(try await service.authenticate(signedIn.cookie, isActivity: true, at: noon.advanced(bySeconds: 12 * 3600)) == nil)
    }

    @Test("nothing is done that cannot be journalled")
    func auditFails() async throws {
        struct Full: Error {}
        let signIn = OpenIDSignIn(base.signIn.provider, base.setup.service) { _ in throw Full() }
        await #expect(throws: Full.self) { _ = try await base.go(signIn) }
        #expect(try await base.setup.store.accounts().isEmpty && base.setup.store.sessionCount == 0)
    }
}

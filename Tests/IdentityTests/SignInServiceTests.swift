import Events
import Identity
import Testing

struct SetupTests {
    @Test func makesTheFirstAccountAnAdmin() async throws {
        let setup = try Setup()
        let signedIn = try await setup.firstAccount()
        #expect(signedIn.accountName == "ana")
        #expect(signedIn.role == .admin)
        #expect(try await setup.service.hasAccounts())
        #expect(try await setup.signIn().session != nil)
    }

    @Test func worksOnce() async throws {
        let setup = try Setup()
        let token = try #require(try await setup.service.issueSetupToken())
        _ = try await setup.service.setUp(token: token, name: "ana", password: goodPassword, address: "", at: noon)
        let again = try await setup.service.setUp(token: token, name: "eve", password: goodPassword, address: "", at: noon)
        guard case .refused(.accountExists, let audit) = again else { throw Unexpected("\(again)") }
        #expect(audit?.kind == .setupRefused)
        #expect(try await setup.service.issueSetupToken() == nil)
        #expect(try await setup.store.account(named: "eve") == nil)
    }

    @Test func twoAtOnceMakeOneAccount() async throws {
        let setup = try Setup()
        let token = try #require(try await setup.service.issueSetupToken())
        let created = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<4 {
                group.addTask {
                    let outcome = try await setup.service.setUp(
                        token: token, name: "user\(index)", password: goodPassword, address: "10.0.0.\(index)", at: noon)
                    if case .created = outcome { return true }
                    return false
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(created == 1)
    }

    @Test func refusesAWrongTokenAndOneOfAnEarlierStart() async throws {
        let setup = try Setup()
        let earlier = try #require(try await setup.service.issueSetupToken())
        _ = try await setup.service.issueSetupToken()
        for token in [earlier, "", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A"] {
            let outcome = try await setup.service.setUp(token: token, name: "ana", password: goodPassword, address: "", at: noon)
            guard case .refused(.wrongToken, _) = outcome else { throw Unexpected("\(outcome)") }
        }
        #expect(try await !setup.service.hasAccounts())
    }

    @Test func aBadPasswordDoesNotUseUpTheToken() async throws {
        let setup = try Setup()
        let token = try #require(try await setup.service.issueSetupToken())
        let outcome = try await setup.service.setUp(token: token, name: "ana", password: "short", address: "", at: noon)
        guard case .refused(.password(.tooShort), _) = outcome else { throw Unexpected("\(outcome)") }
        let second = try await setup.service.setUp(token: token, name: "ana", password: goodPassword, address: "", at: noon)
        guard case .created = second else { throw Unexpected("\(second)") }
    }

    @Test func theStoreNeverHoldsThePasswordOrTheToken() async throws {
        let setup = try Setup()
        let token = try #require(try await setup.service.issueSetupToken())
        let digest = try #require(try await setup.store.setupTokenDigest())
        #expect(!token.contains(digest.hex) && !digest.hex.contains(token))
        let signedIn = try await setup.firstAccount()
        let account = try #require(try await setup.store.account(named: "ana"))
        #expect(!account.passwordHash.contains(goodPassword))
        #expect(try await setup.store.session(digest: TokenDigest(hex: signedIn.cookie.text)) == nil)
        #expect(try await setup.store.setupTokenDigest() == nil)
    }
}

struct SignInTests {
    @Test func aWrongPasswordAndAnUnknownNameLookTheSame() async throws {
        let setup = try Setup()
        _ = try await setup.firstAccount()
        for (name, account) in [("ana", "ana"), ("nobody", nil), ("not a name!", nil)] {
            let outcome = try await setup.signIn(name, "wrong password here")
            guard case .refused(let audit) = outcome else { throw Unexpected("\(outcome)") }
            #expect(audit.kind == .signInFailed)
            // People type passwords into the name field: only names that are accounts may reach the journal.
            #expect(audit.account == account)
        }
    }

    @Test func aHugePasswordIsSimplyWrong() async throws {
        let setup = try Setup()
        _ = try await setup.firstAccount()
        guard case .refused = try await setup.signIn("ana", String(repeating: "x", count: 100_000)) else {
            throw Unexpected("not refused")
        }
    }

    @Test func eachSignInHasASessionOfItsOwn() async throws {
        let setup = try Setup()
        let first = try await setup.firstAccount()
        let outcome = try await setup.service.signIn(
            name: "ana", password: goodPassword, address: "", replacing: first.cookie, at: noon)
        let second = try #require(outcome.session)
        #expect(second.cookie != first.cookie)
        #expect(second.cookie.text.count == 64)
        #expect(try await setup.service.authenticate(first.cookie, isActivity: true, at: noon) == nil)
        #expect(try await setup.service.authenticate(second.cookie, isActivity: true, at: noon) == second)
    }

    @Test func aPlantedTokenIsNeverAdopted() async throws {
        let setup = try Setup()
        _ = try await setup.firstAccount()
        let planted = SecretToken(text: String(repeating: "a", count: 64))
        let outcome = try await setup.service.signIn(
            name: "ana", password: goodPassword, address: "", replacing: planted, at: noon)
        #expect(outcome.session?.cookie != planted)
        #expect(try await setup.service.authenticate(planted, isActivity: true, at: noon) == nil)
    }

    @Test func sessionsEndWhenIdleAndInTheEndAnyway() async throws {
        let setup = try Setup()
        let token = try await setup.firstAccount().cookie
        #expect(try await setup.service.authenticate(token, isActivity: true, at: noon.advanced(bySeconds: 12 * 3600 - 1)) != nil)
        var time = noon
        // Somebody clicks every eleven hours.
        for _ in 0..<15 {
            time = time.advanced(bySeconds: 11 * 3600)
            #expect(try await setup.service.authenticate(token, isActivity: true, at: time) != nil)
        }
        #expect(try await setup.service.authenticate(token, isActivity: true, at: noon.advanced(bySeconds: 7 * 86_400)) == nil)
    }

    @Test func watchingDoesNotKeepASessionAlive() async throws {
        let setup = try Setup()
        let token = try await setup.firstAccount().cookie
        #expect(try await setup.service.authenticate(token, isActivity: false, at: noon.advanced(bySeconds: 11 * 3600)) != nil)
        #expect(try await setup.service.authenticate(token, isActivity: false, at: noon.advanced(bySeconds: 13 * 3600)) == nil)
    }

    @Test func expiredSessionsAreSweptAtSignIn() async throws {
        let setup = try Setup()
        _ = try await setup.firstAccount()
        for day in 0..<5 { _ = try await setup.signIn(at: noon.advanced(bySeconds: Int64(day) * 86_400)) }
        #expect(setup.store.sessionCount == 1)
    }

    @Test func signingOutEndsTheSessionOnTheServer() async throws {
        let setup = try Setup()
        let signedIn = try await setup.firstAccount()
        let audit = try await setup.service.signOut(signedIn, address: "192.0.2.1", at: noon)
        #expect(audit == AuditRecord(kind: .signedOut, account: "ana", address: "192.0.2.1", time: noon))
        #expect(try await setup.service.authenticate(signedIn.cookie, isActivity: true, at: noon) == nil)
    }

    @Test func backsOffAndLetsTheOwnerInLater() async throws {
        let setup = try Setup()
        _ = try await setup.firstAccount()
        for _ in 0..<5 { _ = try await setup.signIn("ana", "wrong password here", from: "203.0.113.9") }
        // Even the right password waits: the answer must not say that it was right.
        let limited = try await setup.signIn(from: "203.0.113.9")
        #expect(limited.wait == 1)
        #expect(limited.audit?.kind == .signInLimited)
        #expect(try await setup.signIn(from: "203.0.113.9").audit == nil)
        #expect(try await setup.signIn(from: "203.0.113.9", at: noon.advanced(bySeconds: 1)).session != nil)
    }

    @Test func theOwnerElsewhereIsOnlySlowed() async throws {
        let setup = try Setup()
        _ = try await setup.firstAccount()
        for index in 0..<12 { _ = try await setup.signIn("ana", "wrong password here", from: "203.0.113.\(index)") }
        #expect(try await setup.signIn(from: "192.0.2.1").session != nil)
        #expect(setup.delays.all.last.map { $0 > 0 } == true)
    }

    @Test func anOldHashIsRenewedAtSignIn() async throws {
        let setup = try Setup()
        _ = try await setup.firstAccount()
        let account = try #require(try await setup.store.account(named: "ana"))
        let weak = try PasswordHash(
            password: goodPassword, salt: Array("saltsalt".utf8), cost: .init(memoryKiB: 32, passes: 1, lanes: 1))
        try await setup.store.updatePasswordHash(weak.phc, accountID: account.id)
        #expect(try await setup.signIn().session != nil)
        let renewed = try #require(try await setup.store.account(named: "ana"))
        #expect(PasswordHash(phc: renewed.passwordHash).cost == cheap)
    }
}

struct SecretTests {
    @Test func comparesWholeTexts() {
        #expect(constantTimeEquals("abc", "abc"))
        #expect(!constantTimeEquals("abc", "abd"))
        #expect(!constantTimeEquals("abc", "abcd"))
        #expect(constantTimeEquals("", ""))
    }

    @Test func aProofNeitherRevealsNorRepeats() {
        let token = SecretToken(bits: 256, from: .system)
        #expect(token.proof(of: "a") != token.proof(of: "b"))
        #expect(token.proof(of: "a") != token.digest.hex)
        #expect(token.proof(of: "a") == SecretToken(text: token.text).proof(of: "a"))
    }

    /// FIPS 180-4: SHA-256 of `abc`.
    @Test func digestIsSHA256() {
        #expect(SecretToken(text: "abc").digest.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func rolesAreOrdered() {
        #expect(Role.viewer < .responder && Role.responder < .commander && Role.commander < .admin)
    }
}

import Events
import Synchronization
import Testing

@testable import Identity

@Suite("Accounts beyond the first")
struct AccountServiceTests {
    let setup: Setup
    let log = Log()
    let service: AccountService

    final class Log: Sendable {
        private let entries = Mutex<[AuditRecord]>([])
        func append(_ record: AuditRecord) { entries.withLock { $0.append(record) } }
        var all: [AuditRecord] { entries.withLock { $0 } }
        var kinds: [AuditRecord.Kind] { all.map(\.kind) }
    }

    static let admin = AuditAuthor(id: "a0", name: "ana", address: "192.0.2.1")

    init() throws {
        setup = try Setup()
        let log = log
        service = AccountService(setup.service) { log.append($0) }
    }

    /// An account that has taken its invitation.
    private func member(_ name: String, _ role: Role) async throws -> Account {
        let link = try await service.invite(name, role: role, by: Self.admin, at: noon)
        _ = try await service.redeem(link.secret, password: goodPassword, address: "192.0.2.7", at: noon)
        return try await service.account(named: name)
    }

    private func refusal(_ body: () async throws -> Void) async throws -> AccountRefusal.Code? {
        do {
            try await body()
            return nil
        } catch let refusal as AccountRefusal {
            return refusal.code
        }
    }

    @Test("an invitation works once, for three days, and the account is nobody's until then")
    func invitation() async throws {
        _ = try await setup.firstAccount()
        let link = try await service.invite("Bob", role: .responder, by: Self.admin, at: noon)
        #expect(link.account.name == "bob" && link.account.isInvited)
        // An empty hash must not be a password.
        #expect(try await setup.signIn("bob", "").session == nil)
        #expect(try await refusal { _ = try await service.invite("bob", role: .viewer, by: Self.admin, at: noon) } == .notAllowed)
        let late = noon.advanced(bySeconds: 3 * 86_400)
        #expect(try await service.link(link.secret, at: late) == nil)
        #expect(
            try await refusal { _ = try await service.redeem(link.secret, password: "short", address: "", at: noon) } == .invalid)
        #expect(try await service.redeem(link.secret, password: goodPassword, address: "192.0.2.7", at: noon) == "bob")
        #expect(
            try await refusal { _ = try await service.redeem(link.secret, password: goodPassword, address: "", at: noon) }
                == .notAllowed)
        #expect(try await setup.signIn("bob", from: "192.0.2.7").session?.role == .responder)
        #expect(log.kinds == [.invited, .linkUsed])
        #expect(log.all[0].author == Self.admin && log.all[0].details["role"] == "responder")
        #expect(!"\(log.all)".contains(link.secret.text) && !"\(log.all)".contains(goodPassword))
    }

    @Test("a second link takes the place of the first; a used reset ends all sessions")
    func reset() async throws {
        let bob = try await member("bob", .viewer)
        let session = try #require(try await setup.signIn("bob").session)
        let first = try await service.issueReset(accountID: bob.id, by: Self.admin, at: noon)
        let second = try await service.issueReset(accountID: bob.id, by: Self.admin, at: noon)
        #expect(try await service.link(first.secret, at: noon) == nil)
        #expect(try await service.link(second.secret, at: noon.advanced(bySeconds: 3600)) == nil)
        // Until it is used, everything is as it was.
        let token = try #require(session.token)
        #expect(try await setup.service.authenticate(token, isActivity: true, at: noon) != nil)
        _ = try await service.redeem(second.secret, password: "another long password", address: "", at: noon)
        #expect(try await setup.service.authenticate(token, isActivity: true, at: noon) == nil)
        #expect(try await setup.signIn("bob").session == nil)
        #expect(try await setup.signIn("bob", "another long password").session != nil)
    }

    @Test("a changed role holds for the next request of an open session")
    func role() async throws {
        _ = try await setup.firstAccount()
        let bob = try await member("bob", .viewer)
        let token = try #require(try await setup.signIn("bob").session?.token)
        try await service.changeRole(accountID: bob.id, to: .commander, by: Self.admin, at: noon)
        #expect(try await setup.service.authenticate(token, isActivity: true, at: noon)?.role == .commander)
        #expect(log.all.last?.details["from"] == "viewer" && log.all.last?.details["to"] == "commander")
        #expect(
            try await refusal { try await service.changeRole(accountID: bob.id, to: .commander, by: Self.admin, at: noon) }
                == .alreadyDone)
    }

    @Test("a disabled account has no sessions, no tokens, and answers like one that is not there")
    func disabled() async throws {
        _ = try await setup.firstAccount()
        let bob = try await member("bob", .responder)
        let session = try #require(try await setup.signIn("bob").session?.token)
        let issued = try await service.createToken(
            for: bob.id, name: "t", scopes: [.read], days: 1, by: Self.admin, at: noon)
        try await service.disable(accountID: bob.id, by: Self.admin, at: noon)
        #expect(try await setup.service.authenticate(session, isActivity: true, at: noon) == nil)
        #expect(try await setup.service.authenticate(apiToken: issued.secret, at: noon) == nil)
        guard case .refused = try await setup.signIn("bob") else { throw Unexpected("a disabled account signed in") }
        try await service.enable(accountID: bob.id, by: Self.admin, at: noon)
        #expect(try await setup.service.authenticate(session, isActivity: true, at: noon) == nil, "the session ended for good")
        #expect(try await setup.signIn("bob").session != nil)
    }

    @Test("the last admin stays one, by whatever way")
    func lastAdmin() async throws {
        let ana = try await setup.firstAccount()
        // An invited admin, and a disabled one, could not help.
        _ = try await service.invite("invited", role: .admin, by: Self.admin, at: noon)
        let other = try await member("other", .admin)
        try await service.disable(accountID: other.id, by: Self.admin, at: noon)
        let before = log.all.count
        #expect(
            try await refusal { try await service.changeRole(accountID: ana.accountID, to: .viewer, by: Self.admin, at: noon) }
                == .notAllowed)
        #expect(
            try await refusal { try await service.disable(accountID: ana.accountID, by: Self.admin, at: noon) } == .notAllowed)
        #expect(log.all.count == before, "what is refused is no entry")
        try await service.enable(accountID: other.id, by: Self.admin, at: noon)
        try await service.changeRole(accountID: ana.accountID, to: .viewer, by: Self.admin, at: noon)
    }

    @Test("a new password needs the old one, keeps this session, ends the others; guessing is slowed down")
    func password() async throws {
        let ana = try await setup.firstAccount()
        let other = try #require(try await setup.signIn("ana").session?.token)
        let new = "a new password of some length"
        #expect(
            try await refusal {
                try await service.changePassword(of: ana, from: "wrong password", to: new, address: "192.0.2.9", at: noon)
            } == .invalid)
        try await service.changePassword(of: ana, from: goodPassword, to: new, address: "192.0.2.9", at: noon)
        #expect(log.kinds == [.passwordChangeFailed, .passwordChanged])
        let kept = try #require(ana.token)
        #expect(try await setup.service.authenticate(kept, isActivity: true, at: noon) != nil)
        #expect(try await setup.service.authenticate(other, isActivity: true, at: noon) == nil)
        #expect(try await setup.signIn("ana", new).session != nil)
        var codes: [AccountRefusal.Code?] = []
        for _ in 0..<8 {
            codes.append(
                try await refusal {
                    try await service.changePassword(of: ana, from: "guess after guess", to: new, address: "192.0.2.9", at: noon)
                })
        }
        #expect(codes.first == .invalid && codes.last == .limited)
    }

    @Test("nothing is done that cannot be journalled")
    func unjournalled() async throws {
        let ana = try await setup.firstAccount()
        let mute = AccountService(setup.service) { _ in throw Unexpected("the disk is full") }
        await #expect(throws: Unexpected.self) { try await mute.invite("bob", role: .viewer, by: Self.admin, at: noon) }
        await #expect(throws: Unexpected.self) {
            try await mute.createToken(for: ana.accountID, name: "t", scopes: [.read], days: 1, by: Self.admin, at: noon)
        }
        await #expect(throws: Unexpected.self) { try await mute.endSessions(accountID: ana.accountID, by: Self.admin, at: noon) }
        #expect(try await setup.store.account(named: "bob") == nil)
        #expect(try await setup.store.tokens(accountID: nil).isEmpty)
        #expect(setup.store.sessionCount == 1)
    }
}

@Suite("Tokens for programs")
struct APITokenTests {
    let setup: Setup
    let service: AccountService

    init() throws {
        setup = try Setup()
        service = AccountService(setup.service) { _ in }
    }

    private func issue(days: Int = 1, scopes: Set<TokenScope> = [.read]) async throws -> IssuedToken {
        let ana: String
        if let account = try await setup.store.account(named: "ana") {
            ana = account.id
        } else {
            ana = try await setup.firstAccount().accountID
        }
        return try await service.createToken(
            for: ana, name: "deploy", scopes: scopes, days: days, by: AccountServiceTests.admin, at: noon)
    }

    @Test("it is 160 random bits behind a prefix that scanners know, and only its hash is kept")
    func form() async throws {
        let issued = try await issue()
        #expect(issued.secret.text.wholeMatch(of: /vigie_[0-9a-f]{40}/) != nil)
        let stored = try await setup.store.tokens(accountID: nil)
        #expect(!"\(stored)".contains(issued.secret.text.dropFirst(6)))
        #expect(try await issue().secret.text != issued.secret.text)
    }

    @Test("it works until it expires or is revoked, and says when it was last used")
    func life() async throws {
        let issued = try await issue(days: 1)
        let signedIn = try #require(try await setup.service.authenticate(apiToken: issued.secret, at: noon))
        #expect(signedIn.accountName == "ana" && signedIn.scopes == [.read] && signedIn.authorID == "token:\(issued.token.id)")
        #expect(try await setup.store.tokens(accountID: nil).first?.lastUsedAt == noon)
        // Not written again within a minute.
        _ = try await setup.service.authenticate(apiToken: issued.secret, at: noon.advanced(bySeconds: 59))
        #expect(try await setup.store.tokens(accountID: nil).first?.lastUsedAt == noon)
        let end = noon.advanced(bySeconds: 86_400)
        #expect(try await setup.service.authenticate(apiToken: issued.secret, at: end.advanced(bySeconds: -1)) != nil)
        #expect(try await setup.service.authenticate(apiToken: issued.secret, at: end) == nil)
        let other = try await issue()
        try await service.revokeToken(id: other.token.id, owner: nil, by: AccountServiceTests.admin, at: noon)
        #expect(try await setup.service.authenticate(apiToken: other.secret, at: noon) == nil)
        #expect(try await setup.service.isStillValid(signedIn, at: noon))
        #expect(try await !setup.service.isStillValid(signedIn, at: end))
    }

    @Test("somebody else's token cannot be revoked as one's own")
    func owner() async throws {
        let issued = try await issue()
        await #expect(throws: AccountRefusal.self) {
            try await service.revokeToken(id: issued.token.id, owner: "somebody", by: AccountServiceTests.admin, at: noon)
        }
        #expect(try await setup.service.authenticate(apiToken: issued.secret, at: noon) != nil)
    }

    @Test("a life, a name and a scope are needed; there is an end to how many")
    func limits() async throws {
        for days in [0, -1, 367, Int.max] {
            await #expect(throws: AccountRefusal.self) { try await issue(days: days) }
        }
        await #expect(throws: AccountRefusal.self) { try await issue(scopes: []) }
        for _ in 0..<100 { _ = try await issue() }
        await #expect(throws: AccountRefusal.self) { try await issue() }
    }

    @Test(
        "only a whole token of ours is looked up",
        arguments: [
            "", "Bearer", "Bearer ", "Bearer vigie_", "Basic dXNlcjpwYXNz", "vigie_0123456789012345678901234567890123456789",
            "Bearer vigie_012345678901234567890123456789012345678", "Bearer github_0123456789012345678901234567890123456",
        ])
    func headers(field: String) {
        #expect(APIToken.secret(inAuthorization: field) == nil)
    }

    @Test("the scheme is not case-sensitive, and spaces may stand before the token (RFC 9110 11.4)")
    func scheme() {
        let text = "vigie_0123456789012345678901234567890123456789"
        for field in ["Bearer \(text)", "bearer \(text)", "BEARER   \(text)"] {
            #expect(APIToken.secret(inAuthorization: field)?.text == text)
        }
    }
}

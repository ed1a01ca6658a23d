import Events
import Identity
import Storage
import Testing

/// What every account store has to do with accounts beyond the first, their links and tokens; run on each of them.
@Suite("Account stores: accounts, links, tokens")
struct AccountChangeTests {
    private let folder: TemporaryFolder
    private static let start = Timestamp(seconds: 1_790_000_000)

    init() throws { folder = try TemporaryFolder() }

    /// With an admin `ana` ("1") and a viewer `bob` ("2") who has a session.
    private func store(_ kind: AccountStoreTests.Kind) async throws -> any AccountStore {
        let store: any AccountStore =
            switch kind {
            case .inMemory: InMemoryAccountStore()
            case .database: try PrivateDatabase(path: folder.file("private.db"))
            }
        #expect(try await store.insertAccount(account("ana", "1", .admin)))
        #expect(try await store.insertAccount(account("bob", "2", .viewer)))
        try await store.insertSession(
            SignInSession(digest: digest("2"), accountID: "2", createdAt: Self.start, lastSeenAt: Self.start))
        return store
    }

    private func account(_ name: String, _ id: String, _ role: Role, hash: String = "$argon2id$…") -> Account {
        Account(id: id, name: name, role: role, passwordHash: hash, createdAt: Self.start)
    }

    private func digest(_ digit: Character) -> TokenDigest { TokenDigest(hex: String(repeating: digit, count: 64)) }

    @Test("a name is taken once", arguments: AccountStoreTests.Kind.allCases)
    func names(kind: AccountStoreTests.Kind) async throws {
        let store = try await store(kind)
        #expect(try await !store.insertAccount(account("bob", "3", .admin)))
        #expect(try await store.accounts().map(\.name) == ["ana", "bob"])
        #expect(try await store.account(named: "bob")?.id == "2")
    }

    @Test("role and use change; without use there is no session", arguments: AccountStoreTests.Kind.allCases)
    func changes(kind: AccountStoreTests.Kind) async throws {
        let store = try await store(kind)
        #expect(try await store.updateAccount(id: "2", role: .commander, disabledAt: nil))
        #expect(try await store.account(id: "2")?.role == .commander)
        #expect(try await store.session(digest: digest("2")) != nil)
        #expect(try await store.updateAccount(id: "2", role: .commander, disabledAt: Self.start))
        #expect(try await store.account(id: "2")?.disabledAt == Self.start)
        #expect(try await store.session(digest: digest("2")) == nil)
        #expect(try await !store.updateAccount(id: "9", role: .viewer, disabledAt: nil))
    }

    @Test("an account of a provider is found by issuer and subject together, once", arguments: AccountStoreTests.Kind.allCases)
    func provider(kind: AccountStoreTests.Kind) async throws {
        let store = try await store(kind)
        let subject = ProviderSubject(issuer: "https://login.example.org", subject: "1")
        let bea = Account(id: "7", name: "bea", role: .viewer, passwordHash: "", createdAt: Self.start, provider: subject)
        #expect(try await store.insertAccount(bea))
        #expect(try await store.account(of: subject) == bea)
        #expect(try await store.account(id: "7") == bea)
        #expect(try await store.account(of: ProviderSubject(issuer: subject.issuer, subject: "2")) == nil)
        #expect(try await store.account(of: ProviderSubject(issuer: "https://other.example", subject: "1")) == nil)
        var again = bea
        (again.id, again.name) = ("8", "carl")
        #expect(try await !store.insertAccount(again), "the subject has an account")
        again.provider = nil
        #expect(try await store.insertAccount(again))
        (again.id, again.name) = ("9", "dora")
        #expect(try await store.insertAccount(again), "accounts without a provider are many")

        let session = SignInSession(
            digest: digest("5"), accountID: "7", createdAt: Self.start, lastSeenAt: Self.start, means: .providerWithSecondFactor)
        try await store.insertSession(session)
        #expect(try await store.session(digest: session.digest) == session)
        #expect(try await store.sessions(accountID: "7") == [session])
        try await store.suspendAccount(id: "7", at: Self.start)
        #expect(try await store.account(id: "7")?.suspendedAt == Self.start)
        #expect(try await store.sessions(accountID: "7").isEmpty)
        try await store.suspendAccount(id: "7", at: nil)
        #expect(try await store.account(id: "7") == bea)
    }

    @Test("some active admin is always left", arguments: AccountStoreTests.Kind.allCases)
    func lastAdmin(kind: AccountStoreTests.Kind) async throws {
        let store = try await store(kind)
        #expect(try await store.insertAccount(account("invited", "3", .admin, hash: "")))
        #expect(try await !store.updateAccount(id: "1", role: .viewer, disabledAt: nil))
        #expect(try await !store.updateAccount(id: "1", role: .admin, disabledAt: Self.start))
        #expect(try await store.account(id: "1") == account("ana", "1", .admin), "nothing changed")
        #expect(try await store.updateAccount(id: "2", role: .admin, disabledAt: nil))
        #expect(try await store.updateAccount(id: "1", role: .viewer, disabledAt: nil))
        // With several who give up the role at once, one keeps it.
        #expect(try await store.updateAccount(id: "1", role: .admin, disabledAt: nil))
        let done = try await withThrowingTaskGroup(of: Bool.self) { group in
            for id in ["1", "2"] { group.addTask { try await store.updateAccount(id: id, role: .viewer, disabledAt: nil) } }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(done == 1)
    }

    @Test("a link is there until it is used, and only the newest of an account", arguments: AccountStoreTests.Kind.allCases)
    func links(kind: AccountStoreTests.Kind) async throws {
        let store = try await store(kind)
        for digit: Character in ["a", "b"] {
            try await store.insertLink(
                AccountLink(digest: digest(digit), accountID: "2", kind: .reset, expiresAt: Self.start))
        }
        #expect(try await store.link(digest: digest("a")) == nil)
        #expect(
            try await store.link(digest: digest("b"))
                == AccountLink(digest: digest("b"), accountID: "2", kind: .reset, expiresAt: Self.start))
        #expect(try await !store.redeemLink(digest: digest("a"), passwordHash: "x"))
        #expect(try await store.redeemLink(digest: digest("b"), passwordHash: "x"))
        #expect(try await store.account(id: "2")?.passwordHash == "x")
        #expect(try await store.session(digest: digest("2")) == nil)
        #expect(try await !store.redeemLink(digest: digest("b"), passwordHash: "y"))
        #expect(try await store.account(id: "2")?.passwordHash == "x")
    }

    @Test("sessions of one account end, except one", arguments: AccountStoreTests.Kind.allCases)
    func sessions(kind: AccountStoreTests.Kind) async throws {
        let store = try await store(kind)
        for (digit, owner) in [(Character("3"), "2"), ("4", "1")] {
            try await store.insertSession(
                SignInSession(
                    digest: digest(digit), accountID: owner, createdAt: Self.start.advanced(bySeconds: 5), lastSeenAt: Self.start)
            )
        }
        #expect(try await store.sessions(accountID: "2").map(\.digest) == [digest("3"), digest("2")])
        try await store.deleteSessions(accountID: "2", except: digest("2"))
        #expect(try await store.sessions(accountID: "2").map(\.digest) == [digest("2")])
        try await store.deleteSessions(accountID: "2", except: nil)
        #expect(try await store.sessions(accountID: "2").isEmpty)
        #expect(try await store.sessions(accountID: "1").count == 1)
    }

    @Test("a token is found by its digest alone, and keeps what it was made with", arguments: AccountStoreTests.Kind.allCases)
    func tokens(kind: AccountStoreTests.Kind) async throws {
        let store = try await store(kind)
        var token = APIToken(
            id: "t1", digest: digest("c"), accountID: "2", name: "Ü <b>", scopes: [.read, .ingest], createdAt: Self.start,
            expiresAt: Self.start.advanced(bySeconds: 60))
        try await store.insertToken(token)
        try await store.insertToken(
            APIToken(
                id: "t2", digest: digest("d"), accountID: "1", name: "x", scopes: [.admin],
                createdAt: Self.start.advanced(bySeconds: 1), expiresAt: Self.start))
        #expect(try await store.token(digest: digest("c")) == token)
        #expect(try await store.token(digest: digest("e")) == nil)
        try await store.touchToken(id: "t1", at: Self.start)
        token.lastUsedAt = Self.start
        #expect(try await store.tokens(accountID: "2") == [token])
        #expect(try await store.tokens(accountID: nil).map(\.id) == ["t2", "t1"])
        try await store.deleteToken(id: "t1")
        #expect(try await store.token(digest: digest("c")) == nil)
        #expect(try await store.tokens(accountID: "1").count == 1)
    }
}

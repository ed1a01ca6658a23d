import Events
import Identity
import Storage
import Testing

/// What every account store has to do, run on each of them.
@Suite("Account stores")
struct AccountStoreTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case inMemory, database
        var testDescription: String { rawValue }
    }

    private let folder: TemporaryFolder
    private static let start = Timestamp(seconds: 1_790_000_000)

    init() throws { folder = try TemporaryFolder() }

    private func store(_ kind: Kind) throws -> any AccountStore {
        switch kind {
        case .inMemory: InMemoryAccountStore()
        case .database: try PrivateDatabase(path: folder.file("private.db"))
        }
    }

    private func account(_ name: String, id: String = "0a1b") -> Account {
        Account(id: id, name: name, role: .admin, passwordHash: "$argon2id$…", createdAt: Self.start)
    }

    private func digest(_ digit: Character) -> TokenDigest { TokenDigest(hex: String(repeating: digit, count: 64)) }

    @Test("the first account needs the token, uses it up, and stays the only one to come that way", arguments: Kind.allCases)
    func firstAccount(kind: Kind) async throws {
        let store = try store(kind)
        #expect(try await !store.hasAccounts())
        #expect(try await store.setupTokenDigest() == nil)
        #expect(try await !store.createFirstAccount(account("ana"), consuming: digest("a")), "there is no token")

        try await store.setSetupTokenDigest(digest("a"))
        try await store.setSetupTokenDigest(digest("b"))
        #expect(try await store.setupTokenDigest() == digest("b"), "the newer one replaces the older")
        #expect(try await !store.createFirstAccount(account("ana"), consuming: digest("a")), "not the stored one")
        #expect(try await !store.hasAccounts())

        #expect(try await store.createFirstAccount(account("ana"), consuming: digest("b")))
        #expect(try await store.hasAccounts())
        #expect(try await store.setupTokenDigest() == nil)
        try await store.setSetupTokenDigest(digest("c"))
        #expect(
            try await !store.createFirstAccount(account("eve", id: "ff"), consuming: digest("c")), "there is an account already")
        #expect(try await store.account(named: "eve") == nil)
    }

    @Test("of many who try at once with the right token, one becomes the first", arguments: Kind.allCases)
    func race(kind: Kind) async throws {
        let store = try store(kind)
        try await store.setSetupTokenDigest(digest("a"))
        let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                let candidate = account("person\(number)", id: "\(number)")
                group.addTask { [digest = digest("a")] in try await store.createFirstAccount(candidate, consuming: digest) }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
    }

    @Test("an account is found by name and by id, and takes a new password hash", arguments: Kind.allCases)
    func accounts(kind: Kind) async throws {
        let store = try store(kind)
        try await store.setSetupTokenDigest(digest("a"))
        _ = try await store.createFirstAccount(account("ana"), consuming: digest("a"))
        #expect(try await store.account(named: "ana") == account("ana"))
        #expect(try await store.account(id: "0a1b") == account("ana"))
        #expect(try await store.account(named: "Ana") == nil)
        #expect(try await store.account(named: "' OR 1=1 --") == nil)
        #expect(try await store.account(id: "ana") == nil)

        try await store.updatePasswordHash("new", accountID: "0a1b")
        try await store.updatePasswordHash("other", accountID: "nobody")
        #expect(try await store.account(named: "ana")?.passwordHash == "new")
    }

    @Test("sessions come, are touched and go", arguments: Kind.allCases)
    func sessions(kind: Kind) async throws {
        let store = try store(kind)
        try await store.setSetupTokenDigest(digest("a"))
        _ = try await store.createFirstAccount(account("ana"), consuming: digest("a"))
        func session(_ digit: Character, created: Int64, seen: Int64) -> SignInSession {
            SignInSession(
                digest: digest(digit), accountID: "0a1b", createdAt: Self.start.advanced(bySeconds: created),
                lastSeenAt: Self.start.advanced(bySeconds: seen))
        }
        for made in [
            session("1", created: 0, seen: 100), session("2", created: 50, seen: 50), session("3", created: 50, seen: 100),
        ] {
            try await store.insertSession(made)
        }
        #expect(try await store.session(digest: digest("1")) == session("1", created: 0, seen: 100))
        #expect(try await store.session(digest: digest("9")) == nil)

        try await store.touchSession(digest: digest("1"), at: Self.start.advanced(bySeconds: 200))
        try await store.touchSession(digest: digest("9"), at: Self.start)
        #expect(try await store.session(digest: digest("1")) == session("1", created: 0, seen: 200))
        #expect(try await store.session(digest: digest("9")) == nil)

        // What began or was seen at that very moment stays.
        try await store.deleteSessions(createdBefore: Self.start, lastSeenBefore: Self.start.advanced(bySeconds: 100))
        #expect(try await store.session(digest: digest("1")) != nil)
        #expect(try await store.session(digest: digest("2")) == nil)
        try await store.deleteSessions(createdBefore: Self.start.advanced(bySeconds: 50), lastSeenBefore: Self.start)
        #expect(try await store.session(digest: digest("1")) == nil)
        #expect(try await store.session(digest: digest("3")) != nil)
        try await store.deleteSession(digest: digest("3"))
        try await store.deleteSession(digest: digest("3"))
        #expect(try await store.session(digest: digest("3")) == nil)
    }

    @Test("accounts, sessions and the token outlive the process")
    func durable() async throws {
        do {
            let store = try store(.database)
            try await store.setSetupTokenDigest(digest("a"))
            _ = try await store.createFirstAccount(account("ana"), consuming: digest("a"))
            try await store.setSetupTokenDigest(digest("b"))
            try await store.insertSession(
                SignInSession(digest: digest("1"), accountID: "0a1b", createdAt: Self.start, lastSeenAt: Self.start))
        }
        let store = try store(.database)
        #expect(try await store.account(named: "ana") == account("ana"))
        #expect(try await store.setupTokenDigest() == digest("b"))
        #expect(try await store.session(digest: digest("1")) != nil)
    }
}

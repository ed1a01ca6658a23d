import Identity
import Testing

struct PasswordHashTests {
    /// From the test programme of the reference implementation (phc-winner-argon2, src/test.c).
    @Test func agreesWithTheReferenceImplementation() throws {
        let expected = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        let hash = try PasswordHash(
            password: "password", salt: Array("somesalt".utf8), cost: .init(memoryKiB: 65_536, passes: 2, lanes: 1))
        #expect(hash.phc == expected)
        #expect(try PasswordHash(phc: expected).matches("password"))
        #expect(try !PasswordHash(phc: expected).matches("Password"))
    }

    @Test func usesTheRecommendedCost() async throws {
        let hash = try await PasswordHasher().hash(goodPassword)
        #expect(hash.phc.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
    }

    @Test func saltsEachHash() async throws {
        let hasher = try PasswordHasher(cost: cheap)
        let first = try await hasher.hash(goodPassword)
        let second = try await hasher.hash(goodPassword)
        #expect(first != second)
        #expect(try await hasher.verify(goodPassword, against: first))
    }

    @Test(arguments: [
        "", "plain", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$aaaa", "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$aaaa",
        "$argon2id$v=19$m=4000000,t=1,p=1$c29tZXNhbHQ$aaaa", "$argon2id$v=19$m=64,t=1$c29tZXNhbHQ$aaaa",
        "$argon2id$v=19$m=64,t=1,p=1$$",
    ])
    func refusesADamagedHash(phc: String) {
        #expect(throws: IdentityError.self) { try PasswordHash(phc: phc).matches("anything at all") }
    }

    @Test func anUnknownAccountNeverMatches() async throws {
        let hasher = try PasswordHasher(cost: cheap)
        #expect(try await !hasher.verify(goodPassword, against: nil))
    }

    @Test func refusesWhatDoesNotFitInTheLine() async throws {
        let hasher = try PasswordHasher(cost: .init(memoryKiB: 8192, passes: 1, lanes: 1), maximumRunning: 1, maximumWaiting: 1)
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<24 {
                group.addTask { (try? await hasher.hash(goodPassword)) != nil }
            }
            return await group.reduce(into: [Bool]()) { $0.append($1) }
        }
        #expect(results.contains(true))
        // And the line moves on afterwards.
        _ = try await hasher.hash(goodPassword)
    }

    @Test func everyoneInTheLineGetsATurn() async throws {
        let hasher = try PasswordHasher(cost: cheap, maximumRunning: 2, maximumWaiting: 100)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { _ = try await hasher.hash(goodPassword) } }
            try await group.waitForAll()
        }
    }
}

struct PasswordPolicyTests {
    @Test func acceptsALongPhrase() {
        #expect(PasswordPolicy.violation(of: goodPassword, name: "ana") == nil)
        #expect(PasswordPolicy.violation(of: "пароль из слов", name: "ana") == nil)
    }

    @Test func refuses() {
        #expect(PasswordPolicy.violation(of: "elevenchars", name: "ana") == .tooShort)
        #expect(PasswordPolicy.violation(of: String(repeating: "ab1x", count: 257), name: "ana") == .tooLong)
        #expect(PasswordPolicy.violation(of: "Administrator", name: "administrator") == .sameAsName)
        #expect(PasswordPolicy.violation(of: "aaaaaaaaaaaaaaaa", name: "ana") == .tooUniform)
    }
}

struct AccountNameTests {
    @Test(arguments: [("Ana", "ana"), (" ana ", "ana"), ("a.b-c_d@e9", "a.b-c_d@e9"), ("7", "7")])
    func spellsNamesOneWay(typed: String, stored: String) {
        #expect(AccountName.normalized(typed) == stored)
    }

    @Test(arguments: ["", "  ", ".ana", "a b", "an\u{430}", "ana\n", "<script>", "a\u{0}", String(repeating: "a", count: 65)])
    func refuses(name: String) {
        #expect(AccountName.normalized(name) == nil)
    }
}

struct SetupTokenTests {
    @Test func survivesBeingTyped() {
        let token = SetupToken.generate(from: .system)
        #expect(token.filter { $0 != "-" }.count == 26)
        let digest = SetupToken.secret(typed: token).digest
        #expect(SetupToken.secret(typed: token.lowercased()).digest == digest)
        #expect(SetupToken.secret(typed: " " + token.replacing("-", with: " ") + "\n").digest == digest)
        #expect(SetupToken.secret(typed: token.replacing("0", with: "o").replacing("1", with: "l")).digest == digest)
    }

    @Test func neverRepeats() {
        let tokens = Set((0..<1000).map { _ in SetupToken.generate(from: .system) })
        #expect(tokens.count == 1000)
    }
}

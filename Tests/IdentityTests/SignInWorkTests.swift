import Events
import Synchronization
import Testing

@testable import Identity

/// Whoever measures an answer must not learn whether there is an account: the slow part is counted, not timed.
@Suite("Sign-in does the same work for everybody")
struct SignInWorkTests {
    final class Work: Sendable {
        private let costs = Mutex<[PasswordHash.Cost]>([])
        func add(_ cost: PasswordHash.Cost) { costs.withLock { $0.append(cost) } }
        /// What was computed since it was asked last.
        func take() -> [PasswordHash.Cost] {
            costs.withLock { costs in
                defer { costs = [] }
                return costs
            }
        }
    }

    @Test("known, unknown, invited, disabled, of a provider, impossible; right password or wrong")
    func oneComputation() async throws {
        let work = Work()
        let store = InMemoryAccountStore()
        let service = SignInService(
            store: store, hasher: try PasswordHasher(cost: cheap, computing: { work.add($0) }), delay: { _ in })
        let hash = try PasswordHash(password: goodPassword, salt: [UInt8](repeating: 1, count: 16), cost: cheap).phc
        func insert(_ name: String, hash: String, disabled: Bool = false, provider: ProviderSubject? = nil) async throws {
            let account = Account(
                id: name, name: name, role: .viewer, passwordHash: hash, createdAt: noon, disabledAt: disabled ? noon : nil,
                provider: provider)
            #expect(try await store.insertAccount(account))
        }
        try await insert("ana", hash: hash)
        try await insert("invited", hash: "")
        try await insert("disabled", hash: hash, disabled: true)
        try await insert("sso", hash: "", provider: ProviderSubject(issuer: "https://login.example.org", subject: "1"))
        let passwords = [goodPassword, "wrong", "", String(repeating: "x", count: PasswordPolicy.maximumBytes + 1)]
        var signedIn = 0
        for (index, name) in ["ana", "nobody", "invited", "disabled", "sso", "not a name!", ""].enumerated() {
            for (number, password) in passwords.enumerated() {
                _ = work.take()
                let outcome = try await service.signIn(
                    name: name, password: password, address: "192.0.2.\(index * 10 + number)", replacing: nil, at: noon)
                if outcome.session != nil { signedIn += 1 }
                #expect(work.take() == [cheap], "\(name), password \(number)")
            }
        }
        #expect(signedIn == 1)
    }
}

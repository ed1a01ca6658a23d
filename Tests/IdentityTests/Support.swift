import Events
import Identity
import Synchronization

/// Cheap enough for a test; the real cost has tests of its own.
let cheap = PasswordHash.Cost(memoryKiB: 64, passes: 1, lanes: 1)
let noon = Timestamp(seconds: 1_790_000_000)
let goodPassword = "correct horse battery staple"

/// A service with an account `ana`, over a store one can look into.
struct Setup {
    let store = InMemoryAccountStore()
    let service: SignInService
    let delays = DelayLog()

    init(limits: SignInThrottle.Limits = SignInThrottle.Limits()) throws {
        let delays = delays
        service = SignInService(
            store: store, hasher: try PasswordHasher(cost: cheap), limits: limits, delay: { delays.append($0) })
    }

    /// The first account, made the way a person makes it.
    func firstAccount() async throws -> SignedIn {
        let token = try await service.issueSetupToken() ?? ""
        let outcome = try await service.setUp(token: token, name: "ana", password: goodPassword, address: "127.0.0.1", at: noon)
        guard case .created(let signedIn, _) = outcome else { throw Unexpected("\(outcome)") }
        return signedIn
    }

    func signIn(
        _ name: String = "ana", _ password: String = goodPassword, from address: String = "127.0.0.1", at time: Timestamp = noon
    )
        async throws -> SignInOutcome
    {
        try await service.signIn(name: name, password: password, address: address, replacing: nil, at: time)
    }
}

final class DelayLog: Sendable {
    private let entries = Mutex<[Int64]>([])
    func append(_ milliseconds: Int64) { entries.withLock { $0.append(milliseconds) } }
    var all: [Int64] { entries.withLock { $0 } }
}

struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

extension SignInOutcome {
    var session: SignedIn? { if case .signedIn(let signedIn, _) = self { signedIn } else { nil } }
    var wait: Int64? { if case .limited(let seconds, _) = self { seconds } else { nil } }
    var audit: AuditRecord? {
        switch self {
        case .signedIn(_, let audit), .refused(let audit): audit
        case .limited(_, let audit): audit
        case .busy, .codeNeeded: nil
        }
    }
}

extension SignedIn {
    /// What the browser keeps.
    var cookie: SecretToken { token ?? SecretToken(text: "") }
}

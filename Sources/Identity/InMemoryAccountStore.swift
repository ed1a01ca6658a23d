package import Events
import Synchronization

/// Accounts that end with the process: for tests and demonstrations.
package final class InMemoryAccountStore: AccountStore {
    private struct State {
        var accounts: [Account] = []
        var sessions: [TokenDigest: SignInSession] = [:]
        var setupToken: TokenDigest?
    }

    private let state = Mutex(State())

    package init() {}

    package func hasAccounts() async throws -> Bool {
        state.withLock { !$0.accounts.isEmpty }
    }

    package func account(named name: String) async throws -> Account? {
        state.withLock { $0.accounts.first { $0.name == name } }
    }

    package func account(id: String) async throws -> Account? {
        state.withLock { $0.accounts.first { $0.id == id } }
    }

    package func createFirstAccount(_ account: Account, consuming digest: TokenDigest) async throws -> Bool {
        state.withLock { state in
            guard state.accounts.isEmpty, state.setupToken == digest else { return false }
            state.accounts.append(account)
            state.setupToken = nil
            return true
        }
    }

    package func updatePasswordHash(_ hash: String, accountID: String) async throws {
        state.withLock { state in
            guard let index = state.accounts.firstIndex(where: { $0.id == accountID }) else { return }
            state.accounts[index].passwordHash = hash
        }
    }

    package func setupTokenDigest() async throws -> TokenDigest? {
        state.withLock { $0.setupToken }
    }

    package func setSetupTokenDigest(_ digest: TokenDigest?) async throws {
        state.withLock { $0.setupToken = digest }
    }

    package func insertSession(_ session: SignInSession) async throws {
        state.withLock { $0.sessions[session.digest] = session }
    }

    package func session(digest: TokenDigest) async throws -> SignInSession? {
        state.withLock { $0.sessions[digest] }
    }

    package func touchSession(digest: TokenDigest, at time: Timestamp) async throws {
        state.withLock { $0.sessions[digest]?.lastSeenAt = time }
    }

    package func deleteSession(digest: TokenDigest) async throws {
        state.withLock { _ = $0.sessions.removeValue(forKey: digest) }
    }

    package func deleteSessions(createdBefore created: Timestamp, lastSeenBefore seen: Timestamp) async throws {
        state.withLock { state in
            state.sessions = state.sessions.filter { $0.value.createdAt >= created && $0.value.lastSeenAt >= seen }
        }
    }

    /// How many sessions there are, expired ones included.
    package var sessionCount: Int { state.withLock { $0.sessions.count } }
}

package import Events
import Synchronization

/// Accounts that end with the process: for tests and demonstrations.
package final class InMemoryAccountStore: AccountStore {
    private struct State {
        var accounts: [Account] = []
        var sessions: [TokenDigest: SignInSession] = [:]
        var setupToken: TokenDigest?
        var links: [TokenDigest: AccountLink] = [:]
        var tokens: [APIToken] = []
        var factors: [String: SecondFactor] = [:]
        var recoveryCodes: [String: Set<TokenDigest>] = [:]

        func complete(_ account: Account) -> Account {
            var account = account
            account.hasSecondFactor = factors[account.id]?.since != nil
            return account
        }
    }

    private let state = Mutex(State())

    package init() {}

    package func hasAccounts() async throws -> Bool {
        state.withLock { !$0.accounts.isEmpty }
    }

    package func account(named name: String) async throws -> Account? {
        state.withLock { state in state.accounts.first { $0.name == name }.map(state.complete) }
    }

    package func account(id: String) async throws -> Account? {
        state.withLock { state in state.accounts.first { $0.id == id }.map(state.complete) }
    }

    package func createFirstAccount(_ account: Account, consuming digest: TokenDigest) async throws -> Bool {
        state.withLock { state in
            guard state.accounts.isEmpty, state.setupToken == digest else { return false }
            state.accounts.append(account)
            state.setupToken = nil
            return true
        }
    }

    package func accounts() async throws -> [Account] {
        state.withLock { state in state.accounts.sorted { $0.name < $1.name }.map(state.complete) }
    }

    package func insertAccount(_ account: Account) async throws -> Bool {
        state.withLock { state in
            let isTaken = state.accounts.contains {
                $0.name == account.name || account.provider != nil && $0.provider == account.provider
            }
            guard !isTaken else { return false }
            state.accounts.append(account)
            return true
        }
    }

    package func account(of subject: ProviderSubject) async throws -> Account? {
        state.withLock { state in state.accounts.first { $0.provider == subject }.map(state.complete) }
    }

    package func suspendAccount(id: String, at time: Timestamp?) async throws {
        state.withLock { state in
            guard let index = state.accounts.firstIndex(where: { $0.id == id }) else { return }
            state.accounts[index].suspendedAt = time
            if time != nil { state.sessions = state.sessions.filter { $0.value.accountID != id } }
        }
    }

    package func updateAccount(id: String, role: Role, disabledAt: Timestamp?) async throws -> Bool {
        state.withLock { state in
            var changed = state.accounts
            guard let index = changed.firstIndex(where: { $0.id == id }) else { return false }
            changed[index].role = role
            changed[index].disabledAt = disabledAt
            guard changed.contains(where: \.isActiveAdmin) || !state.accounts.contains(where: \.isActiveAdmin) else {
                return false
            }
            state.accounts = changed
            if disabledAt != nil { state.sessions = state.sessions.filter { $0.value.accountID != id } }
            return true
        }
    }

    package func insertLink(_ link: AccountLink) async throws {
        state.withLock { state in
            state.links = state.links.filter { $0.value.accountID != link.accountID }
            state.links[link.digest] = link
        }
    }

    package func link(digest: TokenDigest) async throws -> AccountLink? {
        state.withLock { $0.links[digest] }
    }

    package func redeemLink(digest: TokenDigest, passwordHash: String) async throws -> Bool {
        state.withLock { state in
            guard let link = state.links.removeValue(forKey: digest),
                let index = state.accounts.firstIndex(where: { $0.id == link.accountID })
            else { return false }
            state.accounts[index].passwordHash = passwordHash
            state.sessions = state.sessions.filter { $0.value.accountID != link.accountID }
            return true
        }
    }

    package func sessions(accountID: String) async throws -> [SignInSession] {
        state.withLock { state in
            state.sessions.values.filter { $0.accountID == accountID }.sorted { $0.createdAt > $1.createdAt }
        }
    }

    package func deleteSessions(accountID: String, except: TokenDigest?) async throws {
        state.withLock { state in
            state.sessions = state.sessions.filter { $0.value.accountID != accountID || $0.key == except }
        }
    }

    package func offerSecondFactor(secret: [UInt8], accountID: String) async throws {
        state.withLock { state in
            guard state.factors[accountID] == nil else { return }
            state.factors[accountID] = SecondFactor(secret: secret, since: nil, lastStep: 0)
        }
    }

    package func secondFactor(accountID: String) async throws -> SecondFactor? {
        state.withLock { $0.factors[accountID] }
    }

    package func confirmSecondFactor(
        accountID: String, at time: Timestamp, step: Int64, recoveryCodes: [TokenDigest]
    ) async throws {
        state.withLock { state in
            state.factors[accountID]?.since = time
            state.factors[accountID]?.lastStep = step
            state.recoveryCodes[accountID] = Set(recoveryCodes)
        }
    }

    package func advanceSecondFactor(accountID: String, to step: Int64) async throws -> Bool {
        state.withLock { state in
            guard let factor = state.factors[accountID], factor.lastStep < step else { return false }
            state.factors[accountID]?.lastStep = step
            return true
        }
    }

    package func deleteSecondFactor(accountID: String) async throws {
        state.withLock { state in
            state.factors[accountID] = nil
            state.recoveryCodes[accountID] = nil
        }
    }

    package func useRecoveryCode(digest: TokenDigest, accountID: String) async throws -> Bool {
        state.withLock { $0.recoveryCodes[accountID]?.remove(digest) != nil }
    }

    package func recoveryCodeCount(accountID: String) async throws -> Int {
        state.withLock { $0.recoveryCodes[accountID]?.count ?? 0 }
    }

    package func insertToken(_ token: APIToken) async throws {
        state.withLock { $0.tokens.append(token) }
    }

    package func token(digest: TokenDigest) async throws -> APIToken? {
        state.withLock { $0.tokens.first { $0.digest == digest } }
    }

    package func tokens(accountID: String?) async throws -> [APIToken] {
        state.withLock { state in
            state.tokens.filter { accountID == nil || $0.accountID == accountID }.sorted { $0.createdAt > $1.createdAt }
        }
    }

    package func touchToken(id: String, at time: Timestamp) async throws {
        state.withLock { state in
            guard let index = state.tokens.firstIndex(where: { $0.id == id }) else { return }
            state.tokens[index].lastUsedAt = time
        }
    }

    package func deleteToken(id: String) async throws {
        state.withLock { $0.tokens.removeAll { $0.id == id } }
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

package import Events

/// Makes and changes accounts.
///
/// Everything is journalled *before* it is carried out: an entry may stand there without its effect when the process dies in
/// between, but nothing has an effect without an entry.
package struct AccountService: Sendable {
    let identity: SignInService
    let audit: @Sendable (AuditRecord) async throws -> Void

    var store: any AccountStore { identity.store }

    /// - Parameter audit: journals one decision; when it throws, nothing is done.
    package init(_ identity: SignInService, audit: @escaping @Sendable (AuditRecord) async throws -> Void) {
        self.identity = identity
        self.audit = audit
    }

    /// By name.
    package func accounts() async throws -> [Account] { try await store.accounts() }

    package func account(id: String) async throws -> Account {
        guard let account = try await store.account(id: id) else { throw Self.unknownAccount }
        return account
    }

    package func account(named name: String) async throws -> Account {
        guard let normalized = AccountName.normalized(name), let account = try await store.account(named: normalized) else {
            throw Self.unknownAccount
        }
        return account
    }

    /// Adds an account that cannot be used until somebody took its invitation.
    package func invite(_ name: String, role: Role, by author: AuditAuthor, at now: Timestamp) async throws -> IssuedLink {
        guard let name = AccountName.normalized(name) else {
            throw AccountRefusal(
                .invalid, "that is no account name",
                "a name has 1 to 64 letters (a–z), digits, dots, dashes or underscores, and begins with a letter or digit")
        }
        guard try await store.account(named: name) == nil else { throw Self.taken }
        let account = Account(
            id: SecretToken(bits: 128, from: identity.randomness).text, name: name, role: role, passwordHash: "", createdAt: now)
        try await audit(
            AuditRecord(
                kind: .invited, account: name, address: author.address, time: now, author: author,
                details: ["account": account.id, "role": role.rawValue]))
        guard try await store.insertAccount(account) else { throw Self.taken }
        return try await issueLink(.invitation, for: account, at: now)
    }

    /// A link that lets its reader choose a new password: an invitation again for an account that was never used.
    package func issueReset(accountID: String, by author: AuditAuthor, at now: Timestamp) async throws -> IssuedLink {
        let account = try await account(id: accountID)
        guard account.provider == nil else { throw Self.atProvider }
        let kind = account.isInvited ? AccountLink.Kind.invitation : .reset
        try await audit(
            AuditRecord(
                kind: .resetIssued, account: account.name, address: author.address, time: now, author: author,
                details: ["account": account.id, "link": kind.rawValue]))
        return try await issueLink(kind, for: account, at: now)
    }

    package func changeRole(
        accountID: String, to role: Role, by author: AuditAuthor, at now: Timestamp
    ) async throws {
        let account = try await account(id: accountID)
        guard account.provider == nil else { throw Self.atProvider }
        guard account.role != role else {
            throw AccountRefusal(.alreadyDone, "\(account.name) is \(role.rawValue) already", "there is nothing to do")
        }
        try await change(
            account, role: role, disabledAt: account.disabledAt, by: author, at: now,
            AuditRecord(
                kind: .roleChanged, account: account.name, address: author.address, time: now, author: author,
                details: ["account": account.id, "from": account.role.rawValue, "to": role.rawValue]))
    }

    /// Nobody can sign in with it any more; its sessions end, its tokens stop to work. It stays, since the journal names it.
    package func disable(accountID: String, by author: AuditAuthor, at now: Timestamp) async throws {
        let account = try await account(id: accountID)
        guard account.disabledAt == nil else {
            throw AccountRefusal(.alreadyDone, "\(account.name) is disabled already", "there is nothing to do")
        }
        try await change(
            account, role: account.role, disabledAt: now, by: author, at: now,
            AuditRecord(
                kind: .disabled, account: account.name, address: author.address, time: now, author: author,
                details: ["account": account.id]))
    }

    package func enable(accountID: String, by author: AuditAuthor, at now: Timestamp) async throws {
        let account = try await account(id: accountID)
        guard account.disabledAt != nil else {
            throw AccountRefusal(.alreadyDone, "\(account.name) is not disabled", "there is nothing to do")
        }
        try await change(
            account, role: account.role, disabledAt: nil, by: author, at: now,
            AuditRecord(
                kind: .enabled, account: account.name, address: author.address, time: now, author: author,
                details: ["account": account.id]))
    }

    /// - Parameter kept: the session that goes on, where somebody ends their own others.
    package func endSessions(
        accountID: String, except kept: SecretToken? = nil, by author: AuditAuthor, at now: Timestamp
    ) async throws {
        let account = try await account(id: accountID)
        try await audit(
            AuditRecord(
                kind: .sessionsEnded, account: account.name, address: author.address, time: now, author: author,
                details: ["account": account.id]))
        try await store.deleteSessions(accountID: accountID, except: kept?.digest)
    }

    /// Newest first.
    package func sessions(accountID: String, at now: Timestamp) async throws -> [SignInSession] {
        try await store.sessions(accountID: accountID).filter { identity.rules.isValid($0, at: now) }
    }

    private func change(
        _ account: Account, role: Role, disabledAt: Timestamp?, by author: AuditAuthor, at now: Timestamp, _ record: AuditRecord
    ) async throws {
        // Asked before the journal is written; the store decides once more, in the transaction that changes it.
        if account.isActiveAdmin, role != .admin || disabledAt != nil {
            guard try await store.accounts().contains(where: { $0.isActiveAdmin && $0.id != account.id }) else {
                throw Self.lastAdmin
            }
        }
        try await audit(record)
        guard try await store.updateAccount(id: account.id, role: role, disabledAt: disabledAt) else { throw Self.lastAdmin }
    }

    private func issueLink(_ kind: AccountLink.Kind, for account: Account, at now: Timestamp) async throws -> IssuedLink {
        let secret = SecretToken(bits: 160, from: identity.randomness)
        let expiresAt = now.advanced(bySeconds: kind.life)
        try await store.insertLink(
            AccountLink(digest: secret.digest, accountID: account.id, kind: kind, expiresAt: expiresAt))
        return IssuedLink(account: account, kind: kind, secret: secret, expiresAt: expiresAt)
    }

    static let unknownAccount = AccountRefusal(
        .unknownAccount, "there is no such account", "the list of accounts has their names")
    private static let taken = AccountRefusal(.notAllowed, "that name is taken", "choose another, or reset that account")
    private static let lastAdmin = AccountRefusal(
        .notAllowed, "this is the last admin", "make another account an admin first: somebody has to be able to")
}

package import Events

extension AccountService {
    /// The secret that an authenticator app is given; the same until it is confirmed. `nil` once there is a second factor.
    package func secondFactorOffer(accountID: String) async throws -> TimeCode? {
        if let factor = try await store.secondFactor(accountID: accountID) {
            return factor.since == nil ? TimeCode(secret: factor.secret) : nil
        }
        let secret = identity.randomness.bytes(TimeCode.secretLength)
        try await store.offerSecondFactor(secret: secret, accountID: accountID)
        // Another page may have been faster.
        return try await store.secondFactor(accountID: accountID).map { TimeCode(secret: $0.secret) }
    }

    /// Turns the second factor on, once a code shows that the app has the secret. Ends all other sessions.
    ///
    /// - Returns: recovery codes; they are shown this once.
    package func enableSecondFactor(
        of signedIn: SignedIn, password: String, code: String, address: String, at now: Timestamp
    ) async throws -> [String] {
        guard let token = signedIn.token else { throw Self.notByToken }
        let account = try await account(id: signedIn.accountID)
        guard account.provider == nil else { throw Self.atProvider }
        guard let factor = try await store.secondFactor(accountID: account.id), factor.since == nil else {
            throw AccountRefusal(.alreadyDone, "there is a second factor already", "turn it off first to change it")
        }
        try await checkPassword(password, of: account, address: address, at: now)
        guard let step = TimeCode(secret: factor.secret).step(of: code, at: now) else {
            throw AccountRefusal(
                .invalid, "the code is wrong",
                "see whether the clocks of this server and of your authenticator are right, and type the next one")
        }
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode.generate(from: identity.randomness) }
        try await audit(
            AuditRecord(
                kind: .secondFactorEnabled, account: account.name, address: address, time: now, details: ["account": account.id]))
        try await store.confirmSecondFactor(
            accountID: account.id, at: now, step: step, recoveryCodes: codes.map { RecoveryCode.secret(typed: $0).digest })
        try await store.deleteSessions(accountID: account.id, except: token.digest)
        return codes
    }

    /// Turns it off by the one who has it: password and a code.
    package func disableSecondFactor(
        of signedIn: SignedIn, password: String, code: String, address: String, at now: Timestamp
    ) async throws {
        guard signedIn.token != nil else { throw Self.notByToken }
        let account = try await account(id: signedIn.accountID)
        guard !identity.requiresSecondFactor(account.role) else {
            throw AccountRefusal(
                .notAllowed, "the role \(account.role.rawValue) has to have a second factor", "an admin can reset a lost one")
        }
        try await checkPassword(password, of: account, address: address, at: now)
        guard try await identity.takeCode(code, of: account, at: now) else {
            throw AccountRefusal(.invalid, "the code is wrong, or was used before", "wait for the next one")
        }
        try await audit(
            AuditRecord(
                kind: .secondFactorDisabled, account: account.name, address: address, time: now, details: ["account": account.id])
        )
        try await store.deleteSecondFactor(accountID: account.id)
    }

    /// For somebody who lost theirs. Ends all sessions of the account.
    package func resetSecondFactor(accountID: String, by author: AuditAuthor, at now: Timestamp) async throws {
        let account = try await account(id: accountID)
        guard account.hasSecondFactor else {
            throw AccountRefusal(.alreadyDone, "\(account.name) has no second factor", "there is nothing to do")
        }
        try await audit(
            AuditRecord(
                kind: .secondFactorReset, account: account.name, address: author.address, time: now, author: author,
                details: ["account": account.id]))
        try await store.deleteSecondFactor(accountID: account.id)
        try await store.deleteSessions(accountID: account.id, except: nil)
    }

    package func recoveryCodesLeft(accountID: String) async throws -> Int {
        try await store.recoveryCodeCount(accountID: accountID)
    }

    private static let notByToken = AccountRefusal(
        .notAllowed, "a token cannot change how somebody signs in", "sign in with a browser")
}

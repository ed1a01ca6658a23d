import Events

/// What somebody whom the provider vouches for may do here.
extension OpenIDSignIn {
    /// As the journal names whoever makes and changes accounts at a sign-in.
    private static let author = "openid"
    /// Tried for one name: `ana`, `ana-2`, … before a random one is taken.
    private static let namesTried = 20
    /// What Vigie calls itself in timelines.
    private static let reserved: Set<String> = ["vigie", "system"]

    func letIn(_ person: OpenIDIdentity, next: String, address: String, at now: Timestamp) async throws -> Outcome {
        let subject = ProviderSubject(issuer: person.issuer, subject: person.subject)
        let known = try await store.account(of: subject)
        if let known, known.disabledAt != nil { return try await refuse(.disabled, account: known, address: address, at: now) }
        guard let role = options.role(of: person.claims) else {
            // What somebody was given by the provider ends with it: sessions now, tokens until there is a role again.
            if let known {
                let outcome = try await refuse(.noRole, account: known, address: address, at: now)
                try await store.suspendAccount(id: known.id, at: now)
                return outcome
            }
            return try await refuse(.noRole, account: nil, address: address, at: now)
        }
        let isStrong = options.isStrong(person.claims)
        guard isStrong || !identity.requiresSecondFactor(role) else {
            return try await refuse(.secondFactorNeeded, account: known, address: address, at: now)
        }
        let account: Account
        if let known {
            account = try await update(known, role: role, address: address, at: now)
        } else {
            account = try await add(subject, role: role, named: person.claims[options.nameClaim]?.text, address: address, at: now)
        }
        try await audit(
            AuditRecord(
                kind: .signedIn, account: account.name, address: address, time: now, details: ["issuer": person.issuer]))
        let signedIn = try await identity.openSession(
            for: account, means: isStrong ? .providerWithSecondFactor : .provider, replacing: nil, at: now)
        return .signedIn(signedIn, next: next)
    }

    private var store: any AccountStore { identity.store }

    private func update(_ account: Account, role: Role, address: String, at now: Timestamp) async throws -> Account {
        var account = account
        if account.role != role {
            try await audit(
                AuditRecord(
                    kind: .roleChanged, account: account.name, address: address, time: now,
                    author: AuditAuthor(id: Self.author, name: nil, address: address),
                    details: ["account": account.id, "from": account.role.rawValue, "to": role.rawValue]))
            // The last admin is always one with a password: accounts of a provider do not count as such.
            _ = try await store.updateAccount(id: account.id, role: role, disabledAt: account.disabledAt)
            account.role = role
        }
        if account.suspendedAt != nil {
            try await store.suspendAccount(id: account.id, at: nil)
            account.suspendedAt = nil
        }
        return account
    }

    private func add(
        _ subject: ProviderSubject, role: Role, named name: String?, address: String, at now: Timestamp
    ) async throws -> Account {
        let wanted = name.flatMap(AccountName.normalized)
        for number in 1...Self.namesTried + 1 {
            let name: String
            if let wanted, number <= Self.namesTried {
                guard number > 1 || !Self.reserved.contains(wanted) else { continue }
                let suffix = number == 1 ? "" : "-\(number)"
                name = wanted.prefix(AccountName.maximumLength - suffix.utf8.count) + suffix
            } else {
                name = "sso-" + SecretToken(bits: 64, from: identity.randomness).text
            }
            guard try await store.account(named: name) == nil else { continue }
            let account = Account(
                id: SecretToken(bits: 128, from: identity.randomness).text, name: name, role: role, passwordHash: "",
                createdAt: now, provider: subject)
            try await audit(
                AuditRecord(
                    kind: .addedByProvider, account: name, address: address, time: now,
                    author: AuditAuthor(id: Self.author, name: nil, address: address),
                    details: ["account": account.id, "role": role.rawValue, "issuer": subject.issuer]))
            if try await store.insertAccount(account) { return account }
            // Another browser of the same person was faster; or the name went to somebody else.
            if let known = try await store.account(of: subject) { return known }
        }
        throw OpenIDRefusal.provider(
            OpenIDProblem(.busy, "no name is free for the account", "sign in again"))
    }
}

package import Events

/// A person who may sign in.
package struct Account: Sendable, Equatable {
    /// 128 random bits in hex; never reused, so that the journal can name a person after a rename.
    package var id: String
    /// As ``AccountName`` spells it.
    package var name: String
    package var role: Role
    /// PHC string form: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. Never leaves this module except into the store.
    /// Empty until the invitation was taken: nobody can sign in then.
    package var passwordHash: String
    package var createdAt: Timestamp
    /// Since when nobody may sign in with it, and no token of it works.
    package var disabledAt: Timestamp?
    /// A code is asked for besides the password.
    package var hasSecondFactor: Bool
    /// Who it is at the provider that vouches for them; `nil` for those with a password.
    package var provider: ProviderSubject?
    /// Since when the provider gives it no role: nobody is signed in with it, and no token of it works, until it does again.
    package var suspendedAt: Timestamp?

    package init(
        id: String, name: String, role: Role, passwordHash: String, createdAt: Timestamp, disabledAt: Timestamp? = nil,
        hasSecondFactor: Bool = false, provider: ProviderSubject? = nil, suspendedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.passwordHash = passwordHash
        self.createdAt = createdAt
        self.disabledAt = disabledAt
        self.hasSecondFactor = hasSecondFactor
        self.provider = provider
        self.suspendedAt = suspendedAt
    }

    package var isDisabled: Bool { disabledAt != nil || suspendedAt != nil }
    package var hasPassword: Bool { !passwordHash.isEmpty }
    package var isInvited: Bool { !hasPassword && provider == nil }
    /// Able to make other accounts, whatever becomes of a provider.
    package var isActiveAdmin: Bool { role == .admin && !isDisabled && hasPassword }

    /// What lists call it.
    package enum State: String, Sendable, CaseIterable {
        case active
        /// Nobody has chosen its password yet.
        case invited
        case disabled
        /// The provider gave it no role at the last sign-in.
        case suspended
    }

    package var state: State {
        disabledAt != nil ? .disabled : suspendedAt != nil ? .suspended : isInvited ? .invited : .active
    }
}

/// A person at an OpenID Connect provider: neither part means anything without the other.
package struct ProviderSubject: Sendable, Hashable {
    package var issuer: String
    package var subject: String

    package init(issuer: String, subject: String) {
        self.issuer = issuer
        self.subject = subject
    }
}

/// The one spelling of an account name: 1 to 64 of `a-z 0-9 . _ - @`, beginning with a letter or digit.
///
/// ASCII only and lower case, so that no two names look alike (Unicode TR 36) and `Ana` is `ana`.
package enum AccountName {
    package static let maximumLength = 64

    /// The name as it is stored; `nil` when it cannot be one.
    package static func normalized(_ text: String) -> String? {
        let bytes = text.utf8.drop { $0 == 0x20 }
        let trimmed = bytes.reversed().drop { $0 == 0x20 }.reversed()
        guard (1...maximumLength).contains(trimmed.count) else { return nil }
        var name = ""
        for byte in trimmed {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                name.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "@"):
                guard !name.isEmpty else { return nil }
                name.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                return nil
            }
        }
        return name
    }
}

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

    package init(
        id: String, name: String, role: Role, passwordHash: String, createdAt: Timestamp, disabledAt: Timestamp? = nil,
        hasSecondFactor: Bool = false
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.passwordHash = passwordHash
        self.createdAt = createdAt
        self.disabledAt = disabledAt
        self.hasSecondFactor = hasSecondFactor
    }

    package var isDisabled: Bool { disabledAt != nil }
    package var isInvited: Bool { passwordHash.isEmpty }
    /// Able to make other accounts.
    package var isActiveAdmin: Bool { role == .admin && !isDisabled && !isInvited }
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

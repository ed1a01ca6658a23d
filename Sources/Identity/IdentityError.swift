/// Why a password could not be hashed or checked. Never carries the password.
package struct IdentityError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case hashing = "identity.hashing"
        case unreadableHash = "identity.unreadable_hash"
        case busy = "identity.busy"
    }

    package let code: Code
    package let message: String
    package let advice: String

    static func hashing(_ cause: String) -> IdentityError {
        IdentityError(
            code: .hashing, message: "libargon2 could not hash a password: \(cause).",
            advice: "Check that about 20 MiB of memory are free for each sign-in that runs.")
    }

    static let unreadableHash = IdentityError(
        code: .unreadableHash, message: "The stored password hash is not Argon2id in PHC form, or asks for too much memory.",
        advice: "Restore the accounts table from a backup, or set the account's password again.")

    static let busy = IdentityError(
        code: .busy, message: "Too many sign-ins are waiting.", advice: "Try again in a few seconds.")

    package var description: String { "\(code.rawValue): \(message) \(advice)" }
}

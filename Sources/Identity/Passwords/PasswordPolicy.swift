/// What a password has to be. Length is what counts (NIST SP 800-63B 3.1.1.2); no rules about kinds of characters.
package enum PasswordPolicy {
    /// In characters as people count them.
    package static let minimumCharacters = 12
    /// In UTF-8 bytes, so that nobody buys hashing time with a huge password.
    package static let maximumBytes = 1024

    package enum Violation: String, Sendable, CaseIterable {
        case tooShort
        case tooLong
        case sameAsName
        case tooUniform

        /// What to tell the person.
        package var advice: String {
            switch self {
            case .tooShort: "Use at least \(minimumCharacters) characters. A few unrelated words work well."
            case .tooLong: "Use at most \(maximumBytes) bytes."
            case .sameAsName: "The password must not be the account name."
            case .tooUniform: "Use more than three different characters."
            }
        }
    }

    /// - Parameter minimum: less only where clients were promised less.
    package static func violation(of password: String, name: String, minimum: Int = minimumCharacters) -> Violation? {
        guard password.utf8.count <= maximumBytes else { return .tooLong }
        guard password.count >= minimum else { return .tooShort }
        guard password.lowercased() != name.lowercased() else { return .sameAsName }
        guard Set(password).count > 3 else { return .tooUniform }
        return nil
    }
}

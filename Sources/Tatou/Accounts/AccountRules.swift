import Foundation
import Identity

/// What an account's e-mail address, login and password have to be.
package enum AccountRules {
    /// Shorter than the console's: clients of this platform were promised ten.
    package static let minimumPassword = 10
    static let longestEmail = 320

    package struct Registration: Sendable {
        package var email: String
        package var login: String
        package var password: String
    }

    /// Trims, lowers the case of the address, and checks.
    package static func registration(
        email: String, login: String, password: String
    ) throws(AccountRefusal) -> Registration {
        let email = normalized(email)
        let login = login.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !email.isEmpty, !login.isEmpty, !password.isEmpty else {
            throw .invalid(message: "email, login, and password are required")
        }
        guard isEmail(email) else { throw .invalid(message: "email is not an e-mail address") }
        guard isLogin(login) else { throw .invalid(message: "login must be 3 to 64 letters, digits, - or _") }
        for name in [email, login] {
            switch PasswordPolicy.violation(of: password, name: name, minimum: minimumPassword) {
            case nil: continue
            case .tooShort: throw .invalid(message: "password must have at least \(minimumPassword) characters")
            case .tooLong: throw .invalid(message: "password must have at most \(PasswordPolicy.maximumBytes) bytes")
            case .sameAsName: throw .invalid(message: "password must not be the login or the email")
            case .tooUniform: throw .invalid(message: "password must have more than three different characters")
            }
        }
        return Registration(email: email, login: login, password: password)
    }

    package static func normalized(_ email: String) -> String {
        email.trimmingCharacters(in: .whitespacesAndNewlines).lowercased()
    }

    /// What the log calls somebody who gave this as their address: what is none may be a password in the wrong field.
    static func nameForLog(_ email: String) -> String {
        let name = normalized(email)
        return isEmail(name) ? name : "(no address)"
    }

    /// A plain form of RFC 5321 addresses: one @, a dotted domain, nothing that needs quoting.
    static func isEmail(_ text: String) -> Bool {
        guard text.utf8.count <= longestEmail else { return false }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), !parts[0].hasPrefix("."), !parts[0].hasSuffix("."),
            !parts[0].contains(".."), parts[0].utf8.allSatisfy({ isAlphanumeric($0) || mailMarks.contains($0) })
        else { return false }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
    }

    static func isLogin(_ text: String) -> Bool {
        (3...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static let mailMarks = Set("!#$%&'*+/=?^_`{|}~.-".utf8)

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

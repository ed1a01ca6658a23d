import Crypto
package import Events
import Foundation

/// Makes and opens the links by which whoever is paged acknowledges without signing in.
///
/// A link names an incident, one page about it, and when it ends; HMAC-SHA-256 keeps it as it was made. It holds no name: whom it was
/// sent to, the page's own entry says. The same page gets the same link at each attempt.
package struct AcknowledgeLinks: Sendable {
    /// Seconds from when the page was written down.
    package static let lifetime: Int64 = 86_400
    private static let purpose = "vigie acknowledge v1"

    private let key: SymmetricKey

    /// - Parameter secret: 256 random bits, in hex.
    package init(secret: String) { key = SymmetricKey(data: Data(secret.utf8)) }

    /// What a link says.
    package struct Content: Sendable, Equatable {
        package var incident: String
        /// ``AcknowledgeLinks/fingerprint(of:)`` of the page's key.
        package var page: String
        package var expiresAt: Timestamp
    }

    /// Tells pages of an incident apart; 128 bits of SHA-256, in hex.
    package static func fingerprint(of key: String) -> String { SHA256.hash(data: Data(key.utf8)).prefix(16).hexadecimal }

    /// - Parameter intendedAt: when the page was written down.
    package func token(incident: String, page key: String, intendedAt: Timestamp) -> String {
        let end = intendedAt.seconds + AcknowledgeLinks.lifetime
        let text = "\(incident).\(AcknowledgeLinks.fingerprint(of: key)).\(end)"
        return "\(text).\(code(of: text).hexadecimal)"
    }

    /// What the token says, whenever it ends; `nil` where it is none of these.
    package func open(_ token: String) -> Content? {
        // The longest there can be has about 130 characters.
        guard token.utf8.count <= 256 else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let end = Int64(parts[2]), let sent = Data(hex: parts[3]) else { return nil }
        let text = parts[0...2].joined(separator: ".")
        // Takes as long for a wrong code as for the right one.
        guard HMAC<SHA256>.isValidAuthenticationCode(sent, authenticating: message(text), using: key) else { return nil }
        return Content(incident: parts[0], page: parts[1], expiresAt: Timestamp(seconds: end))
    }

    private func message(_ text: String) -> Data { Data("\(AcknowledgeLinks.purpose)\n\(text)".utf8) }

    private func code(of text: String) -> HMAC<SHA256>.MAC { HMAC<SHA256>.authenticationCode(for: message(text), using: key) }
}

extension Data {
    /// Lower-case hex of whole bytes, and nothing else: there is one way to write a code.
    fileprivate init?(hex: String) {
        let digits = hex.utf8.map { digit -> UInt8? in
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x61...0x66: digit - 0x61 + 10
            default: nil
            }
        }
        guard digits.count == 64, !digits.contains(nil) else { return nil }
        let values = digits.compactMap(\.self)
        self.init(stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] })
    }
}

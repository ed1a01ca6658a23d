import Crypto
import CryptoExtras
import Events
import Foundation
package import Journal

/// Signatures of playbooks (§10.15, Appendix A): over the canonical text (RFC 8785) of the playbook with the one new signature
/// object, that without its `value`.
///
/// The official example signs the hash's **hexadecimal text** rather than the canonical text or the hash's bytes; so does this.
package enum PlaybookSignature {
    package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case algorithm(String)
        case key(String)
        case form(String)
        case mismatch

        package var description: String {
            switch self {
            case .algorithm(let name): "The signature's algorithm \(name) is not known here; RS256, ES256 and Ed25519 are."
            case .key(let reason): "The signature's key cannot be used: \(reason)."
            case .form(let reason): "The signature cannot be read: \(reason)."
            case .mismatch: "The signature does not fit: the playbook or the signature was changed, or the key is another one."
            }
        }
    }

    /// A key that signs; made by whoever keeps it.
    package enum SigningKey {
        /// PKCS #8 PEM.
        case rsa(pem: String)
        case p256(pem: String)
    }

    /// The text that is hashed, then signed.
    package static func canonicalText(of playbook: JSONValue, signature: JSONValue) throws -> [UInt8] {
        guard case .object(var members) = playbook, case .object(var fields) = signature else {
            throw Failure.form("a playbook and its signature are objects")
        }
        fields["value"] = nil
        members["signatures"] = [.object(fields)]
        return try JSONValue.object(members).canonicalBytes()
    }

    /// Verifies one of the playbook's signatures against a public key that the caller trusts (base64 DER, SubjectPublicKeyInfo);
    /// a key that only the signature itself names proves nothing about who signed.
    package static func verify(_ playbook: JSONValue, signature: JSONValue, publicKey: String) throws {
        guard let value = signature["value"]?.stringValue, let bytes = base64URL(value) else {
            throw Failure.form("value is not base64url")
        }
        let signed = try hashText(of: playbook, signature: signature)
        guard let der = Data(base64Encoded: publicKey, options: .ignoreUnknownCharacters) else {
            throw Failure.key("it is not base64")
        }
        let algorithm = signature["algorithm"]?.stringValue ?? ""
        let isValid: Bool
        switch algorithm {
        case "RS256":
            let key = try reading { try _RSA.Signing.PublicKey(derRepresentation: der) }
            isValid = key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: Data(bytes)), for: signed, padding: .insecurePKCS1v1_5)
        case "ES256":
            let key = try reading { try P256.Signing.PublicKey(derRepresentation: der) }
            let form = try reading { try P256.Signing.ECDSASignature(rawRepresentation: Data(bytes)) }
            isValid = key.isValidSignature(form, for: signed)
        case "Ed25519":
            // RFC 8410 §4: the key is the last 32 bytes of its SubjectPublicKeyInfo.
            let key = try reading { try Curve25519.Signing.PublicKey(rawRepresentation: der.suffix(32)) }
            isValid = key.isValidSignature(Data(bytes), for: signed)
        default: throw Failure.algorithm(algorithm)
        }
        guard isValid else { throw Failure.mismatch }
    }

    /// The `value` for a signature object that has everything else.
    package static func sign(_ playbook: JSONValue, signature: JSONValue, with key: SigningKey) throws -> String {
        let signed = try hashText(of: playbook, signature: signature)
        switch key {
        case .rsa(let pem):
            let key = try reading { try _RSA.Signing.PrivateKey(pemRepresentation: pem) }
            return base64URL(Array(try key.signature(for: signed, padding: .insecurePKCS1v1_5).rawRepresentation))
        case .p256(let pem):
            let key = try reading { try P256.Signing.PrivateKey(pemRepresentation: pem) }
            return base64URL(Array(try key.signature(for: signed).rawRepresentation))
        }
    }

    /// The hash of the canonical text in hexadecimal, as ASCII: what is signed.
    private static func hashText(of playbook: JSONValue, signature: JSONValue) throws -> Data {
        let text = try canonicalText(of: playbook, signature: signature)
        switch signature["hash_algorithm"]?.stringValue {
        case "sha-256": return Data(SHA256.hash(data: text).hexadecimal.utf8)
        case "sha-384": return Data(SHA384.hash(data: text).hexadecimal.utf8)
        case "sha-512": return Data(SHA512.hash(data: text).hexadecimal.utf8)
        case let other: throw Failure.algorithm(other ?? "none")
        }
    }

    private static func reading<Value>(_ make: () throws -> Value) throws -> Value {
        do { return try make() } catch { throw Failure.key("it is not of the algorithm's form") }
    }

    static func base64URL(_ bytes: [UInt8]) -> String {
        String(
            Base64.encode(bytes).compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            } as [Character])
    }

    static func base64URL(_ text: String) -> [UInt8]? {
        let plain = text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 } as [Character]
        guard !text.contains(where: { $0 == "+" || $0 == "/" || $0 == "=" }) else { return nil }
        return Base64.decode(String(plain) + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }
}

extension Playbook {
    /// SHA-256 of the canonical text without signatures.
    static func contentHash(of document: JSONValue) throws(JSONError) -> String {
        var members = document.objectValue ?? [:]
        members["signatures"] = nil
        return SHA256.hash(data: try JSONValue.object(members).canonicalBytes()).hexadecimal
    }
}

import Crypto
import CryptoExtras
import Foundation

/// Keys from what people type.
enum PasswordKey {
    /// OWASP's advice for PBKDF2 with HMAC-SHA-256 (2023) is 600,000 rounds; a key is derived once per document, and never from a
    /// document: an attacker cannot choose the number.
    private static let rounds = 600_000

    /// 32 bytes. The salt is fixed by the purpose: the same key has to give the same mark wherever it is read.
    static func derive(_ password: String, purpose: String) throws(WatermarkError) -> [UInt8] {
        do {
            let key = try KDF.Insecure.PBKDF2.deriveKey(
                from: [UInt8](password.utf8), salt: [UInt8]("vigie/watermark/1/\(purpose)".utf8), using: .sha256,
                outputByteCount: 32, unsafeUncheckedRounds: rounds)
            return unsafe key.withUnsafeBytes { unsafe [UInt8]($0) }
        } catch {
            throw WatermarkError(.other, "The key could not be derived.")
        }
    }
}

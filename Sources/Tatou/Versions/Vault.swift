import Crypto
import Foundation
import Glibc

/// Seals what the database must not show to whoever reads its file, and derives the platform's other keys.
///
/// AES-256-GCM with random nonces under a key of its own file, `state/platform.key`, readable by Tatou's user only. A backup of the
/// database without this file shows neither links nor secrets.
package struct Vault: Sendable {
    private let key: SymmetricKey

    /// Reads the key, and makes it where there is none.
    package init(path: String) throws {
        if let data = FileManager.default.contents(atPath: path) {
            guard data.count == 32 else {
                throw VaultFailure(
                    description: "\(path) is not 32 bytes. Restore it from a backup: links and marks depend on it.")
            }
            key = SymmetricKey(data: data)
            return
        }
        let made = SymmetricKey(size: .bits256)
        let bytes = made.withUnsafeBytes { Array($0) }
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure("create", path) }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            unlink(path)
            throw FileFailure("write", path)
        }
        key = made
    }

    init(key: SymmetricKey) { self.key = key }

    /// - Parameter place: what the text belongs to; sealed text cannot be moved elsewhere.
    func seal(_ text: Data, place: String) throws -> Data {
        let box = try AES.GCM.seal(text, using: derived("vault"), authenticating: Data(place.utf8))
        guard let combined = box.combined else { throw VaultFailure(description: "A text could not be sealed.") }
        return combined
    }

    func open(_ sealed: Data, place: String) throws -> Data {
        do {
            return try AES.GCM.open(
                try AES.GCM.SealedBox(combined: sealed), using: derived("vault"), authenticating: Data(place.utf8))
        } catch {
            throw VaultFailure(
                description:
                    "A sealed row cannot be opened: state/platform.key is not the one that the database was written with.")
        }
    }

    /// 32 bytes, the same for all copies of a document.
    func markingSecret(document file: String) -> [UInt8] {
        derived("marking/\(file)").withUnsafeBytes { Array($0) }
    }

    private func derived(_ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: Data(), info: Data("tatou/1/\(purpose)".utf8), outputByteCount: 32)
    }
}

/// The key of the platform does not fit.
package struct VaultFailure: Error, Sendable, CustomStringConvertible {
    package var description: String
}

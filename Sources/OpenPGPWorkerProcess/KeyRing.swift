import CRNP
import Foundation
import RMAP

private let success = rnp_result_t(RNP_SUCCESS)

/// The server's key pair and the public keys of identities, in librnp's memory. Only ever in a worker of its own.
struct KeyRing: ~Copyable {
    /// What is wrong with the keys: for the operator, at the start.
    struct Failure: Error {
        var description: String
    }

    private let ffi: rnp_ffi_t
    /// Fingerprints of primary keys, by identity.
    private let fingerprints: [String: String]
    private let server: [String]
    var identities: [String] { fingerprints.keys.sorted() }
    /// Files that hold no key that can be encrypted to: said at the start, and left out.
    let unusable: [String]
    /// The server's key without its passphrase, where it had one.
    let openServerKey: [UInt8]?

    /// - Parameters:
    ///   - serverKey: the server's private key, armoured or binary.
    ///   - clients: public keys by identity.
    init(serverKey: [UInt8], passphrase: String?, clients: [String: [UInt8]]) throws(Failure) {
        var handle: rnp_ffi_t?
        guard rnp_ffi_create(&handle, "GPG", "GPG") == success, let ffi = handle else {
            throw Failure(description: "The OpenPGP library could not be started.")
        }
        var fingerprints: [String: String] = [:]
        var unusable: [String] = []
        do throws(Failure) {
            // librnp speaks to standard error, and would quote what strangers sent.
            let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
            if null >= 0 { rnp_ffi_set_log_fd(ffi, null) }
            let loaded = try Self.loadServer(ffi, serverKey, passphrase)
            server = loaded
            openServerKey = passphrase.flatMap { Self.withoutPassphrase(ffi, loaded, $0) }
        } catch {
            rnp_ffi_destroy(ffi)
            throw error
        }
        for (identity, key) in clients.sorted(by: { $0.key < $1.key }) {
            guard OpenPGPKeys.isIdentity(identity), let fingerprint = Self.importPublic(ffi, key),
                Self.canEncrypt(ffi, fingerprint)
            else {
                unusable.append(identity)
                continue
            }
            fingerprints[identity] = fingerprint
        }
        self.ffi = ffi
        self.fingerprints = fingerprints
        self.unusable = unusable
    }

    deinit { rnp_ffi_destroy(ffi) }

    /// Does once what messages will need, so that the library has opened and looked up what it wants to while that is still allowed.
    func warmUp() {
        for fingerprint in server.prefix(1) {
            guard let message = encrypt(Array("warm".utf8), fingerprint: fingerprint) else { continue }
            _ = decrypt(message, most: 16)
            _ = decrypt(Array(message.prefix(message.count / 2)), most: 16)
        }
        if let fingerprint = fingerprints.first?.value { _ = encrypt(Array("up".utf8), fingerprint: fingerprint) }
    }

    // MARK: - Messages

    /// What a message says that is encrypted to the server with its integrity protected; nil for everything else: plain messages, those under
    /// a password, for other keys, without protection, or of more than `most` bytes.
    func decrypt(_ message: [UInt8], most: Int) -> [UInt8]? {
        Self.withInput(message) { input in
            Self.output(most: most) { output in
                var handle: rnp_op_verify_t?
                guard rnp_op_verify_create(&handle, ffi, input, output) == success, let operation = handle else { return false }
                defer { rnp_op_verify_destroy(operation) }
                // Messages of the protocol are not signed. What is signed all the same counts for what it says.
                rnp_op_verify_set_flags(operation, RNP_VERIFY_IGNORE_SIGS_ON_DECRYPT)
                var isProtected = false
                return rnp_op_verify_execute(operation) == success
                    && rnp_op_verify_get_protection_info(operation, nil, nil, &isProtected) == success
                    && isProtected
            }
        }
    }

    /// A message that only this identity reads; nil for names that are none.
    func encrypt(_ text: [UInt8], to identity: String) -> [UInt8]? {
        guard let fingerprint = fingerprints[identity] else { return nil }
        return encrypt(text, fingerprint: fingerprint)
    }

    private func encrypt(_ text: [UInt8], fingerprint: String) -> [UInt8]? {
        Self.withKey(ffi, fingerprint) { key in
            Self.withInput(text) { input in
                Self.output(most: MessagePayload.mostBytes) { output in
                    var handle: rnp_op_encrypt_t?
                    guard rnp_op_encrypt_create(&handle, ffi, input, output) == success, let operation = handle
                    else { return false }
                    defer { rnp_op_encrypt_destroy(operation) }
                    // Of the primary key's keys librnp takes the one that is made for this.
                    return rnp_op_encrypt_add_recipient(operation, key) == success
                        && rnp_op_encrypt_set_cipher(operation, "AES256") == success
                        && rnp_op_encrypt_execute(operation) == success
                }
            }
        }
    }

    // MARK: - librnp

    /// Fingerprints of the keys in the file.
    private static func loadServer(_ ffi: rnp_ffi_t, _ bytes: [UInt8], _ passphrase: String?) throws(Failure) -> [String] {
        let results = importKeys(ffi, bytes, RNP_LOAD_SAVE_PUBLIC_KEYS | RNP_LOAD_SAVE_SECRET_KEYS)
        guard let results, !results.isEmpty else {
            throw Failure(description: "The server's key cannot be read. Give an OpenPGP private key.")
        }
        var hasSecret = false
        for fingerprint in results {
            let isOpen = withKey(ffi, fingerprint) { key -> Bool? in
                var isSecret = false
                guard rnp_key_have_secret(key, &isSecret) == success, isSecret else { return nil }
                var isLocked = false
                rnp_key_is_locked(key, &isLocked)
                return !isLocked || rnp_key_unlock(key, passphrase ?? "") == success
            }
            guard isOpen != false else {
                throw Failure(description: "The server's private key is locked, and the passphrase does not open it.")
            }
            hasSecret = hasSecret || isOpen == true
        }
        guard hasSecret else { throw Failure(description: "The server's key file holds no private key.") }
        return results
    }

    private static func withoutPassphrase(_ ffi: rnp_ffi_t, _ fingerprints: [String], _ passphrase: String) -> [UInt8]? {
        for fingerprint in fingerprints {
            let isOpen = withKey(ffi, fingerprint) { key -> Bool? in
                var isProtected = false
                return rnp_key_is_protected(key, &isProtected) == success
                    && (!isProtected || rnp_key_unprotect(key, passphrase) == success)
            }
            guard isOpen == true else { return nil }
        }
        guard let primary = fingerprints.first else { return nil }
        return withKey(ffi, primary) { key in
            output(most: 1 << 20) { output in
                rnp_key_export(key, output, RNP_KEY_EXPORT_SECRET | RNP_KEY_EXPORT_SUBKEYS) == success
            }
        }
    }

    /// The fingerprint of the first key of a file, which is its primary key.
    private static func importPublic(_ ffi: rnp_ffi_t, _ bytes: [UInt8]) -> String? {
        importKeys(ffi, bytes, RNP_LOAD_SAVE_PUBLIC_KEYS)?.first
    }

    /// Fingerprints of what was imported, or was there already.
    private static func importKeys(_ ffi: rnp_ffi_t, _ bytes: [UInt8], _ flags: UInt32) -> [String]? {
        struct Results: Decodable {
            struct Key: Decodable { var fingerprint: String }
            var keys: [Key]
        }
        return withInput(bytes) { input in
            var text: UnsafeMutablePointer<CChar>?
            guard rnp_import_keys(ffi, input, flags, &text) == success, let text else { return nil }
            defer { rnp_buffer_destroy(text) }
            return (try? JSONDecoder().decode(Results.self, from: Data(String(cString: text).utf8)))?.keys.map(\.fingerprint)
        }
    }

    private static func canEncrypt(_ ffi: rnp_ffi_t, _ fingerprint: String) -> Bool {
        withKey(ffi, fingerprint) { key -> Bool? in
            var suitable: rnp_key_handle_t?
            guard rnp_key_get_default_key(key, "encrypt", 0, &suitable) == success, let suitable else { return nil }
            rnp_key_handle_destroy(suitable)
            return true
        } ?? false
    }

    private static func withKey<Value>(_ ffi: rnp_ffi_t, _ fingerprint: String, _ body: (rnp_key_handle_t) -> Value?) -> Value? {
        var handle: rnp_key_handle_t?
        guard rnp_locate_key(ffi, "fingerprint", fingerprint, &handle) == success, let key = handle else { return nil }
        defer { rnp_key_handle_destroy(key) }
        return body(key)
    }

    private static func withInput<Value>(_ bytes: [UInt8], _ body: (rnp_input_t) -> Value?) -> Value? {
        var handle: rnp_input_t?
        guard rnp_input_from_memory(&handle, bytes, bytes.count, true) == success, let input = handle else { return nil }
        defer { rnp_input_destroy(input) }
        return body(input)
    }

    private static func output(most: Int, _ body: (rnp_output_t) -> Bool) -> [UInt8]? {
        var handle: rnp_output_t?
        guard rnp_output_to_memory(&handle, most) == success, let output = handle else { return nil }
        defer { rnp_output_destroy(output) }
        guard body(output) else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard rnp_output_memory_get_buf(output, &bytes, &count, false) == success, let bytes, count <= most else {
            return nil
        }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}

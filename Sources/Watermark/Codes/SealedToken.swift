import Crypto
import CryptoExtras
import Foundation

/// A text that only the holder of a key can read or make: AES-256-GCM-SIV (RFC 8452), which stays safe where a nonce repeats.
///
/// The nonce is derived from the text and the key, so that the same text gives the same token. A token proves that it was made with the
/// key; it does not prove that the file that carries it is the one it was made for: tokens can be moved from file to file.
package enum SealedToken {
    package static let prefix = "VGT1."

    /// Prefix, then nonce, ciphertext and tag in base64url.
    package static func seal(_ text: String, key: [UInt8]) throws(WatermarkError) -> String {
        do {
            let plain = [UInt8](text.utf8)
            let mac = HMAC<SHA256>.authenticationCode(for: plain, using: derived(key, "nonce"))
            let box = try AES.GCM._SIV.seal(
                plain, using: derived(key, "seal"), nonce: AES.GCM._SIV.Nonce(data: [UInt8](mac).prefix(12)),
                authenticating: [UInt8](prefix.utf8))
            return prefix + Base64URL.encode([UInt8](box.combined))
        } catch {
            throw WatermarkError(.other, "The token could not be sealed.")
        }
    }

    /// Nil where the token was made with another key, or changed.
    package static func open(_ token: some StringProtocol, key: [UInt8]) -> String? {
        guard token.hasPrefix(prefix), let bytes = Base64URL.decode(token.dropFirst(prefix.count).utf8), bytes.count >= 28,
            let box = try? AES.GCM._SIV.SealedBox(combined: bytes),
            let plain = try? AES.GCM._SIV.open(box, using: derived(key, "seal"), authenticating: [UInt8](prefix.utf8))
        else { return nil }
        return String(validating: plain, as: UTF8.self)
    }

    /// Everything in `bytes` that looks like a token: at most 64, of at most 4,096 characters.
    static func candidates(in bytes: [UInt8]) -> [String] {
        let start = Array(prefix.utf8)
        var found: [String] = []
        var index = 0
        while index + start.count < bytes.count, found.count < 64 {
            guard bytes[index] == start[0], bytes[index..<(index + start.count)].elementsEqual(start) else {
                index += 1
                continue
            }
            var end = index + start.count
            while end < bytes.count, end - index < 4_096, Base64URL.isDigit(bytes[end]) { end += 1 }
            found.append(String(decoding: bytes[index..<end], as: UTF8.self))
            index = end
        }
        return found
    }

    private static func derived(_ key: [UInt8], _ purpose: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key), salt: [UInt8](), info: Data("vigie/sealed-token/1/\(purpose)".utf8),
            outputByteCount: 32)
    }
}

/// RFC 4648 §5, without padding.
enum Base64URL {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        var value: UInt32 = 0
        var bits = 0
        for byte in bytes {
            value = value << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                output.append(digits[Int(value >> UInt32(bits)) & 63])
            }
            value &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { output.append(digits[Int(value << UInt32(6 - bits)) & 63]) }
        return String(decoding: output, as: UTF8.self)
    }

    static func isDigit(_ byte: UInt8) -> Bool { digit(byte) != nil }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte - 0x41)
        case 0x61...0x7A: UInt32(byte - 0x61 + 26)
        case 0x30...0x39: UInt32(byte - 0x30 + 52)
        case 0x2D: 62
        case 0x5F: 63
        default: nil
        }
    }

    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        var value: UInt32 = 0
        var bits = 0
        for byte in text {
            guard let digit = digit(byte) else { return nil }
            value = value << 6 | digit
            bits += 6
            if bits >= 8 {
                bits -= 8
                output.append(UInt8(truncatingIfNeeded: value >> UInt32(bits)))
            }
            value &= (1 << UInt32(bits)) - 1
        }
        return output
    }
}

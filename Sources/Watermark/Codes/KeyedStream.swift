import Crypto
import CryptoExtras
import Foundation

/// Bytes that only the holder of a key can tell from random ones: the key stream of AES-256 in counter mode.
///
/// The same key gives the same bytes, in whatever process and on whatever machine.
enum KeyedStream {
    static func bytes(_ count: Int, key: SymmetricKey) throws(WatermarkError) -> [UInt8] {
        do {
            let nonce = try AES._CTR.Nonce(nonceBytes: [UInt8](repeating: 0, count: 12))
            return try [UInt8](AES._CTR.encrypt([UInt8](repeating: 0, count: count), using: key, nonce: nonce))
        } catch {
            throw WatermarkError(.other, "The mark could not be derived from its key.")
        }
    }
}

import Crypto

/// SHA-256 of a document that comes in pieces.
package struct DocumentDigest {
    private var hash = SHA256()
    /// Bytes so far.
    package private(set) var count = 0

    package init() {}

    package mutating func add(_ piece: Span<UInt8>) {
        count += piece.count
        unsafe piece.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    }

    /// 64 hexadecimal digits.
    package var hexadecimal: String {
        hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

import Crypto
import Events

/// A node of an RFC 6962 tree: 32 bytes of SHA-256.
package struct MerkleHash: Hashable, Sendable {
    /// Always ``byteCount`` of them.
    package let bytes: [UInt8]

    package static let byteCount = 32

    /// `nil` when there are not exactly 32 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    private init(_ digest: SHA256.Digest) {
        bytes = Array(digest)
    }

    /// The root of a tree without leaves: SHA-256 of nothing (RFC 6962 §2.1).
    package static let empty = MerkleHash(SHA256().finalize())

    /// SHA-256(0x00 ‖ data): the prefix keeps leaves and nodes apart (RFC 6962 §2.1).
    package static func leaf(_ data: [UInt8]) -> MerkleHash {
        var hasher = SHA256()
        hasher.update(data: [0x00])
        hasher.update(data: data)
        return MerkleHash(hasher.finalize())
    }

    /// SHA-256(0x01 ‖ left ‖ right).
    package static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        var hasher = SHA256()
        hasher.update(data: [0x01])
        hasher.update(data: left.bytes)
        hasher.update(data: right.bytes)
        return MerkleHash(hasher.finalize())
    }
}

extension MerkleHash: CustomStringConvertible {
    /// Lower-case hexadecimal.
    package var description: String { bytes.hexadecimal }

    /// As checkpoints write it (C2SP tlog-checkpoint).
    package var base64: String { Base64.encode(bytes) }
}

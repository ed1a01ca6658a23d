import Crypto
package import Journal

/// Encryption of a file of any length in pieces (ChaCha20-Poly1305, the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár,
/// 2015): no piece can be changed, moved, doubled or left out, and neither can the end.
///
/// Form: `VSS1`, salt (16 bytes), then pieces of 65,536 bytes and their tags of 16; the last one may be shorter, also empty. The key is
/// HKDF-SHA-256 over the file's key with the salt; the nonce is seven zeros, the piece's number in 4 bytes, and 1 for the last piece.
package enum SealedStream {
    package static let pieceSize = 65_536
    static let tagSize = 16
    static let magic = Array("VSS1".utf8)
    static let headSize = 4 + 16

    static func key(_ secret: [UInt8], salt: some Collection<UInt8>) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), salt: Array(salt), info: Array("vigie sealed stream v1".utf8),
            outputByteCount: 32)
    }

    static func nonce(_ number: UInt32, isLast: Bool) throws -> ChaChaPoly.Nonce {
        let count = (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        return try ChaChaPoly.Nonce(data: Array(repeating: 0, count: 7) + count + [isLast ? 1 : 0])
    }

    /// Bytes that a plaintext of that many becomes.
    package static func sealedSize(_ size: UInt64) -> UInt64 {
        let pieces = max(1, (size + UInt64(pieceSize) - 1) / UInt64(pieceSize))
        return UInt64(headSize) + size + pieces * UInt64(tagSize)
    }

    package struct Sealer {
        private let key: SymmetricKey
        private var number: UInt32 = 0
        private var waiting: [UInt8] = []
        private let head: [UInt8]
        private var isStarted = false

        package init(secret: [UInt8], random: RandomSource = .system) {
            let salt = random.bytes(16)
            key = SealedStream.key(secret, salt: salt)
            head = SealedStream.magic + salt
        }

        /// What can be written by now. - Throws: for more than 2^32 pieces (256 TiB).
        package mutating func add(_ bytes: [UInt8]) throws -> [UInt8] {
            var output = isStarted ? [] : head
            isStarted = true
            waiting += bytes
            var start = 0
            // One piece is held back: only the end tells which one is the last.
            while waiting.count - start > SealedStream.pieceSize {
                output += try seal(waiting[start..<start + SealedStream.pieceSize], isLast: false)
                start += SealedStream.pieceSize
            }
            waiting.removeFirst(start)
            return output
        }

        package mutating func finish() throws -> [UInt8] {
            let output = isStarted ? [] : head
            return output + (try seal(waiting[...], isLast: true))
        }

        private mutating func seal(_ piece: ArraySlice<UInt8>, isLast: Bool) throws -> [UInt8] {
            guard number < .max else { throw EvidenceError(.file, "the file is larger than 256 TiB, which cannot be sealed") }
            let box = try ChaChaPoly.seal(piece, using: key, nonce: SealedStream.nonce(number, isLast: isLast))
            number += 1
            return Array(box.ciphertext) + Array(box.tag)
        }
    }

    package struct Opener {
        private let secret: [UInt8]
        private var key: SymmetricKey?
        private var number: UInt32 = 0
        private var waiting: [UInt8] = []

        package init(secret: [UInt8]) {
            self.secret = secret
        }

        package mutating func add(_ bytes: [UInt8]) throws -> [UInt8] {
            waiting += bytes
            if key == nil, waiting.count >= SealedStream.headSize {
                guard waiting.starts(with: SealedStream.magic) else { throw EvidenceError(.damaged, "it is no sealed file") }
                key = SealedStream.key(secret, salt: waiting[4..<SealedStream.headSize])
                waiting.removeFirst(SealedStream.headSize)
            }
            guard let key else { return [] }
            var output: [UInt8] = []
            var start = 0
            let whole = SealedStream.pieceSize + SealedStream.tagSize
            while waiting.count - start > whole {
                output += try open(waiting[start..<start + whole], key, isLast: false)
                start += whole
            }
            waiting.removeFirst(start)
            return output
        }

        /// - Throws: when the end is missing.
        package mutating func finish() throws -> [UInt8] {
            guard let key else { throw EvidenceError(.damaged, "the sealed file ends too early") }
            return try open(waiting[...], key, isLast: true)
        }

        private mutating func open(_ piece: ArraySlice<UInt8>, _ key: SymmetricKey, isLast: Bool) throws -> [UInt8] {
            guard piece.count >= SealedStream.tagSize, number < .max else {
                throw EvidenceError(.damaged, "the sealed file ends too early")
            }
            do {
                let box = try ChaChaPoly.SealedBox(
                    nonce: SealedStream.nonce(number, isLast: isLast), ciphertext: piece.dropLast(SealedStream.tagSize),
                    tag: piece.suffix(SealedStream.tagSize))
                number += 1
                return Array(try ChaChaPoly.open(box, using: key))
            } catch {
                throw EvidenceError(.damaged, "the sealed file was changed, cut, or belongs to another key (piece \(number))")
            }
        }
    }
}

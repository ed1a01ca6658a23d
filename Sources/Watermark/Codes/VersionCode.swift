import Crypto
import Foundation

/// Signs of copies, and what is known of how they are distributed.
package protocol CopyCode: Sendable {
    /// Probability of +1 at each place, of 65,536.
    var biases: [UInt16] { get }
    /// The signs of a copy, +1 or -1 per place.
    func signs(version: String) throws(WatermarkError) -> [Int8]
}

/// Codes one behind the other: of the pictures of a document that a leak shows.
package struct JoinedCode: CopyCode {
    package let biases: [UInt16]
    private let parts: [VersionCode]

    package init(_ parts: [VersionCode]) {
        self.parts = parts
        biases = Array(parts.map(\.biases).joined())
    }

    package func signs(version: String) throws(WatermarkError) -> [Int8] {
        var signs: [Int8] = []
        signs.reserveCapacity(biases.count)
        for part in parts { signs += try part.signs(version: version) }
        return signs
    }
}

/// Which word of which copy goes where, or which spot: a binary code, keyed by a secret and the document.
///
/// Half of the places are fair coins per copy: best for a single leaker on a fragment, but a vote of three copies can blank them.
/// The other half is a Tardos code (Tardos 2003; symmetric after Škorić, Katzenbeisser and Celik 2008): each place has a bias that
/// only the key tells, and whatever a bounded number of copies are mixed to, their scores stand out.
package struct VersionCode: CopyCode {
    package let biases: [UInt16]
    private let key: SymmetricKey

    /// Biases stay this far from 0 and 1: scores are bounded, and up to about ten colluders are worth tracing on ten pages.
    static let cutoff = 0.01

    /// - Parameters:
    ///   - secret: the platform's own, at least 16 bytes, the same for every copy of every document.
    ///   - document: what identifies the original, its SHA-256.
    package init(secret: [UInt8], document: [UInt8], places: Int) throws(WatermarkError) {
        guard secret.count >= 16 else {
            throw WatermarkError(.invalidKey, "The marking secret is shorter than 16 bytes. Use 32 random bytes.")
        }
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: secret), salt: document, info: Data("vigie/word-shift/1/document".utf8),
            outputByteCount: 32)
        let stream = try KeyedStream.bytes(
            places * 2,
            key: HKDF<SHA256>.deriveKey(
                inputKeyMaterial: key, salt: [UInt8](), info: Data("biases".utf8), outputByteCount: 32))
        let table = Self.arcsine
        biases = (0..<places).map { place in
            stream[2 * place] & 1 == 0 ? 32_768 : table[Int(stream[2 * place] >> 1) << 3 | Int(stream[2 * place + 1]) & 7]
        }
    }

    /// 1,024 equally likely biases, distributed as 1/√(p(1−p)) between the cutoffs.
    private static let arcsine: [UInt16] = {
        let least = asin(cutoff.squareRoot())
        return (0..<1024).map { index in
            let angle = least + (Double.pi / 2 - 2 * least) * (Double(index) + 0.5) / 1024
            return UInt16(min(max((sin(angle) * sin(angle) * 65_536).rounded(), 1), 65_535))
        }
    }()

    package func signs(version: String) throws(WatermarkError) -> [Int8] {
        let own = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: [UInt8](), info: Data("version/\(version)".utf8), outputByteCount: 32)
        let stream = try KeyedStream.bytes(biases.count * 2, key: own)
        return biases.indices.map { place in
            UInt16(stream[2 * place]) << 8 | UInt16(stream[2 * place + 1]) < biases[place] ? 1 : -1
        }
    }
}

import Crypto

/// What is asked of a timestamp authority (RFC 3161 §2.4.1): that some bytes exist now.
package struct TimestampRequest: Hashable, Sendable {
    /// SHA-256 of what is to be timestamped.
    package let digest: [UInt8]
    /// Random; the answer has to repeat it.
    package let nonce: [UInt8]

    /// For a checkpoint: its text, without the empty line and the signatures, which may become more.
    package init(of data: [UInt8], random: RandomSource = .system) {
        digest = Array(SHA256.hash(data: data))
        nonce = Array(random.bytes(8))
    }

    /// DER, to be sent as `application/timestamp-query`. It asks for the authority's certificate in the answer.
    package var bytes: [UInt8] {
        let imprint = DER.encode(DER.sequence, Timestamp3161.sha256 + DER.encode(DER.octets, digest))
        return DER.encode(
            DER.sequence,
            DER.encode(integer: [1]) + imprint + DER.encode(integer: nonce) + DER.encode(DER.boolean, [0xFF]))
    }
}

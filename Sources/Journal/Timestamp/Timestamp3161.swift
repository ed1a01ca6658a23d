import Crypto
package import Events

/// An authority's answer (RFC 3161 §2.4.2), as far as it can be checked without trusting anybody: that it was granted, what it is
/// about, when, and that the signed attributes are about this statement.
///
/// The authority's own signature is not checked here: `openssl ts -verify` does that with the authority's certificate.
package struct Timestamp3161: Hashable, Sendable {
    /// SHA-256 of what was timestamped.
    package let digest: [UInt8]
    package let time: Timestamp
    package let nonce: [UInt8]?
    /// Most significant byte first.
    package let serial: [UInt8]

    private static let objectSHA256: [UInt8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]
    private static let objectSignedData: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02]
    private static let objectTimestamp: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x04]
    private static let objectMessageDigest: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04]

    /// AlgorithmIdentifier of SHA-256.
    static let sha256 = DER.encode(DER.sequence, DER.encode(DER.object, objectSHA256) + DER.encode(DER.null, []))

    /// - Parameter bytes: a TimeStampResp in DER, as an authority sends it and `openssl ts` reads it.
    package init(parsing bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= 1 << 20, let response = DER(bytes[...]), response.tag == DER.sequence, let parts = response.members,
            let status = parts.first?.members?.first, status.tag == DER.integer
        else { throw NoteError(.form, "it is no timestamp response") }
        guard status.content.elementsEqual([0]) || status.content.elementsEqual([1]) else {
            throw NoteError(.content, "the authority refused, with status \(status.content.first.map(String.init) ?? "unknown")")
        }
        guard parts.count == 2, let signed = Self.signedData(parts[1]), let members = signed.members, members.count >= 4,
            let content = members[2].members, content.count == 2, content[0].content.elementsEqual(Self.objectTimestamp),
            content[1].tag == DER.context0, let octets = content[1].members?.first, octets.tag == DER.octets,
            let info = DER(octets.content), info.tag == DER.sequence, let fields = info.members, fields.count >= 5
        else { throw NoteError(.form, "the timestamp token is none") }
        guard let imprint = fields[2].members, imprint.count == 2,
            imprint[0].members?.first?.content.elementsEqual(Self.objectSHA256) == true,
            imprint[1].tag == DER.octets, imprint[1].content.count == 32
        else { throw NoteError(.form, "the timestamp is not about a SHA-256") }
        digest = Array(imprint[1].content)
        guard fields[3].tag == DER.integer, fields[4].tag == DER.generalizedTime, let time = Self.time(fields[4].content) else {
            throw NoteError(.form, "the timestamp has no time")
        }
        serial = Array(fields[3].content)
        self.time = time
        nonce = fields.dropFirst(5).first { $0.tag == DER.integer }.map { Array($0.content.drop { $0 == 0 }) }
        guard let signer = members.last, signer.tag == DER.set, Self.attributes(signer, areAbout: octets.content) else {
            throw NoteError(.signature, "what the authority signed is not about this statement")
        }
    }

    /// Whether the answer is to this request.
    package func answers(_ request: TimestampRequest) -> Bool {
        digest == request.digest && nonce == Array(request.nonce.drop { $0 == 0 })
    }

    /// Whether it is about these bytes.
    package func isAbout(_ data: [UInt8]) -> Bool {
        digest == Array(SHA256.hash(data: data))
    }

    private static func signedData(_ info: DER) -> DER? {
        guard info.tag == DER.sequence, let members = info.members, members.count == 2,
            members[0].content.elementsEqual(objectSignedData), members[1].tag == DER.context0
        else { return nil }
        return members[1].members?.first
    }

    /// The attribute messageDigest (RFC 5652 §11.2) of the first signer holds the hash of the statement, by the signer's algorithm.
    private static func attributes(_ signers: DER, areAbout statement: ArraySlice<UInt8>) -> Bool {
        guard let signer = signers.members?.first?.members,
            let attributes = signer.first(where: { $0.tag == DER.context0 })?.members
        else { return false }
        let digests = [
            Array(SHA256.hash(data: statement)), Array(SHA384.hash(data: statement)), Array(SHA512.hash(data: statement)),
        ]
        return attributes.contains { attribute in
            guard let parts = attribute.members, parts.count == 2, parts[0].content.elementsEqual(objectMessageDigest),
                let value = parts[1].members?.first
            else { return false }
            return digests.contains(Array(value.content))
        }
    }

    /// `20261121030405Z`, perhaps with a fraction.
    private static func time(_ bytes: ArraySlice<UInt8>) -> Timestamp? {
        // Bytes are counted, not characters: of those, others than ASCII may be fewer, or more.
        let digits = Array(bytes.dropLast())
        guard bytes.last == UInt8(ascii: "Z"), digits.count >= 14, digits.allSatisfy({ $0 < 0x80 }) else { return nil }
        let part = { (range: Range<Int>) in String(decoding: digits[range], as: UTF8.self) }
        let fraction = part(14..<digits.count)
        return Timestamp(
            rfc3339: "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):\(part(12..<14))\(fraction)Z")
    }
}

import Crypto

/// The unit of a commit on disk: all entries of one append, all there or none.
///
/// A segment is nothing but frames, one behind the other. Numbers are big-endian.
///
/// | bytes | what |
/// |---|---|
/// | 4 | `VJF1` |
/// | 8 | sequence of the first entry |
/// | 4 | number of records, at least 1 |
/// | 4 | bytes of all records, at most 8 MiB |
/// | 4 | the first bytes of SHA-256 over the 20 bytes before: a length is believed only when this fits |
/// | 32 | SHA-256 over the first 20 bytes and every record's length and leaf hash |
/// | … | the records |
///
/// A record is its entry's length in 4 bytes, the leaf hash in 32, and the canonical bytes. The leaf hash covers the bytes, the digest
/// covers lengths and leaf hashes, so every bit of a frame is covered and every entry is hashed once.
package struct Frame: Sendable {
    package struct Record: Sendable {
        package let leafHash: MerkleHash
        package let bytes: [UInt8]
        /// Bytes from the start of the frame.
        package let offset: Int
    }

    /// Records of one frame, in bytes. It bounds the memory of every reader.
    package static let bodyLimit = 8 << 20
    static let headerByteCount = 56
    static let recordHeadByteCount = 4 + MerkleHash.byteCount
    fileprivate static let magic = Array("VJF1".utf8)

    package let firstSequence: UInt64
    package let records: [Record]

    /// What a frame says about itself before its records.
    struct Header {
        let firstSequence: UInt64
        let recordCount: Int
        let bodyByteCount: Int
        let digest: MerkleHash
        /// The part that the digest covers.
        fileprivate let covered: [UInt8]

        /// `nil` when the bytes are no frame header.
        init?(_ bytes: ArraySlice<UInt8>) {
            guard bytes.count == Frame.headerByteCount, bytes.starts(with: Frame.magic) else { return nil }
            covered = Array(bytes.prefix(20))
            guard Frame.check(covered).elementsEqual(bytes.dropFirst(20).prefix(4)),
                let digest = MerkleHash(bytes: bytes.suffix(MerkleHash.byteCount))
            else { return nil }
            firstSequence = UInt64(bigEndianBytes: covered[4..<12])
            recordCount = Int(UInt32(bigEndianBytes: covered[12..<16]))
            bodyByteCount = Int(UInt32(bigEndianBytes: covered[16..<20]))
            self.digest = digest
            guard (1...Frame.bodyLimit / Frame.recordHeadByteCount).contains(recordCount),
                bodyByteCount <= Frame.bodyLimit, firstSequence <= UInt64.max - UInt64(recordCount)
            else { return nil }
        }

        var frameByteCount: Int { Frame.headerByteCount + bodyByteCount }
        var nextSequence: UInt64 { firstSequence + UInt64(recordCount) }
    }

    /// How a body fails its header.
    struct Mismatch: Error {
        var reason: JournalDamage.Reason
        /// Index of the record, and its place in the frame in bytes.
        var record: Int
        var offset: Int
    }

    /// Checks a body against its header: lengths, every leaf hash, the digest.
    init(_ header: Header, body: ArraySlice<UInt8>) throws(Mismatch) {
        var records: [Record] = []
        records.reserveCapacity(header.recordCount)
        var hasher = SHA256()
        hasher.update(data: header.covered)
        var rest = body
        for index in 0..<header.recordCount {
            let offset = Frame.headerByteCount + (rest.startIndex - body.startIndex)
            let head = rest.prefix(Frame.recordHeadByteCount)
            guard let leaf = MerkleHash(bytes: head.dropFirst(4)) else {
                throw Mismatch(reason: .recordLength, record: index, offset: offset)
            }
            let length = Int(UInt32(bigEndianBytes: head.prefix(4)))
            rest = rest.dropFirst(Frame.recordHeadByteCount)
            guard length <= rest.count else { throw Mismatch(reason: .recordLength, record: index, offset: offset) }
            let bytes = Array(rest.prefix(length))
            guard MerkleHash.leaf(bytes) == leaf else { throw Mismatch(reason: .leafHash, record: index, offset: offset) }
            rest = rest.dropFirst(length)
            hasher.update(data: head)
            records.append(Record(leafHash: leaf, bytes: bytes, offset: offset))
        }
        guard rest.isEmpty else {
            throw Mismatch(reason: .recordLength, record: header.recordCount - 1, offset: Frame.headerByteCount)
        }
        guard hasher.finalize().elementsEqual(header.digest.bytes) else {
            throw Mismatch(reason: .frameDigest, record: 0, offset: 0)
        }
        firstSequence = header.firstSequence
        self.records = records
    }

    /// The bytes of a frame; `entries` are not empty and follow each other.
    static func encode(_ entries: [Entry]) throws(JournalError) -> [UInt8] {
        let bodyByteCount = entries.reduce(0) { $0 + recordHeadByteCount + $1.canonicalBytes.count }
        guard bodyByteCount <= bodyLimit, let first = entries.first else { throw .appendTooLarge(byteCount: bodyByteCount) }
        let covered =
            magic + first.sequence.bigEndianBytes + UInt32(entries.count).bigEndianBytes + UInt32(bodyByteCount).bigEndianBytes
        var hasher = SHA256()
        hasher.update(data: covered)
        var body: [UInt8] = []
        body.reserveCapacity(bodyByteCount)
        for entry in entries {
            let head = UInt32(entry.canonicalBytes.count).bigEndianBytes + entry.leafHash.bytes
            hasher.update(data: head)
            body += head
            body += entry.canonicalBytes
        }
        return covered + check(covered) + Array(hasher.finalize()) + body
    }

    private static func check(_ covered: [UInt8]) -> [UInt8] {
        Array(SHA256.hash(data: covered).prefix(4))
    }
}

extension Frame {
    /// Whether less than a header may be the first bytes of one.
    static func canBegin(with bytes: ArraySlice<UInt8>) -> Bool {
        zip(bytes, magic).allSatisfy { $0 == $1 }
    }
}

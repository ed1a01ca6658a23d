/// That an entry stands in a log, to be checked without it: `.tlog-proof` (C2SP tlog-proof).
package struct LogProof: Hashable, Sendable {
    package var index: UInt64
    package var hashes: [MerkleHash]
    /// The signed checkpoint, byte for byte.
    package var checkpoint: [UInt8]

    private static let header = "c2sp.org/tlog-proof@v1"
    /// A path is never longer than a tree is high.
    private static let hashLimit = 64

    package init(index: UInt64, hashes: [MerkleHash], checkpoint: [UInt8]) {
        self.index = index
        self.hashes = hashes
        self.checkpoint = checkpoint
    }

    /// Extra data is nobody's word and is skipped.
    package init(parsing bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= SignedNote.byteLimit * 2 else { throw NoteError(.form, "the proof has \(bytes.count) bytes") }
        var rest = bytes[...]
        func line() throws(NoteError) -> String {
            guard let end = rest.firstIndex(of: 0x0A) else { throw NoteError(.form, "the proof ends too early") }
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard try line() == Self.header else { throw NoteError(.form, "not a proof of the form \(Self.header)") }
        var next = try line()
        if next.hasPrefix("extra ") { next = try line() }
        let digits = next.dropFirst("index ".count)
        guard next.hasPrefix("index "), let index = UInt64(digits), String(index) == digits else {
            throw NoteError(.form, "the proof does not say which entry it is about")
        }
        self.index = index
        hashes = []
        while true {
            next = try line()
            if next.isEmpty { break }
            guard let hash = Base64.decode(next).flatMap({ MerkleHash(bytes: $0) }), hashes.count < Self.hashLimit else {
                throw NoteError(.form, "a line of the proof is no hash")
            }
            hashes.append(hash)
        }
        checkpoint = Array(rest)
    }

    package var bytes: [UInt8] {
        let lines = [Self.header, "index \(index)"] + hashes.map(\.base64) + [""]
        return Array(lines.map { $0 + "\n" }.joined().utf8) + checkpoint
    }

    /// Checks that the log with that key has this leaf at the proof's index.
    package func verify(_ leaf: MerkleHash, key: NoteKey) throws(NoteError) -> VerifiedCheckpoint {
        let verified = try VerifiedCheckpoint(checkpoint, key: key)
        guard
            MerkleProof.includes(
                leaf, at: index, size: verified.checkpoint.size, root: verified.checkpoint.root.bytes, proof: hashes)
        else {
            throw NoteError(
                .content, "the entry is not number \(index) of the \(verified.checkpoint.size) that the checkpoint is about")
        }
        return verified
    }
}

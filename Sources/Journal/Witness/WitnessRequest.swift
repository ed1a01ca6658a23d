/// What a log asks of a witness (C2SP tlog-witness, body of add-checkpoint): the size that the witness saw last, a proof that the log only
/// grew since, and the new checkpoint.
package struct WitnessRequest: Hashable, Sendable {
    package var oldSize: UInt64
    package var proof: [MerkleHash]
    package var checkpoint: [UInt8]

    package init(oldSize: UInt64, proof: [MerkleHash], checkpoint: [UInt8]) {
        self.oldSize = oldSize
        self.proof = proof
        self.checkpoint = checkpoint
    }

    package init(parsing bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= SignedNote.byteLimit * 2 else { throw NoteError(.form, "the request has \(bytes.count) bytes") }
        var rest = bytes[...]
        var lines: [String] = []
        while true {
            guard let end = rest.firstIndex(of: 0x0A), lines.count <= 64 else {
                throw NoteError(.form, "the request has no checkpoint behind an empty line")
            }
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            lines.append(line)
        }
        guard let first = lines.first, first.hasPrefix("old "), let size = UInt64(first.dropFirst(4)),
            String(size) == first.dropFirst(4)
        else { throw NoteError(.form, "the request does not say which size the witness saw last") }
        oldSize = size
        proof = []
        for line in lines.dropFirst() {
            guard let hash = Base64.decode(line).flatMap({ MerkleHash(bytes: $0) }) else {
                throw NoteError(.form, "a line of the request's proof is no hash")
            }
            proof.append(hash)
        }
        checkpoint = Array(rest)
    }

    package var bytes: [UInt8] {
        Array((["old \(oldSize)"] + proof.map(\.base64) + [""]).map { $0 + "\n" }.joined().utf8) + checkpoint
    }
}

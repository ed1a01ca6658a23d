/// Checks a journal as a third party would: from its files alone, changing nothing.
package enum JournalVerifier {
    package struct Report: Hashable, Sendable {
        /// Entries that are whole.
        package var count: UInt64
        /// The RFC 6962 root over all of them.
        package var root: MerkleHash
        package var segmentCount: Int
        /// Bytes of an append that was never acknowledged; the next open cuts them off.
        package var tail: CutTail?
        /// What the tree was found to be; `nil` when it was not looked at.
        package var tree: TreeReport?
    }

    package struct TreeReport: Hashable, Sendable {
        /// The newest checkpoint; `nil` when there is none that is valid.
        package var checkpoint: VerifiedCheckpoint?
        /// Tiles and bundles compared with the entries.
        package var tileCount: Int
        /// Checkpoints, kept ones and those from elsewhere among them, whose root was compared.
        package var checkpointCount: Int
        /// Timestamps that are about the checkpoint beside them.
        package var timestampCount: Int
        /// Everything that is not as it should be, each with its file.
        package var problems: [TreeDamage]
    }

    /// What a verifier believes in: the log's public key, and checkpoints that the log's owner cannot have changed.
    package struct Trust: Sendable {
        package var key: NoteKey
        package var checkpoints: [(file: String, bytes: [UInt8])]

        package init(key: NoteKey, checkpoints: [(file: String, bytes: [UInt8])] = []) {
            self.key = key
            self.checkpoints = checkpoints
        }
    }

    /// Reads every segment: frames, sequences, leaf hashes, and that each entry is the canonical spelling of itself; with `trust` also
    /// tiles, bundles and checkpoints.
    ///
    /// May run while a server writes. Its memory does not grow with the journal.
    /// - Throws: ``JournalError/damaged(_:)`` with the first place in the segments that is not as it was written. What is wrong with the
    ///   tree stands in the report.
    package static func verify(directory: String, trust: Trust? = nil) throws(JournalError) -> Report {
        // The tree first: entries that come meanwhile are more than it is about, never fewer.
        var tree: TreeVerifier?
        if let trust { tree = try TreeVerifier(journal: directory, key: trust.key, others: trust.checkpoints) }
        var scanner = try JournalScanner(directory: directory)
        var frontier = MerkleFrontier()
        var tail: CutTail?
        scan: while true {
            switch try scanner.next() {
            case .end: break scan
            case .torn(let torn):
                tail = torn
                break scan
            case .frame(let frame):
                for record in frame.records {
                    _ = try scanner.entry(record, sequence: frontier.count, checksForm: true)
                    frontier.append(record.leafHash)
                    try tree?.add(record.bytes, leaf: record.leafHash)
                }
            }
        }
        try tree?.finish()
        return Report(
            count: frontier.count, root: frontier.root, segmentCount: scanner.segmentCount, tail: tail,
            tree: tree.map {
                TreeReport(
                    checkpoint: $0.checkpoint, tileCount: $0.tileCount, checkpointCount: $0.comparedCheckpoints,
                    timestampCount: $0.timestampCount,
                    problems: $0.problems)
            })
    }
}

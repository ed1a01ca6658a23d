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
    }

    /// Reads every segment: frames, sequences, leaf hashes, and that each entry is the canonical spelling of itself.
    ///
    /// May run while a server writes. Its memory does not grow with the journal.
    /// - Throws: ``JournalError/damaged(_:)`` with the first place that is not as it was written.
    package static func verify(directory: String) throws(JournalError) -> Report {
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
                    let entry = try scanner.entry(record, sequence: frontier.count)
                    guard entry.isCanonical else {
                        throw scanner.damage(
                            .notCanonical, at: scanner.frameOffset + record.offset, sequence: frontier.count)
                    }
                    frontier.append(record.leafHash)
                }
            }
        }
        return Report(count: frontier.count, root: frontier.root, segmentCount: scanner.segmentCount, tail: tail)
    }
}

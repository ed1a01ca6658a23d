/// Reads entries in order, in batches; the memory it needs is one frame and one batch.
///
/// Works without the journal's lock, so another process may read while a server writes: it stops cleanly where the committed
/// entries end and goes on when asked again. It may see an append whose fsync is still under way; a reader made by
/// ``Journal/reader(from:)`` does not. Owned by one task.
package final class JournalReader {
    private var scanner: JournalScanner
    private var pending: ArraySlice<Frame.Record> = []
    /// The next entry to hand out.
    package private(set) var nextSequence: UInt64
    private let bound: @Sendable () -> UInt64

    /// - Parameters:
    ///   - start: the first entry wanted; past the end, the reader waits for it.
    ///   - bound: entries from this sequence on are not handed out yet; asked before each frame.
    package init(
        directory: String,
        from start: UInt64 = 0,
        bound: @escaping @Sendable () -> UInt64 = { .max }
    ) throws(JournalError) {
        scanner = try JournalScanner(directory: directory, from: start)
        nextSequence = start
        self.bound = bound
    }

    /// The next entries, at most `limit`; none when the end is reached for now.
    package func next(limit: Int = 512) throws(JournalError) -> [Entry] {
        let bound = bound()
        var entries: [Entry] = []
        while entries.count < limit, nextSequence < bound {
            if pending.isEmpty {
                guard case .frame(let frame) = try scanner.next() else { break }
                let wanted = nextSequence > frame.firstSequence ? nextSequence - frame.firstSequence : 0
                pending = frame.records.dropFirst(Int(clamping: wanted))
                continue
            }
            guard let record = pending.popFirst() else { break }
            entries.append(try scanner.entry(record, sequence: nextSequence))
            nextSequence += 1
        }
        return entries
    }
}

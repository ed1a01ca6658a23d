import Events

/// What one request hands in, told from others by a digest of who sent what. A sender that had no answer sends the same again.
package struct BatchIdentity: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The first half of a digest of 32 bytes.
    package init(digest: some Sequence<UInt8>) {
        let bytes = digest.prefix(16)
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Of batches that nobody would know again.
    static let none = BatchIdentity(high: 0, low: 0)
}

/// The line in front of each batch of a spool: which one it is, and how many lines follow.
///
/// It is blank, spaces and tabs that stand for bits: whoever follows the spool passes over it, lines keep what their sender sent, and no
/// sender can make one up, since what is sent becomes lines of JSON.
package struct BatchMark: Sendable, Equatable {
    package var batch: BatchIdentity
    /// The number of the line that follows, counted within the batch: those before it had been taken when the sender sent it again.
    package var first: UInt32
    package var count: UInt32

    private static let magic: UInt64 = 0x5647_4231
    /// Without the line feed.
    static let byteCount = 32 + 64 * 3

    package init(_ batch: BatchIdentity, first: Int, count: Int) {
        self.batch = batch
        self.first = UInt32(clamping: first)
        self.count = UInt32(clamping: count)
    }

    /// In front of what nobody would know again: it only ends what stands before.
    package static func none(_ count: Int) -> BatchMark { BatchMark(.none, first: 0, count: count) }

    package var line: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(BatchMark.byteCount + 1)
        func append(_ number: UInt64, bits: Int) {
            for bit in (0..<bits).reversed() { bytes.append(number >> UInt64(bit) & 1 == 1 ? 0x09 : 0x20) }
        }
        append(BatchMark.magic, bits: 32)
        append(batch.high, bits: 64)
        append(batch.low, bits: 64)
        append(UInt64(first) << 32 | UInt64(count), bits: 64)
        bytes.append(0x0A)
        return bytes
    }

    /// - Parameter range: one line, without its end.
    package init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count == BatchMark.byteCount else { return nil }
        var numbers = InlineArray<4, UInt64>(repeating: 0)
        for (place, index) in range.enumerated() {
            guard bytes[index] == 0x20 || bytes[index] == 0x09 else { return nil }
            let number = place < 32 ? 0 : 1 + (place - 32) / 64
            numbers[number] = numbers[number] << 1 | (bytes[index] == 0x09 ? 1 : 0)
        }
        guard numbers[0] == BatchMark.magic else { return nil }
        batch = BatchIdentity(high: numbers[1], low: numbers[2])
        first = UInt32(numbers[3] >> 32)
        count = UInt32(truncatingIfNeeded: numbers[3])
    }
}

/// The batches that a spool has taken, so that what is sent again is not taken again. Bounded: the oldest are forgotten.
package struct ReceivedBatches: Sendable, Equatable {
    /// Some minutes of requests; a sender tries again within seconds, and seldom for longer than five minutes.
    package static let maximumBatches = 16_384

    private struct Progress: Sendable, Equatable {
        /// Lines that are in the spool, from the first on: all of them, unless the process was killed while it wrote.
        var taken: UInt32
        var count: UInt32
    }

    private var known: [BatchIdentity: Progress] = [:]
    private var order: [BatchIdentity] = []
    /// How many of `order` are forgotten: taken off all at once now and then.
    private var forgotten = 0
    /// While a spool is read: the batch at hand.
    private var open: BatchMark?

    package init() {}

    /// How many lines of this batch need not be taken again. A batch of another size is another one, whatever its digest.
    package func taken(_ batch: BatchIdentity, of count: Int) -> Int {
        guard let progress = known[batch], progress.count == UInt32(clamping: count) else { return 0 }
        return Int(progress.taken)
    }

    /// All lines of the batch are durable.
    package mutating func note(_ batch: BatchIdentity, count: Int) {
        note(batch, Progress(taken: UInt32(clamping: count), count: UInt32(clamping: count)))
    }

    private mutating func note(_ batch: BatchIdentity, _ progress: Progress) {
        guard batch != .none else { return }
        if known.updateValue(progress, forKey: batch) == nil { order.append(batch) }
        while known.count > ReceivedBatches.maximumBatches {
            known[order[forgotten]] = nil
            forgotten += 1
        }
        if forgotten > ReceivedBatches.maximumBatches {
            order.removeFirst(forgotten)
            forgotten = 0
        }
    }

    /// One line of a spool, from the oldest on. Batches stand one behind the other, so a mark also ends the batch before.
    mutating func learn(_ bytes: Span<UInt8>, _ line: Range<Int>) {
        if let mark = BatchMark(bytes, line) {
            close()
            // What goes on where nothing is known to have ended is a batch whose beginning has gone with an older file.
            let progress = known[mark.batch]
            open = mark.first == 0 || (progress?.taken == mark.first && progress?.count == mark.count) ? mark : nil
        } else if bytes[line.lowerBound] == UInt8(ascii: "{") {
            // The rest of a line that could not be written is none.
            guard bytes[line.upperBound - 1] == UInt8(ascii: "}") else { return }
            open?.first &+= 1
        }
    }

    /// The spool has been read to its end, or to where another batch begins.
    mutating func close() {
        if let open, open.first > 0, open.first <= open.count {
            note(open.batch, Progress(taken: open.first, count: open.count))
        }
        open = nil
    }
}

import Events

/// The keys of the lines before, in the order in which they stood, and what became of them.
///
/// A program writes the same keys in the same order. Where a key is the one that followed last time, comparing it is all
/// the work: neither its end nor its path has to be sought. The entries are a trie over the sequence of keys of a line, so
/// an entry stands for one whole path; it is only reached through the entries of the keys before it on that line.
/// Bounded, and begun anew when full or of no use: a hostile source makes itself slow, not wrong and not big.
struct JSONKeyMemory: Sendable {
    struct Entry {
        /// The first eight bytes of the key, with zeros behind a shorter one, and where all of it stands in `text`.
        var word: UInt64
        var start: Int32
        var count: Int32
        /// The entry of the key whose object this one stands in; `none` for the line's own.
        var parent: Int32
        /// The entry tried for the key that follows this one, and the one tried instead of this one.
        var next = JSONKeyMemory.none
        var instead: Int32
        /// What the plan has for the path: one of its entries, or `none`.
        var planEntry: Int32
        var field: FieldID
        var hash: UInt64
    }

    static let none: Int32 = -1
    static let maximumEntries = 1024
    /// Keys tried at one place; longer chains cost more than looking the key up.
    static let maximumChain = 8
    static let maximumKeyBytes = 64
    static let maximumMisses = 65_536

    private var entries: [Entry] = []
    private var text: [UInt8] = []
    private var begin = JSONKeyMemory.none
    private var misses = 0
    /// The last key's entry; `none` at the beginning of a line.
    private var last = JSONKeyMemory.none
    /// The line has had a key that is not remembered.
    private var isLost = false

    @inline(__always)
    subscript(_ entry: Int32) -> Entry { entries[Int(entry)] }

    @inline(__always)
    mutating func beginLine() {
        last = JSONKeyMemory.none
        isLost = false
        if entries.count >= JSONKeyMemory.maximumEntries || misses >= JSONKeyMemory.maximumMisses { forget() }
    }

    private mutating func forget() {
        entries.removeAll(keepingCapacity: true)
        text.removeAll(keepingCapacity: true)
        begin = JSONKeyMemory.none
        misses = 0
    }

    /// The remembered key that stands at `start`, its closing quote included.
    @inline(__always)
    mutating func match(_ bytes: Span<UInt8>, at start: Int, to end: Int, parent: Int32) -> Int32? {
        guard !isLost, end &- start >= 9 else { return nil }
        let word = bytes.word(uncheckedAt: start)
        var entry = last < 0 ? begin : entries[Int(last)].next
        while entry >= 0 {
            let known = entries[Int(entry)]
            let count = Int(known.count)
            if (word ^ known.word) & ByteWord.mask(count) == 0, known.parent == parent, end &- start > count,
                bytes[start &+ count] == UInt8(ascii: "\""), count <= 8 || hasRest(bytes, start, known)
            {
                last = entry
                return entry
            }
            entry = known.instead
        }
        return nil
    }

    private func hasRest(_ bytes: Span<UInt8>, _ start: Int, _ known: Entry) -> Bool {
        let begin = Int(known.start)
        let count = Int(known.count)
        let key = text.span
        var index = 8
        // The last word overlaps the one before it: keys of over eight bytes only.
        while index < count {
            let place = min(index, count - 8)
            guard bytes.word(uncheckedAt: start + place) == key.word(uncheckedAt: begin + place) else { return false }
            index += 8
        }
        return true
    }

    /// Remembers a key that was looked up; `nil` where it is not to be. Escaped keys never are: their text is not the key's.
    mutating func learn(
        _ bytes: Span<UInt8>, _ key: Range<Int>, isEscaped: Bool, parent: Int32, planEntry: Int?, field: FieldID, hash: UInt64
    ) -> Int32? {
        misses += 1
        let head = isLost ? JSONKeyMemory.none : last < 0 ? begin : entries[Int(last)].next
        guard !isLost, !isEscaped, key.count <= JSONKeyMemory.maximumKeyBytes, entries.count < JSONKeyMemory.maximumEntries,
            chain(from: head) < JSONKeyMemory.maximumChain
        else {
            isLost = true
            return nil
        }
        var word: UInt64 = 0
        for (place, index) in key.prefix(8).enumerated() { word |= UInt64(bytes[index]) << UInt64(place * 8) }
        let entry = Int32(entries.count)
        entries.append(
            Entry(
                word: word, start: Int32(text.count), count: Int32(key.count), parent: parent, instead: head,
                planEntry: planEntry.map { Int32($0) } ?? JSONKeyMemory.none, field: field, hash: hash))
        for index in key { text.append(bytes[index]) }
        if last < 0 { begin = entry } else { entries[Int(last)].next = entry }
        last = entry
        return entry
    }

    private func chain(from head: Int32) -> Int {
        var count = 0
        var entry = head
        while entry >= 0 {
            count += 1
            entry = entries[Int(entry)].instead
        }
        return count
    }
}

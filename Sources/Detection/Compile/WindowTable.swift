/// Windows of one width, one to four bytes, and the literals known by them.
struct WindowTable: Sendable {
    private let width: Int
    /// Only every so many places are looked at: each literal is known by as many windows that follow each other, so that one of
    /// them stands at such a place wherever the literal does.
    private let stride: Int
    private let mask: UInt32
    /// Two bits of one word for each hash that a window has (a blocked Bloom filter: Putze, Sanders, Singler 2007); a power of two.
    private let filter: [UInt64]
    private let entries: KeyTable

    init(width: Int, stride: Int, _ windows: [(key: UInt32, entry: Int32)]) {
        self.width = width
        self.stride = stride
        mask = width == 4 ? .max : 1 << UInt32(width * 8) - 1
        // 64 bits for each window, so that few others pass; at most 16 KiB, to stay in the first-level cache.
        var words = 64
        while words < windows.count, words < 2048 { words *= 2 }
        var filter = [UInt64](repeating: 0, count: words)
        for (key, _) in windows {
            let hash = Self.hash(key)
            filter[Int(hash >> 12) & (words - 1)] |= 1 << UInt64(hash & 63) | 1 << UInt64(hash >> 6 & 63)
        }
        self.filter = filter
        entries = KeyTable(windows)
    }

    /// The window that begins at `place`, all letters alike. Other bytes are told apart less well; the comparison tells.
    static func key(_ bytes: Span<UInt8>, _ place: Int, width: Int) -> UInt32 {
        var key: UInt32 = 0
        for offset in 0..<width { key |= UInt32(bytes[place + offset] | 0x20) << UInt32(offset * 8) }
        return key
    }

    @inline(__always)
    private static func hash(_ key: UInt32) -> UInt32 {
        // The upper 23 bits: twice six for the bits of a word, eleven for the word.
        (key &* 0x9E37_79B1) >> 9
    }

    /// Calls `found` with each place at which a window stands, and the literal that has it.
    @inline(__always)
    func scan(_ bytes: Span<UInt8>, _ range: Range<Int>, _ found: (Int, Int32) -> Void) {
        // The last place from which four bytes can be read.
        let last = min(range.upperBound - width, bytes.count - 4)
        var place = range.lowerBound
        while place <= last {
            place = Self.nextPlace(bytes, from: place, through: last, by: stride, filter.span, mask)
            guard place <= last else { break }
            entries.find(Self.key(bytes, place, width: width)) { found(place, $0) }
            place += stride
        }
        while place + width <= range.upperBound {
            entries.find(Self.key(bytes, place, width: width)) { found(place, $0) }
            place += stride
        }
    }

    /// The next place that passes the filter, or one behind `last`. By itself, so that all it needs stays in registers.
    @inline(never)
    private static func nextPlace(
        _ bytes: Span<UInt8>, from first: Int, through last: Int, by stride: Int, _ filter: Span<UInt64>, _ mask: UInt32
    ) -> Int {
        precondition(first >= 0 && last <= bytes.count - 4)
        let raw = unsafe bytes.bytes
        let words = filter.count - 1
        let fold = 0x2020_2020 & mask
        var place = first
        while place <= last {
            // In bounds: `place` lies between the two that were checked. Every pattern of four bytes is an integer.
            let key = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt32.self) & mask | fold
            let hash = hash(key)
            // In bounds: `words` is the count less one, and the count a power of two.
            let word = unsafe filter[unchecked: Int(hash >> 12) & words]
            if word >> UInt64(hash & 63) & 1 == 1, word >> UInt64(hash >> 6 & 63) & 1 == 1 { return place }
            place &+= stride
        }
        return place
    }
}

/// Literals at the beginning or the end of a value, or that are all of it.
struct EdgeTable: Sendable {
    struct Kind: Hashable, Sendable {
        var isEnd: Bool
        var isWhole: Bool
        /// How many of the outermost bytes are looked up.
        var width: Int

        var order: Int { width * 4 + (isEnd ? 2 : 0) + (isWhole ? 1 : 0) }
    }

    /// A few widths, so that few look-ups are made; each literal takes the widest that it fills.
    private static let widths = [24, 16, 12, 8, 6, 4, 3, 2, 1]

    let kind: Kind
    private let entries: KeyTable

    init(_ kind: Kind, _ literals: [(key: UInt32, entry: Int32)]) {
        self.kind = kind
        entries = KeyTable(literals)
    }

    static func kind(of literal: LiteralIndex.Literal) -> Kind {
        let count = literal.bytes.count
        let width = widths.first { $0 <= count } ?? 1
        switch literal.anchor {
        case .equals: return Kind(isEnd: false, isWhole: true, width: count)
        case .endsWith: return Kind(isEnd: true, isWhole: false, width: width)
        case .startsWith, .contains: return Kind(isEnd: false, isWhole: false, width: width)
        }
    }

    /// A hash of bytes, all letters alike.
    @inline(__always)
    static func key(_ bytes: Span<UInt8>, _ start: Int, _ count: Int) -> UInt32 {
        precondition(count > 0 && start >= 0 && start &+ count <= bytes.count)
        let raw = unsafe bytes.bytes
        // In bounds: each load lies within the bytes that were checked. Every pattern of bytes is an integer. Where the count
        // is no multiple of a word's, the last word overlaps the one before it.
        if count >= 8 {
            var hash = UInt64(truncatingIfNeeded: count)
            let last = start &+ count &- 8
            var place = start
            while place < last {
                let word = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self)
                hash = (hash ^ (word | 0x2020_2020_2020_2020)) &* 0x9E37_79B9_7F4A_7C15
                hash ^= hash >> 32
                place &+= 8
            }
            let word = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: last, as: UInt64.self)
            hash = (hash ^ (word | 0x2020_2020_2020_2020)) &* 0xBF58_476D_1CE4_E5B9
            return UInt32(truncatingIfNeeded: hash >> 32)
        }
        var text: UInt64
        if count >= 4 {
            let first = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt32.self)
            let last = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ count &- 4, as: UInt32.self)
            text = UInt64(first) << 32 | UInt64(last)
        } else {
            text = UInt64(bytes[start]) << 16 | UInt64(bytes[start &+ count / 2]) << 8 | UInt64(bytes[start &+ count &- 1])
        }
        text = ((text | 0x2020_2020_2020_2020) ^ UInt64(truncatingIfNeeded: count) << 59) &* 0xBF58_476D_1CE4_E5B9
        return UInt32(truncatingIfNeeded: text >> 32)
    }

    @inline(__always)
    func find(_ key: UInt32, _ found: (Int32) -> Void) { entries.find(key, found) }
}

/// Keys and the entries that have them: open addressing, one chain of entries for each key.
struct KeyTable: Sendable {
    private struct Slot: Sendable, BitwiseCopyable {
        var key: UInt32 = 0
        var start: Int32 = 0
        var end: Int32 = 0
    }

    private let slots: [Slot]
    private let entries: [Int32]

    init(_ pairs: [(key: UInt32, entry: Int32)]) {
        var count = 4
        while count < pairs.count * 2 { count *= 2 }
        var slots = [Slot](repeating: Slot(), count: count)
        var entries: [Int32] = []
        for (key, group) in Dictionary(grouping: pairs, by: \.key).sorted(by: { $0.key < $1.key }) {
            var slot = Self.slot(of: key, count)
            while slots[slot].end != 0 { slot = (slot + 1) & (count - 1) }
            slots[slot] = Slot(key: key, start: Int32(entries.count), end: Int32(entries.count + group.count))
            entries.append(contentsOf: group.map(\.entry).sorted())
        }
        self.slots = slots
        self.entries = entries
    }

    @inline(__always)
    private static func slot(of key: UInt32, _ count: Int) -> Int {
        Int((key &* 0x85EB_CA6B) >> 7) & (count - 1)
    }

    /// Calls `found` for each entry that has the key. At least half of the slots are free, so the search ends.
    @inline(__always)
    func find(_ key: UInt32, _ found: (Int32) -> Void) {
        let slots = self.slots.span
        var slot = Self.slot(of: key, slots.count)
        while slots[slot].end != 0 {
            if slots[slot].key == key {
                for entry in Int(slots[slot].start)..<Int(slots[slot].end) { found(entries[entry]) }
                return
            }
            slot = (slot + 1) & (slots.count - 1)
        }
    }
}

/// Windows of one width, one to four bytes, and the literals known by them.
struct WindowTable: Sendable {
    private let width: Int
    private let mask: UInt32
    /// One bit for each hash that a window has; a power of two.
    private let filter: [UInt64]
    private let entries: KeyTable

    init(width: Int, _ windows: [(key: UInt32, entry: Int32)]) {
        self.width = width
        mask = width == 4 ? .max : 1 << UInt32(width * 8) - 1
        // 32 bits for each window, so that few others pass; at most 16 KiB, to stay in the first-level cache.
        var words = 8
        while words < windows.count / 2, words < 2048 { words *= 2 }
        var filter = [UInt64](repeating: 0, count: words)
        for (key, _) in windows {
            let hash = Self.hash(key)
            filter[Int(hash >> 6) & (words - 1)] |= 1 << UInt64(hash & 63)
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
        (key &* 0x9E37_79B1) >> 13
    }

    /// Calls `found` with each place at which a window stands, and the literal that has it.
    @inline(__always)
    func scan(_ bytes: Span<UInt8>, _ range: Range<Int>, _ found: (Int, Int32) -> Void) {
        // The last place from which four bytes can be read.
        let last = min(range.upperBound - width, bytes.count - 4)
        var place = range.lowerBound
        while place <= last {
            place = Self.nextPlace(bytes, from: place, through: last, filter.span, mask)
            guard place <= last else { break }
            entries.find(Self.key(bytes, place, width: width)) { found(place, $0) }
            place += 1
        }
        while place + width <= range.upperBound {
            entries.find(Self.key(bytes, place, width: width)) { found(place, $0) }
            place += 1
        }
    }

    /// The next place that passes the filter, or one behind `last`. By itself, so that all it needs stays in registers.
    @inline(never)
    private static func nextPlace(
        _ bytes: Span<UInt8>, from first: Int, through last: Int, _ filter: Span<UInt64>, _ mask: UInt32
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
            let word = unsafe filter[unchecked: Int(hash >> 6) & words]
            if word >> UInt64(hash & 63) & 1 == 1 { return place }
            place &+= 1
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
        let raw = unsafe bytes.bytes
        var hash = UInt64(truncatingIfNeeded: count)
        var offset = 0
        while offset + 8 <= count {
            // As in `WindowTable.scan`.
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: start + offset, as: UInt64.self)
            hash = (hash ^ (word | 0x2020_2020_2020_2020)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < count {
            rest = rest << 8 | UInt64(bytes[start + offset] | 0x20)
            offset += 1
        }
        hash = (hash ^ rest) &* 0xBF58_476D_1CE4_E5B9
        return UInt32(truncatingIfNeeded: hash >> 32)
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

import Events

/// What became of the names of Windows elements seen before: the same thirty stand in nearly every event.
///
/// A name is known again by all its bytes. Its size is fixed; a name takes the place of another, so that hostile names make
/// a source slow, not wrong and not big.
struct WindowsNameMemory: Sendable {
    /// A power of two; 10 KiB.
    private static let places = 256
    /// Longer names are looked up each time.
    private static let maximumBytes = 24

    /// The bytes of a name, with zeros behind them. A count of zero: nothing here yet.
    private struct Entry: Sendable, BitwiseCopyable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var count: Int32 = 0
        /// A field's number; -1 for a name that no rule wants.
        var field: Int32 = -1
    }

    /// Empty until the first name: most sinks never see one.
    private var entries: [Entry] = []

    /// The field of an element of that name, as `plan` has it; always the same plan.
    @inline(__always)
    mutating func field(_ name: ByteRange, _ bytes: Span<UInt8>, _ plan: WindowsFieldPlan) -> FieldID? {
        let (start, count) = (Int(name.start), Int(name.count))
        guard count > 0, count <= Self.maximumBytes, start >= 0, bytes.count &- start >= Self.maximumBytes else {
            return plan.field(WindowsFieldPlan.Name(element: name), bytes)
        }
        let first = bytes.word(uncheckedAt: start) & ByteWord.mask(count)
        let second = count > 8 ? bytes.word(uncheckedAt: start &+ 8) & ByteWord.mask(count &- 8) : 0
        let third = count > 16 ? bytes.word(uncheckedAt: start &+ 16) & ByteWord.mask(count &- 16) : 0
        let mixed = (first ^ (second << 23 | second >> 41) ^ (third << 41 | third >> 23) ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15
        let place = Int(truncatingIfNeeded: mixed >> 56)
        if place < entries.count {
            let known = entries[place]
            if known.first == first, known.second == second, known.third == third, known.count == name.count {
                return known.field < 0 ? nil : FieldID(rawValue: UInt16(truncatingIfNeeded: known.field))
            }
        }
        let field = plan.field(WindowsFieldPlan.Name(element: name), bytes)
        if entries.isEmpty { entries = Array(repeating: Entry(), count: Self.places) }
        entries[place] = Entry(
            first: first, second: second, third: third, count: name.count, field: field.map { Int32($0.rawValue) } ?? -1)
        return field
    }
}

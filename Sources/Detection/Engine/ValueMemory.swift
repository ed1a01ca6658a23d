import Events

/// What was found in values seen before: most values of a log have stood in it already.
///
/// A value is known again by all its bytes, never by a hash alone, so whoever writes the log can make the engine slower
/// (as slow as it is without this memory) but not blind. One value has one place; a newer one takes it over. The memory is
/// made once and does not grow.
struct ValueMemory: Sendable {
    /// A power of two. With `maximumBytes`, 1.1 MiB.
    static let places = 4096
    /// Longer values are not kept.
    static let maximumBytes = 224
    /// Values in which more than this was found are not kept.
    static let maximumOutputs = 6

    private struct Place: Sendable, BitwiseCopyable {
        /// As what the value was looked through: `Program.Look`, and the program's number. A count of -1: nothing here yet.
        var slots: UInt64 = 0
        var source: Int32 = 0
        var count: Int16 = -1
        var outputCount: Int16 = 0
    }

    private var places = [Place](repeating: Place(), count: ValueMemory.places)
    private var bytes = [UInt8](repeating: 0, count: ValueMemory.places * ValueMemory.maximumBytes)
    private var outputs = [Int32](repeating: 0, count: ValueMemory.places * ValueMemory.maximumOutputs)

    /// Where a value belongs; `nil` when it is too long to be kept.
    @inline(__always)
    static func place(of text: Span<UInt8>, _ range: Range<Int>, slots: UInt64, source: Int) -> Int? {
        guard range.count <= maximumBytes else { return nil }
        let raw = unsafe text.bytes
        // Two lanes of multiply and fold; it only has to spread.
        var first = slots ^ UInt64(truncatingIfNeeded: source) &* 0x9E37_79B9_7F4A_7C15
        var second = UInt64(truncatingIfNeeded: range.count)
        var index = range.lowerBound
        while index + 16 <= range.upperBound {
            first = (first ^ word(raw, index)) &* 0xBF58_476D_1CE4_E5B9
            second = (second ^ word(raw, index + 8)) &* 0x94D0_49BB_1331_11EB
            first ^= first >> 32
            second ^= second >> 32
            index += 16
        }
        if index + 8 <= range.upperBound {
            first = (first ^ word(raw, index)) &* 0xBF58_476D_1CE4_E5B9
            first ^= first >> 32
            index += 8
        }
        var rest: UInt64 = 0
        while index < range.upperBound {
            rest = rest << 8 | UInt64(text[index])
            index += 1
        }
        let hash = (first ^ rest ^ second << 1) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> 40) & (places - 1)
    }

    /// Whether this value stands at its place.
    @inline(__always)
    func holds(_ text: Span<UInt8>, _ range: Range<Int>, slots: UInt64, source: Int, at place: Int) -> Bool {
        let known = places[place]
        guard known.count == Int16(truncatingIfNeeded: range.count), known.slots == slots,
            known.source == Int32(truncatingIfNeeded: source)
        else { return false }
        let kept = unsafe bytes.span.bytes
        let raw = unsafe text.bytes
        let start = place * Self.maximumBytes
        var offset = 0
        while offset + 8 <= range.count {
            guard Self.word(kept, start + offset) == Self.word(raw, range.lowerBound + offset) else { return false }
            offset += 8
        }
        while offset < range.count {
            guard bytes[start + offset] == text[range.lowerBound + offset] else { return false }
            offset += 1
        }
        return true
    }

    /// What was found in the value at `place`.
    @inline(__always)
    func outputs(at place: Int) -> Range<Int> {
        let start = place * Self.maximumOutputs
        return start..<start + Int(places[place].outputCount)
    }

    @inline(__always)
    subscript(output index: Int) -> Int32 { outputs[index] }

    /// Keeps a value and what was found in it.
    mutating func keep(_ text: Span<UInt8>, _ range: Range<Int>, slots: UInt64, source: Int, at place: Int, _ found: [Int32]) {
        guard found.count <= Self.maximumOutputs else { return }
        let start = place * Self.maximumBytes
        for offset in 0..<range.count { bytes[start + offset] = text[range.lowerBound + offset] }
        for (offset, output) in found.enumerated() { outputs[place * Self.maximumOutputs + offset] = output }
        places[place] = Place(
            slots: slots, source: Int32(truncatingIfNeeded: source), count: Int16(range.count), outputCount: Int16(found.count))
    }

    @inline(__always)
    private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        // The offset is checked against the span's bounds, and every pattern of eight bytes is an integer.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
}

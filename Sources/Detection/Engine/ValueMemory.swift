import Events

/// What was found in values seen before: most values of a log have stood in it already.
///
/// A value is known again by all its bytes, never by a hash alone, so whoever writes the log can make the engine slower
/// (as slow as it is without this memory) but not blind. A value has a pair of places; a newer one takes over the one that was
/// not used last, so that two frequent values do not drive each other out. The memory is made once and does not grow.
struct ValueMemory: Sendable {
    /// A power of two. With `maximumBytes`, 1.1 MiB.
    static let places = 4096
    /// Longer values are not kept.
    static let maximumBytes = 224
    /// Values in which more than this was found are not kept.
    static let maximumOutputs = 12

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

    /// By pair: whether its second place was used last.
    private var usedSecond = [Bool](repeating: false, count: ValueMemory.places / 2)

    /// Where the pair begins to which a value belongs; `nil` when it is too long to be kept.
    @inline(__always)
    static func pair(of text: Span<UInt8>, _ range: Range<Int>, slots: UInt64, source: Int) -> Int? {
        guard range.count <= maximumBytes else { return nil }
        precondition(range.lowerBound >= 0 && range.upperBound <= text.count)
        let raw = unsafe text.bytes
        var hash = slots ^ UInt64(truncatingIfNeeded: source) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(range.count) << 32
        if range.count >= 16 {
            // Multiplications that do not wait for each other; it only has to spread. The last one overlaps the one before it.
            var index = range.lowerBound
            let last = range.upperBound &- 16
            while index < last {
                hash = (hash << 7 | hash >> 57) &+ folded(word(raw, index), word(raw, index &+ 8))
                index &+= 16
            }
            hash = (hash << 7 | hash >> 57) &+ folded(word(raw, last), word(raw, last &+ 8))
        } else {
            let first = range.count >= 8 ? word(raw, range.lowerBound) : 0
            hash = hash &+ folded(first, tail(raw, range))
        }
        hash = (hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: hash >> 40) & (places / 2 - 1) &* 2
    }

    /// The two halves of the product of two words, one over the other.
    @inline(__always)
    private static func folded(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let product = (first ^ 0xBF58_476D_1CE4_E5B9).multipliedFullWidth(by: second ^ 0x94D0_49BB_1331_11EB)
        return product.high ^ product.low
    }

    /// The place of its pair at which this value stands.
    @inline(__always)
    mutating func find(_ text: Span<UInt8>, _ range: Range<Int>, slots: UInt64, source: Int, pair: Int) -> Int? {
        let isSecond = usedSecond[pair / 2]
        let last = isSecond ? pair + 1 : pair
        if holds(text, range, slots: slots, source: source, at: last) { return last }
        let other = pair + 1 - (last - pair)
        guard holds(text, range, slots: slots, source: source, at: other) else { return nil }
        usedSecond[pair / 2] = !isSecond
        return other
    }

    @inline(__always)
    private func holds(_ text: Span<UInt8>, _ range: Range<Int>, slots: UInt64, source: Int, at place: Int) -> Bool {
        let known = places[place]
        guard known.count == Int16(truncatingIfNeeded: range.count), known.slots == slots,
            known.source == Int32(truncatingIfNeeded: source)
        else { return false }
        let kept = unsafe bytes.span.bytes
        let raw = unsafe text.bytes
        let (start, begin) = (place &* Self.maximumBytes, range.lowerBound)
        precondition(start >= 0 && start &+ range.count <= bytes.count && begin >= 0 && range.upperBound <= text.count)
        guard range.count >= 8 else { return Self.tail(kept, start..<start &+ range.count) == Self.tail(raw, range) }
        // The last word overlaps the one before it.
        let last = range.count &- 8
        var differences = Self.word(kept, start &+ last) ^ Self.word(raw, begin &+ last)
        var offset = 0
        while offset < last, differences == 0 {
            differences |= Self.word(kept, start &+ offset) ^ Self.word(raw, begin &+ offset)
            offset &+= 8
        }
        return differences == 0
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
    mutating func keep(_ text: Span<UInt8>, _ range: Range<Int>, slots: UInt64, source: Int, pair: Int, _ found: [Int32]) {
        guard found.count <= Self.maximumOutputs else { return }
        usedSecond[pair / 2].toggle()
        let place = usedSecond[pair / 2] ? pair + 1 : pair
        let start = place * Self.maximumBytes
        unsafe text.extracting(range).withUnsafeBytes { value in
            unsafe bytes.withUnsafeMutableBytes { kept in
                // As many bytes as a place has, at most: see `place`.
                unsafe UnsafeMutableRawBufferPointer(rebasing: kept[start..<start + value.count]).copyMemory(from: value)
            }
        }
        for (offset, output) in found.enumerated() { outputs[place * Self.maximumOutputs + offset] = output }
        places[place] = Place(
            slots: slots, source: Int32(truncatingIfNeeded: source), count: Int16(range.count), outputCount: Int16(found.count))
    }

    /// The last eight bytes of a text, or all of a shorter one.
    @inline(__always)
    private static func tail(_ bytes: RawSpan, _ range: Range<Int>) -> UInt64 {
        if range.count >= 8 { return word(bytes, range.upperBound - 8) }
        if range.lowerBound + 8 <= bytes.byteCount {
            // What stands behind the text is cut off.
            return UInt64(littleEndian: word(bytes, range.lowerBound)) & (1 &<< UInt64(truncatingIfNeeded: range.count * 8) &- 1)
        }
        var tail: UInt64 = 0
        for offset in 0..<range.count {
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: range.lowerBound + offset, as: UInt8.self)
            tail |= UInt64(byte) << UInt64(offset * 8)
        }
        return tail
    }

    /// The caller has made sure that eight bytes stand there; every pattern of eight bytes is an integer.
    @inline(__always)
    private static func word(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
    }
}

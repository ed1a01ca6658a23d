/// Searches in a part of a span; every function stays inside `start..<end`.
///
/// Sixteen or eight bytes at a time. The loads are unchecked: each function first makes sure that `0 <= start` and
/// `end <= count`, loads sixteen bytes at `index` only where `index + 16 <= end`, and a word only where `index + 8 <= end`
/// or, to look at the last few bytes, `index + 8 <= count`.
extension Span where Element == UInt8 {
    /// The eight bytes at `index`, the first one lowest. The caller has made sure that `0 <= index <= count - 8`.
    @inline(__always)
    func word(uncheckedAt index: Int) -> UInt64 {
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
        return UInt64(littleEndian: word)
    }

    @inline(__always)
    func firstIndex(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        let (chunk, pattern) = (SIMD16<UInt8>(repeating: byte), ByteWord.repeating(byte))
        return first(
            from: start, to: end, chunk: { $0 .== chunk }, word: { ByteWord.zeros($0 ^ pattern) }, byte: { $0 == byte })
    }

    /// The first of two bytes.
    @inline(__always)
    func firstIndex(of one: UInt8, or other: UInt8, from start: Int, to end: Int) -> Int? {
        let (left, right) = (SIMD16<UInt8>(repeating: one), SIMD16<UInt8>(repeating: other))
        let (first, second) = (ByteWord.repeating(one), ByteWord.repeating(other))
        return self.first(
            from: start, to: end, chunk: { ($0 .== left) .| ($0 .== right) },
            word: { ByteWord.zeros($0 ^ first) | ByteWord.zeros($0 ^ second) }, byte: { $0 == one || $0 == other })
    }

    /// The first of three bytes.
    @inline(__always)
    func firstIndex(of one: UInt8, or other: UInt8, or third: UInt8, from start: Int, to end: Int) -> Int? {
        let (left, right) = (SIMD16<UInt8>(repeating: one), SIMD16<UInt8>(repeating: other))
        let outer = SIMD16<UInt8>(repeating: third)
        let (first, second, last) = (ByteWord.repeating(one), ByteWord.repeating(other), ByteWord.repeating(third))
        return self.first(
            from: start, to: end, chunk: { ($0 .== left) .| ($0 .== right) .| ($0 .== outer) },
            word: { ByteWord.zeros($0 ^ first) | ByteWord.zeros($0 ^ second) | ByteWord.zeros($0 ^ last) },
            byte: { $0 == one || $0 == other || $0 == third })
    }

    /// Sixteen bytes at a time while there are so many, then eight, then one.
    ///
    /// - Parameter word: marks what is sought with the top bit of its byte; marks above the first may be false.
    @inline(__always)
    private func first(
        from start: Int, to end: Int, chunk: (SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>>, word: (UInt64) -> UInt64,
        byte: (UInt8) -> Bool
    ) -> Int? {
        guard start < end else { return nil }
        precondition(start >= 0 && end <= count)
        var index = start
        while end &- index >= 16 {
            let bytes = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
            let found = unsafe unsafeBitCast(chunk(bytes), to: SIMD2<UInt64>.self)
            let (low, high) = (UInt64(littleEndian: found[0]), UInt64(littleEndian: found[1]))
            if low | high != 0 {
                return low != 0 ? index &+ low.trailingZeroBitCount / 8 : index &+ 8 &+ high.trailingZeroBitCount / 8
            }
            index &+= 16
        }
        while end &- index >= 8 {
            let found = word(self.word(uncheckedAt: index))
            if found != 0 { return index &+ found.trailingZeroBitCount / 8 }
            index &+= 8
        }
        if count &- index >= 8 {
            // Bytes past the end are loaded too; what is found there does not count.
            guard index < end else { return nil }
            let found = word(self.word(uncheckedAt: index))
            let place = index &+ found.trailingZeroBitCount / 8
            return found != 0 && place < end ? place : nil
        }
        while index < end {
            if byte(self[index]) { return index }
            index &+= 1
        }
        return nil
    }

    func lastIndex(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        guard start < end else { return nil }
        precondition(start >= 0 && end <= count)
        let pattern = ByteWord.repeating(byte)
        var index = end
        while index &- start >= 8 {
            let found = ByteWord.exactZeros(word(uncheckedAt: index &- 8) ^ pattern)
            if found != 0 { return index &- 1 &- found.leadingZeroBitCount / 8 }
            index &-= 8
        }
        while index > start {
            index &-= 1
            if self[index] == byte { return index }
        }
        return nil
    }

    @inline(__always)
    func hasPrefix(_ prefix: StaticString, from start: Int, to end: Int) -> Bool {
        let count = prefix.utf8CodeUnitCount
        guard end - start >= count else { return false }
        let text = unsafe UnsafeBufferPointer(start: prefix.utf8Start, count: count)
        for index in 0..<count where unsafe self[start + index] != text[index] { return false }
        return true
    }

    /// Where `text` first stands.
    func firstIndex(of text: StaticString, from start: Int, to end: Int) -> Int? {
        let count = text.utf8CodeUnitCount
        guard count > 0, end - start >= count else { return nil }
        let first = unsafe text.utf8Start.pointee
        var index = start
        while let found = firstIndex(of: first, from: index, to: end - count + 1) {
            if hasPrefix(text, from: found, to: end) { return found }
            index = found + 1
        }
        return nil
    }

    /// Where `text` last stands.
    func lastIndex(of text: StaticString, from start: Int, to end: Int) -> Int? {
        let count = text.utf8CodeUnitCount
        guard count > 0, end - start >= count else { return nil }
        let first = unsafe text.utf8Start.pointee
        var limit = end - count + 1
        while let found = lastIndex(of: first, from: start, to: limit) {
            if hasPrefix(text, from: found, to: end) { return found }
            limit = found
        }
        return nil
    }

    /// The number that the decimal digits of the range spell; `nil` when there are none, others, or too many.
    func decimal(from start: Int, to end: Int) -> Int? {
        guard end > start, end - start <= 19 else { return nil }
        var value = 0
        for index in start..<end {
            let digit = self[index] &- 0x30
            guard digit <= 9 else { return nil }
            // Nineteen nines are more than 2⁶³.
            let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tenfold.addingReportingOverflow(Int(digit))
            guard !isTooLarge, !overflows else { return nil }
            value = sum
        }
        return value
    }
}

/// Eight bytes looked at together.
enum ByteWord {
    @inline(__always)
    static func repeating(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// The top bit of every zero byte; the lowest mark is true, those above it may be false (Mycroft, 1987).
    @inline(__always)
    static func zeros(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }

    /// The top bit of every zero byte, and of no other: no carry leaves its byte.
    @inline(__always)
    static func exactZeros(_ word: UInt64) -> UInt64 {
        ~(((word & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F) | word | 0x7F7F_7F7F_7F7F_7F7F)
    }

    /// The low `count` bytes, all of them from eight on.
    @inline(__always)
    static func mask(_ count: Int) -> UInt64 {
        count >= 8 ? .max : (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1
    }
}

/// Searches in a part of a span; every function stays inside `start..<end`.
extension Span where Element == UInt8 {
    func firstIndex(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        var index = start
        while index < end {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    func lastIndex(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        var index = end - 1
        while index >= start {
            if self[index] == byte { return index }
            index -= 1
        }
        return nil
    }

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
        while index <= end - count {
            if self[index] == first, hasPrefix(text, from: index, to: end) { return index }
            index += 1
        }
        return nil
    }

    /// Where `text` last stands.
    func lastIndex(of text: StaticString, from start: Int, to end: Int) -> Int? {
        let count = text.utf8CodeUnitCount
        guard count > 0, end - start >= count else { return nil }
        var index = end - count
        while index >= start {
            if hasPrefix(text, from: index, to: end) { return index }
            index -= 1
        }
        return nil
    }

    /// The number that the decimal digits of the range spell; `nil` when there are none, others, or too many.
    func decimal(from start: Int, to end: Int) -> Int? {
        guard end > start, end - start <= 18 else { return nil }
        var value = 0
        for index in start..<end {
            let digit = self[index] &- 0x30
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    func isSpace(at index: Int) -> Bool {
        self[index] == 0x20 || self[index] == 0x09
    }
}

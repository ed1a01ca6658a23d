/// Tells which of many literals occur in a text, for little more than reading it once.
///
/// Each literal is known by its rarest four bytes; a bit per hash of four bytes says whether any literal has them, and only
/// where it is set is anything compared. Thousands of literals cost no more than one on text that has none of them.
struct LiteralIndex: Sendable {
    /// Shorter literals would stop at every other byte of any text.
    static let minimumBytes = 4

    private struct Entry: Sendable {
        var word: UInt32
        var literal: [UInt8]
        /// Where in the literal its four bytes stand.
        var offset: Int
        var value: Int32
    }

    private var bits = [UInt64](repeating: 0, count: 1024)
    /// Sorted by word.
    private var entries: [Entry] = []

    /// - Parameter literals: what to look for, each at least `minimumBytes` long, and the number to report it by.
    init(_ literals: [(literal: [UInt8], value: Int)]) {
        var frequency: [UInt32: Int] = [:]
        for (literal, _) in literals {
            for word in LiteralIndex.words(literal) { frequency[word, default: 0] += 1 }
        }
        for (literal, value) in literals {
            let words = LiteralIndex.words(literal)
            guard let rarest = words.indices.min(by: { frequency[words[$0], default: 0] < frequency[words[$1], default: 0] })
            else {
                continue
            }
            entries.append(Entry(word: words[rarest], literal: literal, offset: rarest, value: Int32(value)))
            let bit = LiteralIndex.bit(words[rarest])
            bits[bit >> 6] |= 1 << UInt64(bit & 63)
        }
        entries.sort { $0.word < $1.word }
    }

    /// Calls `found` with the number of every literal in the range, some of them several times.
    @inline(__always)
    func search(_ bytes: Span<UInt8>, _ range: Range<Int>, _ found: (Int32) -> Void) {
        guard range.count >= LiteralIndex.minimumBytes, !entries.isEmpty else { return }
        var word =
            UInt32(bytes[range.lowerBound]) << 8 | UInt32(bytes[range.lowerBound + 1]) << 16 | UInt32(bytes[range.lowerBound + 2])
            << 24
        for index in range.lowerBound + 3..<range.upperBound {
            word = word >> 8 | UInt32(bytes[index]) << 24
            let bit = LiteralIndex.bit(word)
            if bits[bit >> 6] & 1 << UInt64(bit & 63) != 0 { compare(word, bytes, range, index - 3, found) }
        }
    }

    private func compare(_ word: UInt32, _ bytes: Span<UInt8>, _ range: Range<Int>, _ place: Int, _ found: (Int32) -> Void) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].word < word { low = middle + 1 } else { high = middle }
        }
        while low < entries.count, entries[low].word == word {
            let start = place - entries[low].offset
            if start >= range.lowerBound, start + entries[low].literal.count <= range.upperBound {
                var isEqual = true
                for offset in entries[low].literal.indices where bytes[start + offset] != entries[low].literal[offset] {
                    isEqual = false
                    break
                }
                if isEqual { found(entries[low].value) }
            }
            low += 1
        }
    }

    private static func words(_ literal: [UInt8]) -> [UInt32] {
        guard literal.count >= minimumBytes else { return [] }
        return (0...literal.count - 4).map { index in
            UInt32(literal[index]) | UInt32(literal[index + 1]) << 8 | UInt32(literal[index + 2]) << 16 | UInt32(
                literal[index + 3]) << 24
        }
    }

    @inline(__always)
    private static func bit(_ word: UInt32) -> Int { Int((word &* 0x9E37_79B1) >> 16) }
}

/// Which original a leak is of, by its text: hashes of four words in a row.
struct Shingles {
    private var hashes: Set<UInt64> = []

    /// Documents of more words than this are known by their beginning.
    private static let most = 20_000

    init(_ layout: TextLayout) {
        for page in layout.pages {
            var recent: [UInt64] = []
            for word in page.words where !word.text.isEmpty && word.text != [0] {
                var hash: UInt64 = 0xCBF2_9CE4_8422_2325
                // Letters and digits alone: other programs join punctuation otherwise.
                for scalar in word.text where scalar > 0x7F || (0x30...0x39).contains(scalar) || (0x61...0x7A).contains(scalar) {
                    hash = (hash ^ UInt64(scalar)) &* 0x100_0000_01B3
                }
                recent.append(hash)
                if recent.count > 4 { recent.removeFirst() }
                if recent.count == 4 {
                    hashes.insert(recent.reduce(0) { ($0 &* 31) ^ ($1 &* 0x9E37_79B9_7F4A_7C15) })
                }
            }
            if hashes.count > Self.most { break }
        }
    }

    /// Share of these that the other has, too.
    func share(in other: Shingles) -> Double {
        hashes.isEmpty ? 0 : Double(hashes.intersection(other.hashes).count) / Double(hashes.count)
    }
}

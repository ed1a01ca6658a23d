extension UnitSet {
    /// Runs of capitals and the distance to their small letters, after Unicode's simple case folding (status C and S).
    ///
    /// Left out: letters that fold across blocks (U+212A Kelvin and U+017F long s into ASCII, U+00B5 micro into Greek,
    /// U+00FF into Latin Extended-A), so that an ASCII literal is always found as ASCII bytes.
    private static let pairs: [(capitals: Range, distance: UInt32)] = [
        (Range(low: 0x41, high: 0x5A), 0x20),  // ASCII
        (Range(low: 0xC0, high: 0xD6), 0x20),  // Latin-1, without the multiplication sign U+00D7
        (Range(low: 0xD8, high: 0xDE), 0x20),
        (Range(low: 0x386, high: 0x386), 0x26),  // Greek with tonos
        (Range(low: 0x388, high: 0x38A), 0x25),
        (Range(low: 0x38C, high: 0x38C), 0x40),
        (Range(low: 0x38E, high: 0x38F), 0x3F),
        (Range(low: 0x391, high: 0x3A1), 0x20),  // Greek
        (Range(low: 0x3A3, high: 0x3AB), 0x20),
        (Range(low: 0x3A3, high: 0x3A3), 0x1F),  // capital sigma and the final sigma
        (Range(low: 0x400, high: 0x40F), 0x50),  // Cyrillic
        (Range(low: 0x410, high: 0x42F), 0x20),
    ]

    /// What a letter is compared as where case does not count; anything else is itself.
    static func smallLetter(_ unit: UInt32) -> UInt32 {
        // The final sigma.
        if unit == 0x3C2 { return 0x3C3 }
        for (capitals, distance) in pairs where capitals.contains(unit) { return unit + distance }
        return unit
    }

    /// The set with the other case of every letter that it holds.
    var folded: UnitSet {
        var result = ranges
        for range in ranges {
            for (capitals, distance) in Self.pairs {
                if let part = range.intersection(capitals) {
                    result.append(Range(low: part.low + distance, high: part.high + distance))
                }
                let small = Range(low: capitals.low + distance, high: capitals.high + distance)
                if let part = range.intersection(small) {
                    result.append(Range(low: part.low - distance, high: part.high - distance))
                }
            }
            // σ and ς are both small sigmas: each brings the other, not only the capital.
            if range.contains(0x3C2) { result.append(Range(low: 0x3C3, high: 0x3C3)) }
            if range.contains(0x3C3) { result.append(Range(low: 0x3C2, high: 0x3C2)) }
        }
        return UnitSet(result)
    }
}

extension UnitSet.Range {
    func contains(_ unit: UInt32) -> Bool {
        low <= unit && unit <= high
    }

    func intersection(_ other: Self) -> Self? {
        let low = max(low, other.low)
        let high = min(high, other.high)
        return low <= high ? Self(low: low, high: high) : nil
    }
}

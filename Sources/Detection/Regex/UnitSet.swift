/// A set of units: Unicode scalars, and the stray bytes that stand where the input is not UTF-8.
///
/// Both lie on one number line, so that a complement needs no special case: scalars at their value, the stray bytes
/// 0x80…0xFF at ``rawBase`` and above.
struct UnitSet: Hashable, Sendable {
    /// A closed range on the number line.
    struct Range: Hashable, Sendable {
        var low: UInt32
        var high: UInt32
    }

    /// Where the stray byte 0x80 stands.
    static let rawBase: UInt32 = 0x11_0000
    /// The last point of the line: the stray byte 0xFF.
    static let last: UInt32 = rawBase + 0x7F

    static let everything = UnitSet([Range(low: 0, high: last)])

    /// Ascending, neither overlapping nor touching.
    private(set) var ranges: [Range]

    init(_ ranges: [Range] = []) {
        self.ranges = []
        self.ranges.reserveCapacity(ranges.count)
        for range in ranges.sorted(by: { $0.low < $1.low }) {
            if let tail = self.ranges.last, range.low <= tail.high + 1 {
                self.ranges[self.ranges.count - 1].high = max(tail.high, range.high)
            } else {
                self.ranges.append(range)
            }
        }
    }

    init(_ unit: UInt32) {
        ranges = [Range(low: unit, high: unit)]
    }

    /// The ASCII characters that occur in `text`, with `a-z` written out by the caller.
    init(ascii text: StaticString, ranges: [ClosedRange<UInt8>]) {
        self.init(
            text.description.utf8.map { Range(low: UInt32($0), high: UInt32($0)) }
                + ranges.map { Range(low: UInt32($0.lowerBound), high: UInt32($0.upperBound)) })
    }

    /// The line's index of a stray byte.
    static func raw(_ byte: UInt8) -> UInt32 {
        rawBase + UInt32(byte & 0x7F)
    }

    var isEmpty: Bool { ranges.isEmpty }

    /// The number of units in the set.
    var count: Int {
        ranges.reduce(0) { $0 + Int($1.high - $1.low) + 1 }
    }

    var inverted: UnitSet {
        var result: [Range] = []
        var low: UInt32 = 0
        for range in ranges {
            if range.low > low { result.append(Range(low: low, high: range.low - 1)) }
            low = range.high + 1
        }
        if low <= Self.last { result.append(Range(low: low, high: Self.last)) }
        return UnitSet(result)
    }

    func union(_ other: UnitSet) -> UnitSet {
        UnitSet(ranges + other.ranges)
    }

    func contains(_ unit: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].high < unit { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].low <= unit
    }
}

/// The alphabet of one pattern: units that no set of the pattern tells apart share a class, so that the automaton's
/// tables have a dozen columns instead of a million.
///
/// Column 0 is kept free: every byte from 0x80 up is first looked up there, finds no transition, and is then decoded.
/// After the classes come two columns that no unit has: a line feed that ends the input, and the end of the input.
struct UnitClasses: Sendable {
    /// The class of each ASCII byte, 0 for every other byte; 256 entries.
    let ofByte: [UInt8]
    /// Where the ranges of equal class begin on the number line, ascending from 0, and the class of each.
    private let starts: [UInt32]
    private let classes: [UInt16]
    /// One unit of each class; index 0 is unused.
    let representatives: [UInt32]

    /// The column of a line feed that ends the input.
    var finalNewline: Int { representatives.count }
    /// The column of the end of the input.
    var end: Int { representatives.count + 1 }
    /// The number of columns.
    var columns: Int { representatives.count + 2 }

    /// - Returns: `nil` when there are more than ``BoundedRegex/maximumClasses`` classes, or the work to find them is
    ///   out of proportion (about a second).
    init?(separating sets: [UnitSet]) {
        // Beyond ASCII begins a class of its own, so that ASCII classes fit a byte and column 0 is never theirs.
        var limits: Set<UInt32> = [0, 0x80]
        for range in sets.lazy.flatMap(\.ranges) {
            limits.insert(range.low)
            if range.high < UnitSet.last { limits.insert(range.high + 1) }
        }
        let starts = limits.sorted()
        guard sets.count * starts.count <= 4_000_000 else { return nil }

        // Partition refinement: each set splits every class that it holds only in part.
        var groups = starts.map { $0 < 0x80 ? 0 : 1 }
        var groupCount = 2
        for set in sets {
            var split: [Int: Int] = [:]
            for range in set.ranges {
                var index = Self.index(of: range.low, in: starts)
                while index < starts.count, starts[index] <= range.high {
                    if let group = split[groups[index]] {
                        groups[index] = group
                    } else {
                        split[groups[index]] = groupCount
                        groups[index] = groupCount
                        groupCount += 1
                    }
                    index += 1
                }
            }
        }

        var numbers: [Int: UInt16] = [:]
        var classes: [UInt16] = []
        var representatives: [UInt32] = [0]
        for (index, group) in groups.enumerated() {
            if let number = numbers[group] {
                classes.append(number)
            } else {
                guard representatives.count <= BoundedRegex.maximumClasses else { return nil }
                numbers[group] = UInt16(representatives.count)
                classes.append(UInt16(representatives.count))
                representatives.append(starts[index])
            }
        }
        self.starts = starts
        self.classes = classes
        self.representatives = representatives
        // At most 128 classes hold ASCII and they come first, so each fits a byte.
        self.ofByte = (0..<256).map { byte in
            byte < 0x80 ? UInt8(classes[Self.index(of: UInt32(byte), in: starts)]) : 0
        }
    }

    /// The class of any unit.
    func of(_ unit: UInt32) -> Int {
        Int(classes[Self.index(of: unit, in: starts)])
    }

    /// The last start that is not behind `unit`.
    private static func index(of unit: UInt32, in starts: [UInt32]) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= unit { low = middle } else { high = middle }
        }
        return low
    }
}

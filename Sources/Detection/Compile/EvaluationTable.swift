import Events

/// Every rule's expression, laid out flat for the engine.
///
/// Trees of enums cost a reference count at every step; here a step is a few bytes in one array, and the literals of
/// all rules are one run of bytes.
struct EvaluationTable: Sendable {
    enum Operation: UInt8, Sendable, BitwiseCopyable {
        case all, any, not, predicate, truth, falsehood
    }

    /// A node of an expression; the nodes below it follow it, up to `end`.
    struct Step: Sendable, BitwiseCopyable {
        var operation: Operation
        /// Just behind the last node below this one.
        var end: Int32
        /// An index into `predicates`.
        var predicate: Int32
    }

    enum Kind: UInt8, Sendable, BitwiseCopyable {
        case literal, glob, regex, block, compare, exists, absent, isNull, field, timePart
    }

    struct FlatPredicate: Sendable, BitwiseCopyable {
        /// A field's number, or -1 for the raw line.
        var subject: Int32
        var kind: Kind
        var anchor: TextPattern.Anchor
        var isCased: Bool
        var comparison: Comparison
        /// Bytes of a literal, an index into a list of the kind, or a field.
        var operand: Int32
        var length: Int32
        var number: Double
        var part: TimePart
    }

    private(set) var steps: [Step] = []
    private(set) var predicates: [FlatPredicate] = []
    /// Literals one after the other, in lower case where letters do not count.
    private(set) var literals: [UInt8] = []
    private(set) var globs: [TextPattern] = []
    private(set) var blocks: [AddressBlock] = []

    /// Appends an expression; returns the place of its root.
    mutating func add(_ expression: Expression) -> Int32 {
        let place = steps.count
        steps.append(Step(operation: .truth, end: 0, predicate: 0))
        switch expression {
        case .constant(let value): steps[place].operation = value ? .truth : .falsehood
        case .all(let parts), .any(let parts):
            for part in parts { _ = add(part) }
            if case .all = expression { steps[place].operation = .all } else { steps[place].operation = .any }
        case .not(let inner):
            steps[place].operation = .not
            _ = add(inner)
        case .predicate(let predicate):
            steps[place].operation = .predicate
            steps[place].predicate = Int32(predicates.count)
            predicates.append(flat(predicate))
        }
        steps[place].end = Int32(steps.count)
        return Int32(place)
    }

    private mutating func flat(_ predicate: Predicate) -> FlatPredicate {
        var subject: Int32 = -1
        if case .field(let field) = predicate.subject { subject = Int32(field.rawValue) }
        var flat = FlatPredicate(
            subject: subject, kind: .isNull, anchor: .equals, isCased: false, comparison: .eq, operand: 0, length: 0, number: 0,
            part: .year)
        switch predicate.test {
        case .text(let pattern):
            if let literal = pattern.literal {
                flat.kind = .literal
                flat.operand = Int32(literals.count)
                flat.length = Int32(literal.count)
                literals.append(contentsOf: literal)
                flat.isCased = pattern.isCased
                flat.anchor =
                    pattern.anyBefore ? (pattern.anyAfter ? .contains : .endsWith) : pattern.anyAfter ? .startsWith : .equals
            } else {
                flat.kind = .glob
                flat.operand = Int32(globs.count)
                globs.append(pattern)
            }
        case .regex(let index):
            flat.kind = .regex
            flat.operand = Int32(index)
        case .block(let block):
            flat.kind = .block
            flat.operand = Int32(blocks.count)
            blocks.append(block)
        case .compare(let comparison, let number):
            flat.kind = .compare
            flat.comparison = comparison
            flat.number = number
        case .exists(let wanted): flat.kind = wanted ? .exists : .absent
        case .isNull: flat.kind = .isNull
        case .field(let other, let anchor):
            flat.kind = .field
            flat.operand = Int32(other.rawValue)
            flat.anchor = anchor
        case .timePart(let part, let comparison, let value):
            flat.kind = .timePart
            flat.part = part
            flat.comparison = comparison
            flat.number = Double(value)
        }
        return flat
    }

    /// Whether the literal at `start` stands in the range as `anchor` asks.
    func holds(
        literal start: Int, _ length: Int, _ anchor: TextPattern.Anchor, isCased: Bool, _ bytes: Span<UInt8>, _ range: Range<Int>
    ) -> Bool {
        guard range.count >= length else { return false }
        let wanted = literals.span.extracting(start..<start + length)
        switch anchor {
        case .equals: return range.count == length && EvaluationTable.equal(wanted, bytes, range.lowerBound, isCased)
        case .startsWith: return EvaluationTable.equal(wanted, bytes, range.lowerBound, isCased)
        case .endsWith: return EvaluationTable.equal(wanted, bytes, range.upperBound - length, isCased)
        case .contains:
            guard length > 0 else { return true }
            let first = wanted[0]
            var index = range.lowerBound
            while index + length <= range.upperBound {
                let byte = bytes[index]
                if byte == first || (!isCased && foldedToLowerCase(byte) == first),
                    EvaluationTable.equal(wanted, bytes, index, isCased)
                {
                    return true
                }
                index += 1
            }
            return false
        }
    }

    /// Whether one part of the text stands in another as `anchor` asks, whatever the case of letters.
    static func holds(_ bytes: Span<UInt8>, _ range: Range<Int>, _ anchor: TextPattern.Anchor, _ wanted: Range<Int>) -> Bool {
        guard range.count >= wanted.count else { return false }
        let last = range.upperBound - wanted.count
        switch anchor {
        case .equals: return range.count == wanted.count && stands(bytes, wanted, at: last)
        case .startsWith: return stands(bytes, wanted, at: range.lowerBound)
        case .endsWith: return stands(bytes, wanted, at: last)
        case .contains:
            for start in range.lowerBound...last where stands(bytes, wanted, at: start) { return true }
            return false
        }
    }

    private static func stands(_ bytes: Span<UInt8>, _ wanted: Range<Int>, at start: Int) -> Bool {
        var offset = 0
        while offset < wanted.count {
            let byte = bytes[start + offset]
            let other = bytes[wanted.lowerBound + offset]
            if byte < 0x80 || other < 0x80 {
                guard foldedToLowerCase(byte) == foldedToLowerCase(other) else { return false }
                offset += 1
                continue
            }
            if offset + 1 < wanted.count, let left = twoByteScalar(byte, bytes[start + offset + 1]),
                let right = twoByteScalar(other, bytes[wanted.lowerBound + offset + 1])
            {
                guard UnitSet.smallLetter(left) == UnitSet.smallLetter(right) else { return false }
                offset += 2
                continue
            }
            guard byte == other else { return false }
            offset += 1
        }
        return true
    }

    /// Every letter beyond ASCII whose case is folded has two bytes, whichever case.
    private static func twoByteScalar(_ lead: UInt8, _ trail: UInt8) -> UInt32? {
        lead & 0xE0 == 0xC0 && trail & 0xC0 == 0x80 ? UInt32(lead & 0x1F) << 6 | UInt32(trail & 0x3F) : nil
    }

    private static func equal(_ wanted: Span<UInt8>, _ bytes: Span<UInt8>, _ start: Int, _ isCased: Bool) -> Bool {
        for index in 0..<wanted.count {
            let byte = bytes[start + index]
            guard byte == wanted[index] || (!isCased && foldedToLowerCase(byte) == wanted[index]) else { return false }
        }
        return true
    }
}

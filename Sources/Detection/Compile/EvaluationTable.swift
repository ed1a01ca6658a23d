import Events

/// Every rule's expression, laid out flat for the engine.
///
/// Trees of enums cost a reference count at every step; here an expression is a decision diagram: a run of predicates, each
/// of which says where to go on when it holds and when it does not. What joins them is gone by then, and of several parts
/// the cheap ones stand in front.
struct EvaluationTable: Sendable {
    /// A predicate and what follows from it: the place of another step, or how the expression comes out.
    struct Step: Sendable, BitwiseCopyable {
        var predicate: FlatPredicate
        var ifTrue: Int32
        var ifFalse: Int32
    }

    static let timeSubject: Int32 = -2
    static let truth: Int32 = -1
    static let falsehood: Int32 = -2

    enum Kind: UInt8, Sendable, BitwiseCopyable {
        case literal, glob, regex, block, compare, exists, absent, isNull, field, timePart
    }

    struct FlatPredicate: Sendable, BitwiseCopyable {
        /// A field's number, -1 for the raw line, or -2 for the event's time.
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
    /// Literals one after the other, in lower case where letters do not count.
    private(set) var literals: [UInt8] = []
    private(set) var globs: [TextPattern] = []
    private(set) var blocks: [AddressBlock] = []

    /// Appends an expression; returns the place at which its evaluation begins, or how it always comes out.
    mutating func add(_ expression: Expression) -> Int32 {
        add(expression, ifTrue: EvaluationTable.truth, ifFalse: EvaluationTable.falsehood)
    }

    private mutating func add(_ expression: Expression, ifTrue: Int32, ifFalse: Int32) -> Int32 {
        switch expression {
        case .constant(let value): return value ? ifTrue : ifFalse
        case .not(let inner): return add(inner, ifTrue: ifFalse, ifFalse: ifTrue)
        case .all(let parts):
            // Each part has to know the one behind it.
            return EvaluationTable.byCost(parts).reversed().reduce(ifTrue) { add($1, ifTrue: $0, ifFalse: ifFalse) }
        case .any(let parts):
            return EvaluationTable.byCost(parts).reversed().reduce(ifFalse) { add($1, ifTrue: ifTrue, ifFalse: $0) }
        case .predicate(let predicate):
            steps.append(Step(predicate: flat(predicate), ifTrue: ifTrue, ifFalse: ifFalse))
            return Int32(steps.count - 1)
        }
    }

    /// The cheapest first; the order of those that cost the same stays.
    private static func byCost(_ parts: [Expression]) -> [Expression] {
        guard parts.count > 1 else { return parts }
        let costs = parts.map(cost)
        guard zip(costs, costs.dropFirst()).contains(where: { $0 > $1 }) else { return parts }
        return parts.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }.map { parts[$0] }
    }

    /// Roughly, in comparisons of a few bytes.
    private static func cost(_ expression: Expression) -> Int {
        switch expression {
        case .constant: return 0
        case .not(let inner): return cost(inner)
        case .all(let parts), .any(let parts): return parts.reduce(0) { $0 + cost($1) }
        case .predicate(let predicate):
            switch predicate.test {
            case .exists, .isNull: return 1
            case .text(let pattern):
                guard pattern.literal != nil else { return 16 }
                return pattern.anyBefore && pattern.anyAfter ? (predicate.subject == .line ? 32 : 8) : 2
            case .compare: return 2
            case .block, .field, .timePart: return 4
            case .regex: return 64
            }
        }
    }

    private mutating func flat(_ predicate: Predicate) -> FlatPredicate {
        let subject: Int32 =
            switch predicate.subject {
            case .line: -1
            case .time: EvaluationTable.timeSubject
            case .field(let field): Int32(field.rawValue)
            }
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
        case .field(let other, let anchor, let isCased):
            flat.kind = .field
            flat.isCased = isCased
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
            return EvaluationTable.contains(wanted, bytes, range, isCased)
        }
    }

    /// Sixteen places at a time: those at which both the first and the last byte fit are compared.
    private static func contains(_ wanted: Span<UInt8>, _ bytes: Span<UInt8>, _ range: Range<Int>, _ isCased: Bool) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        let last = range.upperBound - wanted.count
        // All letters alike: others may pass, too, and fail the comparison.
        let fold = SIMD16<UInt8>(repeating: 0x20)
        let head = SIMD16<UInt8>(repeating: wanted[0] | 0x20)
        let tail = SIMD16<UInt8>(repeating: wanted[wanted.count - 1] | 0x20)
        let raw = unsafe bytes.bytes
        var place = range.lowerBound
        // The loads end at or before the end of the range.
        while last &- place >= 15 {
            let first = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: SIMD16<UInt8>.self)
            let end = unsafe raw.unsafeLoadUnaligned(
                fromUncheckedByteOffset: place &+ wanted.count &- 1, as: SIMD16<UInt8>.self)
            let fits = ((first | fold) .== head) .& ((end | fold) .== tail)
            let words = unsafe unsafeBitCast(fits, to: SIMD2<UInt64>.self)
            if words[0] | words[1] != 0 {
                for half in 0..<2 {
                    // One bit for each byte.
                    var found = UInt64(littleEndian: words[half]) & 0x8080_8080_8080_8080
                    while found != 0 {
                        if equal(wanted, bytes, place &+ half &* 8 &+ found.trailingZeroBitCount / 8, isCased) { return true }
                        found &= found &- 1
                    }
                }
            }
            place &+= 16
        }
        while place <= last {
            if bytes[place] | 0x20 == wanted[0] | 0x20, equal(wanted, bytes, place, isCased) { return true }
            place &+= 1
        }
        return false
    }

    /// Whether one part of the text stands in another as `anchor` asks.
    static func holds(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ anchor: TextPattern.Anchor, _ wanted: Range<Int>, isCased: Bool
    ) -> Bool {
        guard range.count >= wanted.count else { return false }
        let last = range.upperBound - wanted.count
        switch anchor {
        case .equals: return range.count == wanted.count && stands(bytes, wanted, at: last, isCased)
        case .startsWith: return stands(bytes, wanted, at: range.lowerBound, isCased)
        case .endsWith: return stands(bytes, wanted, at: last, isCased)
        case .contains:
            for start in range.lowerBound...last where stands(bytes, wanted, at: start, isCased) { return true }
            return false
        }
    }

    private static func stands(_ bytes: Span<UInt8>, _ wanted: Range<Int>, at start: Int, _ isCased: Bool) -> Bool {
        var offset = 0
        while offset < wanted.count {
            let byte = bytes[start + offset]
            let other = bytes[wanted.lowerBound + offset]
            if isCased {
                guard byte == other else { return false }
                offset += 1
                continue
            }
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

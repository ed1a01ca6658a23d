extension RegexParser {
    /// What follows an opening bracket at `start`, up to its closing bracket.
    mutating func parseClass(from start: Int) throws(RegexError) -> UnitSet {
        if let (name, _, end) = posixName(), UnitSet(posix: name) != nil {
            // `[:alpha:]` alone would silently mean the characters “:”, “a”, “l”…
            position = end
            throw error(.badClass, from: start)
        }
        let negated = take("^")
        var set = UnitSet()
        var isFirst = true
        while true {
            guard let scalar = peek else { throw RegexError(.unbalancedClass, at: offset(start), construct: "[") }
            if scalar == "]", !isFirst { break }
            isFirst = false
            set = set.union(try parseClassItem())
        }
        position += 1
        if options.contains(.caseInsensitive) { set = set.folded }
        return negated ? set.inverted : set
    }

    /// One member: a character, a range, an escape or a POSIX class.
    private mutating func parseClassItem() throws(RegexError) -> UnitSet {
        let start = position
        let low = try parseClassMember()
        // A hyphen is a range unless it stands first or last.
        guard peek == "-", let after = peek(1), after != "]" else { return Self.set(low) }
        position += 1
        let high = try parseClassMember()
        switch (low, high) {
        case (.unit(let low), .unit(let high)) where low <= high:
            return UnitSet([.init(low: low, high: high)])
        case (.unit(let low), .byte(let high)) where low <= UInt32(high):
            return Self.set(low, high)
        case (.byte(let low), .byte(let high)) where low <= high:
            return Self.set(UInt32(low), high)
        case (.byte(let low), .unit(let high)) where UInt32(low) <= high:
            // The end is a scalar, so only scalars are meant.
            return UnitSet([.init(low: UInt32(low), high: high)])
        default:
            throw error(.badClass, from: start)
        }
    }

    private mutating func parseClassMember() throws(RegexError) -> Escaped {
        let start = position
        guard let scalar = next() else { throw error(.unbalancedClass, from: start) }
        switch scalar {
        case "\\":
            switch peek {
            case "b":
                position += 1
                return .unit(0x08)
            case "B", "A", "Z", "z", "Q", "E":
                position += 1
                throw error(.badEscape, from: start)
            case ("1"..."9")?:
                // Octal in some engines, a control character in others.
                position += 1
                throw error(.badEscape, from: start)
            default:
                return try parseEscaped(from: start)
            }
        case "[":
            if let (name, negated, end) = posixName() {
                position = end
                guard let set = UnitSet(posix: name) else { throw error(.badClass, from: start) }
                return .set(negated ? set.inverted : set)
            }
            if peek == "." || peek == "=" { throw error(.badClass, from: start) }
            return .unit(scalar.value)
        default:
            return .unit(scalar.value)
        }
    }

    /// `:name:]` or `:^name:]` at the reading position, which does not move; `end` is behind the bracket.
    private func posixName() -> (name: String, negated: Bool, end: Int)? {
        var scan = self
        guard scan.take(":") else { return nil }
        let negated = scan.take("^")
        let first = scan.position
        while let scalar = scan.peek, ("a"..."z").contains(scalar) { scan.position += 1 }
        let name = text(first, scan.position)
        guard !name.isEmpty, scan.take(":"), scan.take("]") else { return nil }
        return (name, negated, scan.position)
    }

    private static func set(_ escaped: Escaped) -> UnitSet {
        switch escaped {
        case .unit(let unit): UnitSet(unit)
        case .byte(let byte): set(byte)
        case .set(let set): set
        }
    }

    /// A range that ends in `\xHH`: the scalars, and the stray bytes from 0x80 up.
    private static func set(_ low: UInt32, _ high: UInt8) -> UnitSet {
        UnitSet([
            .init(low: low, high: UInt32(high)),
            .init(low: UnitSet.raw(UInt8(max(low, 0x80))), high: UnitSet.raw(high)),
        ])
    }
}

/// Reads a pattern into a tree: recursive descent, one level of recursion per group.
struct RegexParser {
    /// A piece of the tree with the number of automaton states that it will need.
    struct Piece {
        var node: RegexNode
        var states: Int
    }

    let scalars: [Unicode.Scalar]
    /// The byte offset of each scalar, and of the end.
    private let offsets: [Int]
    var position = 0
    var options: BoundedRegex.Options
    var depth = 0

    init(_ pattern: String, options: BoundedRegex.Options) throws(RegexError) {
        let length = pattern.utf8.count
        guard length <= BoundedRegex.maximumPatternBytes else {
            throw RegexError(.tooLarge, at: BoundedRegex.maximumPatternBytes, construct: "\(length) bytes")
        }
        var offsets: [Int] = []
        var offset = 0
        for scalar in pattern.unicodeScalars {
            offsets.append(offset)
            offset += UTF8.width(scalar)
        }
        offsets.append(offset)
        self.scalars = Array(pattern.unicodeScalars)
        self.offsets = offsets
        self.options = options
    }

    mutating func parse() throws(RegexError) -> RegexNode {
        let tree = try parseAlternation().node
        // An alternation ends at the end of the pattern or before a parenthesis that no group has opened.
        guard peek == nil else { throw error(.unbalancedGroup, from: position) }
        return tree
    }

    /// The branches up to the end of the group or of the pattern.
    mutating func parseAlternation() throws(RegexError) -> Piece {
        let start = position
        var branches: [RegexNode] = []
        var states = 0
        while true {
            let branch = try parseConcatenation()
            branches.append(branch.node)
            states += branch.states + 1
            guard states - 1 <= BoundedRegex.maximumStates else { throw error(.tooLarge, from: start) }
            guard take("|") else { break }
        }
        return Piece(node: RegexNode(alternation: branches), states: states - 1)
    }

    private mutating func parseConcatenation() throws(RegexError) -> Piece {
        var parts: [RegexNode] = []
        var states = 0
        while let next = peek, next != "|", next != ")" {
            let start = position
            guard var piece = try parseAtom() else { continue }
            piece = try parseRepeat(of: piece, from: start)
            parts.append(piece.node)
            states += piece.states
            guard states <= BoundedRegex.maximumStates else { throw error(.tooLarge, from: start) }
        }
        return Piece(node: RegexNode(concatenation: parts), states: states)
    }

    /// One repeatable thing; `nil` for what stands for nothing itself: a comment or flags for the rest of the group.
    private mutating func parseAtom() throws(RegexError) -> Piece? {
        let start = position
        guard let scalar = next() else { return nil }
        switch scalar {
        case "(":
            return try parseGroup(from: start)
        case "[":
            return Piece(node: .set(try parseClass(from: start)), states: 1)
        case "\\":
            return try parseEscape(from: start)
        case ".":
            let set = options.contains(.dotMatchesNewline) ? UnitSet.everything : UnitSet.newline.inverted
            return Piece(node: .set(set), states: 1)
        case "^":
            return look(options.contains(.multiline) ? .lineStart : .textStart)
        case "$":
            return look(options.contains(.multiline) ? .lineEnd : .textEndOrFinalNewline)
        case "*", "+", "?":
            throw error(.nothingToRepeat, from: start)
        case "{":
            position = start
            if try parseCounts() != nil { throw error(.nothingToRepeat, from: start) }
            position = start + 1
            return literal(scalar.value)
        default:
            return literal(scalar.value)
        }
    }

    func look(_ look: RegexLook) -> Piece {
        Piece(node: .look(look), states: 1)
    }

    func literal(_ unit: UInt32) -> Piece {
        literal(UnitSet(unit))
    }

    func literal(_ set: UnitSet) -> Piece {
        Piece(node: .set(options.contains(.caseInsensitive) ? set.folded : set), states: 1)
    }
}

// MARK: - Reading scalars

extension RegexParser {
    var peek: Unicode.Scalar? {
        position < scalars.count ? scalars[position] : nil
    }

    func peek(_ ahead: Int) -> Unicode.Scalar? {
        position + ahead < scalars.count ? scalars[position + ahead] : nil
    }

    mutating func next() -> Unicode.Scalar? {
        guard let scalar = peek else { return nil }
        position += 1
        return scalar
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    /// The byte offset of a scalar.
    func offset(_ position: Int) -> Int {
        offsets[min(position, scalars.count)]
    }

    func text(_ start: Int, _ end: Int) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[start..<min(end, scalars.count)].prefix(40))
        return String(text)
    }

    /// An error about what stands from `start` to the reading position, at least one character.
    func error(_ code: RegexError.Code, from start: Int) -> RegexError {
        RegexError(code, at: offset(start), construct: text(start, max(position, start + 1)))
    }
}

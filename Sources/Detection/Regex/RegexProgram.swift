/// A compiled pattern: a Thompson automaton over classes of units. Immutable and shared by all matchers of a regex.
final class RegexProgram: Sendable {
    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            /// Consumes a unit of the set `argument`, goes to `next`.
            case set
            /// Goes to `next` and to `argument`.
            case fork
            /// Goes to `next` if the look with raw value `argument` holds here.
            case look
            case match
        }

        var kind: Kind
        var argument: Int32
        var next: Int32
        /// The chain that the node belongs to, or -1; see ``RegexProgram/Chain``.
        var chain: Int32
    }

    /// Copies of one single-unit repeat, of which one covers all others.
    ///
    /// In `x{100,}`, whoever has seen 60 of the `x` accepts all that one who has seen 50 accepts, so the latter can be
    /// dropped from a set of states; in `x{0,100}` it is the other way round. Without this, a scan for `.{1000,}` would
    /// carry up to a thousand states.
    enum Chain: Sendable {
        case keepsLowest
        case keepsHighest
    }

    /// What stands before a place: a set of these bits.
    enum Context {
        static let start: UInt8 = 1
        static let newline: UInt8 = 2
        static let word: UInt8 = 4
    }

    let nodes: [Node]
    let start: Int32
    let chains: [Chain]
    let classes: UnitClasses
    /// Whether the pattern tells a line feed that ends the input from others.
    let knowsFinalNewline: Bool
    /// Whether a match may begin behind a line feed though none can begin at the place before it.
    let mayBeginLater: Bool
    /// For each class, the context of the place behind it, reduced to what the pattern asks for.
    let contexts: [UInt8]
    private let wordsPerSet: Int
    /// Bit `column` of set `s` is set if the set holds that class.
    private let members: [UInt64]

    init?(nodes: [Node], start: Int32, chains: [Chain], sets: [UnitSet]) {
        let looks = Set(nodes.filter { $0.kind == .look }.compactMap { RegexLook(rawValue: UInt8($0.argument)) })
        let asksForWords = !looks.isDisjoint(with: [.wordBoundary, .notWordBoundary])
        // \Z looks for a line feed at the end; only the line looks ask what stands before.
        let asksForLines = !looks.isDisjoint(with: [.lineStart, .lineEnd, .textEndOrFinalNewline])
        var separated = sets
        if asksForWords { separated.append(.word) }
        if asksForLines { separated.append(.newline) }
        guard let classes = UnitClasses(separating: separated) else { return nil }
        guard sets.count * classes.columns <= 4_000_000 else { return nil }

        self.nodes = nodes
        self.start = start
        self.chains = chains
        self.classes = classes
        self.knowsFinalNewline = looks.contains(.textEndOrFinalNewline)
        self.mayBeginLater = looks.contains(.lineStart)
        var contexts = classes.representatives.indices.map { column -> UInt8 in
            guard column > 0 else { return 0 }
            let unit = classes.representatives[column]
            return (asksForWords && UnitSet.word.contains(unit) ? Context.word : 0)
                | (asksForLines && unit == 0x0A ? Context.newline : 0)
        }
        contexts.append(asksForLines ? Context.newline : 0)  // the final line feed
        contexts.append(0)  // the end
        self.contexts = contexts

        wordsPerSet = (classes.columns + 63) / 64
        var members = [UInt64](repeating: 0, count: wordsPerSet * sets.count)
        for (index, set) in sets.enumerated() {
            for column in classes.representatives.indices.dropFirst()
            where set.contains(classes.representatives[column]) {
                members[index * wordsPerSet + column / 64] |= 1 << UInt64(column % 64)
            }
            if set.contains(0x0A) {
                members[index * wordsPerSet + classes.finalNewline / 64] |= 1 << UInt64(classes.finalNewline % 64)
            }
        }
        self.members = members
    }

    /// Whether a set holds the units of a column.
    @inline(__always)
    func set(_ set: Int32, holds column: Int) -> Bool {
        members[Int(set) * wordsPerSet + column / 64] >> UInt64(column % 64) & 1 == 1
    }

    /// Whether a look holds at a place.
    ///
    /// - Parameters:
    ///   - context: what stands before the place.
    ///   - column: the class of the unit behind it; `nil` when that is not read yet.
    /// - Returns: `nil` when the answer depends on the unit that is not read yet.
    func holds(_ look: RegexLook, context: UInt8, ahead column: Int?) -> Bool? {
        switch look {
        case .textStart: return context & Context.start != 0
        case .lineStart: return context & (Context.start | Context.newline) != 0
        default: break
        }
        guard let column else { return nil }
        let ahead = contexts[column]
        switch look {
        case .textStart, .lineStart: return false
        case .textEnd: return column == classes.end
        case .textEndOrFinalNewline: return column == classes.end || column == classes.finalNewline
        case .lineEnd: return column == classes.end || ahead & Context.newline != 0
        case .wordBoundary: return (context ^ ahead) & Context.word != 0
        case .notWordBoundary: return (context ^ ahead) & Context.word == 0
        }
    }
}

import Events

/// The rules that concern one log source, indexed by what they need. Immutable; a class, so that using it costs no copy.
final class Program: Sendable {
    /// What is looked for in the values of one field, or in the raw line.
    struct Slot: Sendable {
        var subject: Predicate.Subject
        /// Finds rules' witnesses, and literals without which a regular expression cannot match.
        var literals: LiteralIndex
        var sieves: [Sieve] = []
    }

    /// Regular expressions of one field, tried together: when none of them matches, none needs to be tried by itself.
    struct Sieve: Sendable {
        var regex: BoundedRegex
        var regexes: [Int32]
    }

    let slots: [Slot]
    /// By field: its slot, or -1 where no rule looks for anything.
    let slotOfField: [Int16]
    /// The raw line's slot, or -1.
    let lineSlot: Int16
    /// Rules without a witness.
    let always: [Int32]
    /// Regular expressions that are tried only where a condition asks for them: they have no literals, and the rules that
    /// use them have a rare witness.
    let isLate: [Bool]
    /// Regular expression `n` is the witness of `witnessed[witnessedStart[n]..<witnessedStart[n + 1]]`.
    let witnessedStart: [Int32]
    let witnessed: [Int32]

    init(_ ruleSet: RuleSet, for source: LogSource) {
        var literals: [Predicate.Subject: [(literal: LiteralIndex.Literal, output: Int32)]] = [:]
        var patterns: [Predicate.Subject: [Int]] = [:]
        var always: [Int32] = []
        var isLate = [Bool](repeating: false, count: ruleSet.regexes.count)
        var witnessed: [Int: [Int32]] = [:]
        for (index, rule) in ruleSet.rules.enumerated() where rule.applies(to: source) {
            // An expression is tried only on values in which one of its literals was seen, or that its sieve let through.
            for pattern in rule.expression.regexes {
                let required = ruleSet.regexes[pattern.regex].searchableLiterals
                if required.isEmpty {
                    if let witness = rule.witness, witness.isRare, !witness.patterns.contains(pattern) {
                        isLate[pattern.regex] = true
                    } else {
                        patterns[pattern.subject, default: []].append(pattern.regex)
                    }
                }
                for literal in required {
                    literals[pattern.subject, default: []].append(
                        (LiteralIndex.Literal(bytes: literal, anchor: .contains), Program.output(regex: pattern.regex)))
                }
            }
            guard let witness = rule.witness else {
                always.append(Int32(index))
                continue
            }
            for literal in witness.literals { literals[literal.subject, default: []].append((literal.literal, Int32(index))) }
            for pattern in witness.patterns { witnessed[pattern.regex, default: []].append(Int32(index)) }
        }
        self.always = always
        self.isLate = isLate
        let subjects = Set(literals.keys).union(patterns.keys).sorted { $0.order < $1.order }
        slots = subjects.map { subject in
            Slot(
                subject: subject, literals: LiteralIndex(literals[subject] ?? []),
                sieves: patterns[subject].map { Program.sieves(Set($0).sorted(), ruleSet.regexes) } ?? [])
        }
        var slotOfField = [Int16](repeating: -1, count: ruleSet.fields.count)
        var lineSlot: Int16 = -1
        for (index, subject) in subjects.enumerated() {
            switch subject {
            case .line: lineSlot = Int16(index)
            case .field(let field): slotOfField[Int(field.rawValue)] = Int16(index)
            }
        }
        self.slotOfField = slotOfField
        self.lineSlot = lineSlot
        var starts: [Int32] = [0]
        var flat: [Int32] = []
        for regex in ruleSet.regexes.indices {
            flat.append(contentsOf: witnessed[regex] ?? [])
            starts.append(Int32(flat.count))
        }
        witnessedStart = starts
        self.witnessed = flat
    }

    /// One sieve if the expressions fit into one, else as many as are needed.
    private static func sieves(_ patterns: [Int], _ regexes: [BoundedRegex]) -> [Sieve] {
        // One by itself has compiled before; only several together can be too large.
        let joined =
            patterns.count == 1
            ? regexes[patterns[0]]
            : try? BoundedRegex(patterns.map { regexes[$0].asGroup }.joined(separator: "|"), findsLiterals: false)
        if let joined { return [Sieve(regex: joined, regexes: patterns.map(Int32.init))] }
        let middle = patterns.count / 2
        return sieves(Array(patterns[..<middle]), regexes) + sieves(Array(patterns[middle...]), regexes)
    }
}

extension Program {
    /// Automata report rules as they are, regular expressions as the negative numbers from -1 down.
    static func output(regex: Int) -> Int32 { -1 - Int32(regex) }

    /// The regular expression that a negative output stands for.
    static func regex(_ output: Int32) -> Int { Int(-1 - output) }
}

extension Predicate.Subject {
    /// A fixed order: the line, then fields by number.
    fileprivate var order: Int {
        switch self {
        case .line: -1
        case .field(let field): Int(field.rawValue)
        }
    }
}

extension Expression {
    /// Every regular expression in it.
    fileprivate var regexes: [Witness.Pattern] {
        switch self {
        case .constant: []
        case .not(let inner): inner.regexes
        case .all(let parts), .any(let parts): parts.flatMap(\.regexes)
        case .predicate(let predicate):
            if case .regex(let index) = predicate.test { [Witness.Pattern(subject: predicate.subject, regex: index)] } else { [] }
        }
    }
}

extension BoundedRegex {
    /// The required literals, if all of them are long enough to be worth looking for.
    var searchableLiterals: [[UInt8]] {
        let required = requiredLiterals ?? []
        return required.allSatisfy { $0.count >= Witness.minimumLiteralBytes } ? required : []
    }

    /// The pattern with its options, fit to stand inside another.
    fileprivate var asGroup: String {
        var flags = ""
        if options.contains(.caseInsensitive) { flags += "i" }
        if options.contains(.multiline) { flags += "m" }
        if options.contains(.dotMatchesNewline) { flags += "s" }
        return "(?\(flags):\(pattern))"
    }
}

/// Where events come from, as small numbers; grows with sources and rotations.
struct OriginTable: Sendable {
    private(set) var origins: [BatchOrigin] = []
    private var indices: [BatchOrigin: Int32] = [:]
    /// The one asked for last: most events come from where the event before came from.
    private var last: Int32 = 0

    init(_ origins: [BatchOrigin] = []) {
        for origin in origins { _ = index(of: origin) }
    }

    subscript(_ index: Int32) -> BatchOrigin { origins[Int(index)] }

    mutating func index(of origin: BatchOrigin) -> Int32 {
        if Int(last) < origins.count, origins[Int(last)] == origin { return last }
        if let known = indices[origin] {
            last = known
            return known
        }
        origins.append(origin)
        last = Int32(origins.count - 1)
        indices[origin] = last
        return last
    }
}

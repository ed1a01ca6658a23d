import Events

/// The rules that concern one log source, indexed by what they need. Immutable; a class, so that using it costs no copy.
final class Program: Sendable {
    /// What is looked for in the values of one field, or in the raw line.
    struct Slot: Sendable {
        var subject: Predicate.Subject
        /// Finds rules' witnesses, and literals without which a regular expression cannot match.
        var literals: LiteralIndex
        var sieves: [Sieve] = []
        var gauge = ValueGauge()
    }

    /// Regular expressions of one field, tried together: when none of them matches, none needs to be tried by itself. Each
    /// sieve is followed by those of its two halves, down to single expressions.
    struct Sieve: Sendable {
        var regex: BoundedRegex
        /// The expression, where it is one by itself.
        var sole: Int?
        /// The place behind the last sieve of its halves.
        var end: Int
    }

    let slots: [Slot]
    /// Of fields in which nothing is looked for: rules ask for numbers, addresses or their presence only.
    let gauges: [ValueGauge]
    /// By field: its slot; -1 where no rule looks for anything; from -2 down the places in `gauges`.
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
        var measured: [FieldID: ValueGauge] = [:]
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
            for bound in witness.bounds {
                measured[bound.field, default: ValueGauge()].bounds.append(
                    ValueGauge.Bound(comparison: bound.comparison, number: bound.number, rule: Int32(index)))
            }
            for field in witness.fields { measured[field, default: ValueGauge()].present.append(Int32(index)) }
            for block in witness.blocks {
                measured[block.field, default: ValueGauge()].blocks.append(
                    ValueGauge.Block(block: block.block, rule: Int32(index)))
            }
        }
        self.always = always
        self.isLate = isLate
        let subjects = Set(literals.keys).union(patterns.keys).sorted { $0.order < $1.order }
        slots = subjects.map { subject in
            Slot(
                subject: subject, literals: LiteralIndex(literals[subject] ?? []),
                sieves: patterns[subject].map { Program.sieves(Set($0).sorted(), ruleSet.regexes, from: 0) } ?? [],
                gauge: subject.field.flatMap { measured.removeValue(forKey: $0) } ?? ValueGauge())
        }
        let others = measured.sorted { $0.key.rawValue < $1.key.rawValue }
        gauges = others.map(\.value)
        var slotOfField = [Int16](repeating: -1, count: ruleSet.fields.count)
        var lineSlot: Int16 = -1
        for (index, subject) in subjects.enumerated() {
            switch subject {
            case .line: lineSlot = Int16(index)
            // Nothing is looked for in it.
            case .time: break
            case .field(let field): slotOfField[Int(field.rawValue)] = Int16(index)
            }
        }
        for (index, gauge) in others.enumerated() { slotOfField[Int(gauge.key.rawValue)] = Int16(-2 - index) }
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

    /// The sieves of these expressions, the first of which stands at `start`.
    private static func sieves(_ patterns: [Int], _ regexes: [BoundedRegex], from start: Int) -> [Sieve] {
        if patterns.count == 1 {
            // Nothing to sift: it is tried itself.
            return [Sieve(regex: regexes[patterns[0]], sole: patterns[0], end: start + 1)]
        }
        // Each has compiled by itself before; several together can be too large.
        let joined = try? BoundedRegex(patterns.map { regexes[$0].asGroup }.joined(separator: "|"), findsLiterals: false)
        let middle = patterns.count / 2
        let first = start + (joined == nil ? 0 : 1)
        var halves = sieves(Array(patterns[..<middle]), regexes, from: first)
        halves += sieves(Array(patterns[middle...]), regexes, from: first + halves.count)
        guard let joined else { return halves }
        return [Sieve(regex: joined, sole: nil, end: first + halves.count)] + halves
    }
}

extension Program {
    /// Automata report rules as they are, regular expressions as the negative numbers from -1 down.
    static func output(regex: Int) -> Int32 { -1 - Int32(regex) }

    /// The regular expression that a negative output stands for.
    static func regex(_ output: Int32) -> Int { Int(-1 - output) }
}

extension Predicate.Subject {
    fileprivate var field: FieldID? {
        if case .field(let field) = self { field } else { nil }
    }

    /// A fixed order: the line, then fields by number.
    fileprivate var order: Int {
        switch self {
        case .line: -1
        case .time: -2
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

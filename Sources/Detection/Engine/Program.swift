import Events

/// The rules that concern one log source, indexed by what they need. Immutable; a class, so that using it costs no copy.
final class Program: Sendable {
    /// One pass over a field's values.
    struct Scanner: Sendable {
        var subject: Predicate.Subject
        var automaton: LiteralAutomaton
    }

    /// Regular expressions of one field, tried together: when none of them matches, none of these rules can, and none of
    /// the expressions needs to be tried by itself.
    struct Sieve: Sendable {
        var subject: Predicate.Subject
        var regex: BoundedRegex
        var rules: [Int32]
        var regexes: [Int]
    }

    /// One automaton per field that a witness looks at.
    let scanners: [Scanner]
    let sieves: [Sieve]
    /// Rules without a witness.
    let always: [Int32]

    init(_ ruleSet: RuleSet, for source: LogSource) {
        var literals: [Predicate.Subject: [(bytes: [UInt8], output: Int32)]] = [:]
        var patterns: [Predicate.Subject: [(regex: Int, rule: Int32?)]] = [:]
        var always: [Int32] = []
        for (index, rule) in ruleSet.rules.enumerated() where rule.applies(to: source) {
            // Inside a candidate, too, an expression is tried only when one of its literals was seen, or its sieve let it through.
            for pattern in rule.expression.regexes {
                let required = ruleSet.regexes[pattern.regex].searchableLiterals
                if required.isEmpty { patterns[pattern.subject, default: []].append((pattern.regex, nil)) }
                for literal in required {
                    literals[pattern.subject, default: []].append((literal, Program.output(regex: pattern.regex)))
                }
            }
            guard let witness = rule.witness else {
                always.append(Int32(index))
                continue
            }
            for literal in witness.literals { literals[literal.subject, default: []].append((literal.bytes, Int32(index))) }
            for pattern in witness.patterns { patterns[pattern.subject, default: []].append((pattern.regex, Int32(index))) }
        }
        self.always = always
        scanners = literals.map { Scanner(subject: $0.key, automaton: LiteralAutomaton($0.value)) }
        sieves = patterns.flatMap { subject, patterns in
            Program.sieves(subject, patterns.sorted { $0.regex < $1.regex }, ruleSet.regexes)
        }
    }

    /// One sieve if the expressions fit into one, else as many as are needed.
    private static func sieves(
        _ subject: Predicate.Subject, _ patterns: [(regex: Int, rule: Int32?)], _ regexes: [BoundedRegex]
    ) -> [Sieve] {
        let distinct = Set(patterns.map(\.regex)).sorted()
        // One by itself has compiled before; only several together can be too large.
        let joined =
            distinct.count == 1
            ? regexes[distinct[0]]
            : try? BoundedRegex(distinct.map { regexes[$0].asGroup }.joined(separator: "|"), findsLiterals: false)
        if let joined {
            return [Sieve(subject: subject, regex: joined, rules: Set(patterns.compactMap(\.rule)).sorted(), regexes: distinct)]
        }
        let middle = patterns.count / 2
        return sieves(subject, Array(patterns[..<middle]), regexes) + sieves(subject, Array(patterns[middle...]), regexes)
    }
}

extension Program {
    /// Automata report rules as they are, regular expressions as the negative numbers from -1 down.
    static func output(regex: Int) -> Int32 { -1 - Int32(regex) }
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

    init(_ origins: [BatchOrigin] = []) {
        for origin in origins { _ = index(of: origin) }
    }

    subscript(_ index: Int32) -> BatchOrigin { origins[Int(index)] }

    mutating func index(of origin: BatchOrigin) -> Int32 {
        if let known = indices[origin] { return known }
        origins.append(origin)
        indices[origin] = Int32(origins.count - 1)
        return Int32(origins.count - 1)
    }
}

@testable import Detection

/// Makes small random patterns and inputs that have a fair chance to match each other.
struct RegexGenerator {
    private static let scalars: [Unicode.Scalar] = [
        "a", "b", "A", "B", "k", "_", "1", " ", "-", "\n", "é", "É", "ж", "Ж", "日", "😀",
    ]
    private static let words = ["union", "SELECT", "cmd", "Exe", "x9", "net"]
    var random: RegexRandom

    init(seed: UInt64) {
        random = RegexRandom(seed: seed)
    }

    mutating func chance(_ one: Int) -> Bool {
        Int.random(in: 0..<one, using: &random) == 0
    }

    private mutating func pick<T>(_ choices: [T]) -> T {
        choices[Int.random(in: 0..<choices.count, using: &random)]
    }

    mutating func options() -> BoundedRegex.Options {
        BoundedRegex.Options(rawValue: UInt8.random(in: 0..<8, using: &random))
    }

    mutating func input() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...10, using: &random) {
            if chance(12) {
                bytes.append(pick([0xE9, 0xC3, 0xE6, 0x97, 0xF0, 0xFF, 0x80]))
            } else if chance(6) {
                bytes += Array(pick(Self.words).utf8)
            } else {
                bytes += Array(String(pick(Self.scalars)).utf8)
            }
        }
        return bytes
    }

    mutating func node(depth: Int) -> OracleNode {
        switch Int.random(in: 0..<(depth == 0 ? 6 : 14), using: &random) {
        case 0...3: return unit()
        case 4: return .anchor(pick(["^", "$", #"\A"#, #"\z"#, #"\Z"#, #"\b"#, #"\B"#]))
        case 5: return .sequence(pick(Self.words).unicodeScalars.map { Self.literal($0) })
        case 6...8:
            return .sequence((0..<Int.random(in: 1...4, using: &random)).map { _ in node(depth: depth - 1) })
        case 9, 10:
            var branches = (0..<Int.random(in: 2...3, using: &random)).map { _ in node(depth: depth - 1) }
            if chance(4) { branches.append(.sequence([])) }
            return .choice(branches)
        case 11:
            let options = options()
            let flags = ["i", "m", "s"].enumerated().map { ($1, options.rawValue >> UInt8($0) & 1 == 1) }
            let on = flags.filter(\.1).map(\.0).joined()
            let off = flags.filter { !$0.1 }.map(\.0).joined()
            return .flags(on + (off.isEmpty ? "" : "-" + off), options, node(depth: depth - 1))
        default: return loop(of: chance(2) ? unit() : node(depth: depth - 1))
        }
    }

    /// Counted repeats of units that overlap, where the copies of one repeat are active at the same time.
    mutating func overlappingCounts() -> OracleNode {
        var parts: [OracleNode] = []
        for _ in 0..<Int.random(in: 2...4, using: &random) {
            parts.append(narrowUnit())
            parts.append(loop(of: narrowUnit()))
        }
        if chance(2) { parts.append(narrowUnit()) }
        if chance(3) { parts.append(.anchor("$")) }
        let sequence = OracleNode.sequence(parts)
        return chance(4) ? .loop(sequence, minimum: 2, maximum: 2, sign: "{2}") : sequence
    }

    /// An input for them: two letters, and now and then a third.
    mutating func narrowInput() -> [UInt8] {
        (0..<Int.random(in: 0...16, using: &random)).map { _ in chance(8) ? 0x63 : chance(2) ? 0x61 : 0x62 }
    }

    private mutating func narrowUnit() -> OracleNode {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .unit(text: "[ab]") { unit, _ in unit == .scalar("a") || unit == .scalar("b") }
        case 1: .unit(text: ".") { unit, _ in unit != .scalar("\n") }
        default: Self.literal(pick(["a", "b"]))
        }
    }

    private mutating func loop(of body: OracleNode) -> OracleNode {
        let lazy = chance(4) ? "?" : ""
        let low = Int.random(in: 0...4, using: &random)
        let high = low + Int.random(in: 0...3, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return .loop(body, minimum: 0, maximum: nil, sign: "*" + lazy)
        case 1: return .loop(body, minimum: 1, maximum: nil, sign: "+" + lazy)
        case 2: return .loop(body, minimum: 0, maximum: 1, sign: "?" + lazy)
        case 3: return .loop(body, minimum: low, maximum: nil, sign: "{\(low),}" + lazy)
        case 4: return .loop(body, minimum: low, maximum: low, sign: "{\(low)}" + lazy)
        default: return .loop(body, minimum: low, maximum: high, sign: "{\(low),\(high)}" + lazy)
        }
    }

    private mutating func unit() -> OracleNode {
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            return .unit(text: ".") { unit, options in
                options.contains(.dotMatchesNewline) || unit != .scalar("\n")
            }
        case 1: return .unit(text: #"\w"#) { unit, _ in unit.isWord }
        case 2: return .unit(text: #"\W"#) { unit, _ in !unit.isWord }
        case 3:
            return .unit(text: #"\xe9"#) { unit, options in
                unit == .byte(0xE9) || Self.holds("é", unit, options)
            }
        case 4, 5: return memberClass()
        default: return Self.literal(pick(Self.scalars))
        }
    }

    private mutating func memberClass() -> OracleNode {
        let members = (0..<Int.random(in: 1...3, using: &random)).map { _ in pick(Self.scalars) }
        let hasRange = chance(2)
        let negated = chance(3)
        let text = "[" + (negated ? "^" : "") + (hasRange ? "a-b" : "") + members.map(Self.escaped).joined() + "]"
        return .unit(text: text) { unit, options in
            let holds = (members + (hasRange ? ["a", "b"] : [])).contains { Self.holds($0, unit, options) }
            return holds != negated
        }
    }

    private static func literal(_ scalar: Unicode.Scalar) -> OracleNode {
        .unit(text: escaped(scalar)) { unit, options in holds(scalar, unit, options) }
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        scalar == "-" ? #"\-"# : scalar == "\n" ? #"\n"# : String(scalar)
    }

    private static func holds(_ scalar: Unicode.Scalar, _ unit: OracleUnit, _ options: BoundedRegex.Options) -> Bool {
        guard case .scalar(let other) = unit else { return false }
        return options.contains(.caseInsensitive)
            ? scalar.properties.lowercaseMapping == other.properties.lowercaseMapping : scalar == other
    }
}

@testable import Detection

/// A pattern and what it means, both made from the same tree: the oracle never reads the pattern's text.
///
/// Positions are tried one by one and sets of ends are computed from the definition, so it is slow and obvious.
indirect enum OracleNode {
    /// A unit; the text is how the pattern writes it.
    case unit(text: String, holds: @Sendable (OracleUnit, BoundedRegex.Options) -> Bool)
    case anchor(String)
    case sequence([OracleNode])
    case choice([OracleNode])
    case loop(OracleNode, minimum: Int, maximum: Int?, sign: String)
    case flags(String, BoundedRegex.Options, OracleNode)

    /// The pattern's text.
    var text: String {
        switch self {
        case .unit(let text, _): text
        case .anchor(let text): text
        case .sequence(let parts): parts.map(\.text).joined()
        case .choice(let branches): "(?:" + branches.map(\.text).joined(separator: "|") + ")"
        case .loop(.unit(let text, _), _, _, let sign): text + sign
        case .loop(let body, _, _, let sign): "(" + body.text + ")" + sign
        case .flags(let flags, _, let body): "(?\(flags):" + body.text + ")"
        }
    }
}

/// A scalar, or a byte that is part of none.
enum OracleUnit: Equatable {
    case scalar(Unicode.Scalar)
    case byte(UInt8)

    var isWord: Bool {
        guard case .scalar(let scalar) = self, scalar.isASCII else { return false }
        return scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
    }

    /// Splits an input, leaving the judgement on UTF-8 to the standard library.
    static func split(_ bytes: [UInt8]) -> [OracleUnit] {
        var units: [OracleUnit] = []
        var index = 0
        while index < bytes.count {
            let scalar = (1...4).lazy.compactMap { length -> (Unicode.Scalar, Int)? in
                guard index + length <= bytes.count,
                    let text = String(validating: bytes[index..<(index + length)], as: UTF8.self),
                    let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
                else { return nil }
                return (scalar, length)
            }.first
            if let (scalar, length) = scalar {
                units.append(.scalar(scalar))
                index += length
            } else {
                units.append(.byte(bytes[index]))
                index += 1
            }
        }
        return units
    }
}

struct Oracle {
    let units: [OracleUnit]

    init(_ bytes: [UInt8]) {
        units = OracleUnit.split(bytes)
    }

    func finds(_ node: OracleNode, _ options: BoundedRegex.Options) -> Bool {
        (0...units.count).contains { !ends(node, from: [$0], options).isEmpty }
    }

    /// Where a match of the node can end that begins at one of the places.
    private func ends(_ node: OracleNode, from starts: Set<Int>, _ options: BoundedRegex.Options) -> Set<Int> {
        switch node {
        case .unit(_, let holds):
            return Set(starts.filter { $0 < units.count && holds(units[$0], options) }.map { $0 + 1 })
        case .anchor(let text):
            return starts.filter { anchor(text, at: $0, options) }
        case .sequence(let parts):
            return parts.reduce(starts) { ends($1, from: $0, options) }
        case .choice(let branches):
            return branches.reduce(into: []) { $0.formUnion(ends($1, from: starts, options)) }
        case .loop(let body, let minimum, let maximum, _):
            var places = starts
            for _ in 0..<minimum { places = ends(body, from: places, options) }
            var all = places
            var count = minimum
            while maximum.map({ count < $0 }) ?? true {
                places = ends(body, from: places, options)
                if places.isSubset(of: all) { break }
                all.formUnion(places)
                count += 1
            }
            return all
        case .flags(_, let changed, let body):
            return ends(body, from: starts, changed)
        }
    }

    private func anchor(_ text: String, at place: Int, _ options: BoundedRegex.Options) -> Bool {
        let newline = OracleUnit.scalar("\n")
        let isStart = place == 0
        let isEnd = place == units.count
        let isFinal = isEnd || (place == units.count - 1 && units[place] == newline)
        let isWordBefore = !isStart && units[place - 1].isWord
        let isWordAfter = !isEnd && units[place].isWord
        switch text {
        case "^": return isStart || (options.contains(.multiline) && units[place - 1] == newline)
        case "$": return options.contains(.multiline) ? isEnd || units[place] == newline : isFinal
        case #"\A"#: return isStart
        case #"\z"#: return isEnd
        case #"\Z"#: return isFinal
        case #"\b"#: return isWordBefore != isWordAfter
        default: return isWordBefore == isWordAfter
        }
    }
}

/// The text of a line pattern, read into flat variants.
///
///     pattern      = *( literal / capture / alternatives )
///     capture      = "{" [ field ] [ ":" type ] "}"            no field: matched and forgotten
///     alternatives = "{" pattern 1*( "|" pattern ) "}"         `{x|}` is optional
///     literal      = any byte; "\" in front of { } | \ takes it literally
///
/// Alternatives are multiplied out, so that a variant is a plain sequence: matching one needs no stack and no backtracking.
struct PatternSyntax {
    /// A pattern that multiplies out to more is better written as several.
    static let maximumVariants = 64
    static let maximumElements = 64

    indirect enum Node: Equatable {
        case literal([UInt8])
        case capture(field: String?, kind: CaptureKind)
        case alternatives([[Node]])
    }

    enum Item: Equatable {
        case literal([UInt8])
        case capture(field: String?, kind: CaptureKind)
    }

    struct Failure: Error, Equatable {
        var reason: String
    }

    /// The variants of `text`, in the order in which they are tried.
    static func variants(_ text: String) throws(Failure) -> [[Item]] {
        var reader = PatternSyntax(bytes: Array(text.utf8))
        let nodes = try reader.sequence(isInner: false)
        let variants = try expand(nodes[...])
        for variant in variants { try check(variant) }
        return variants
    }

    private let bytes: [UInt8]
    private var index = 0

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func sequence(isInner: Bool) throws(Failure) -> [Node] {
        var nodes: [Node] = []
        var literal: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\\"), index + 1 < bytes.count, "{}|\\".utf8.contains(bytes[index + 1]) {
                literal.append(bytes[index + 1])
                index += 2
            } else if byte == UInt8(ascii: "{") {
                if !literal.isEmpty { nodes.append(.literal(literal)) }
                literal = []
                index += 1
                nodes.append(try braces())
            } else if byte == UInt8(ascii: "}") {
                guard isInner else { throw Failure(reason: "there is a } without its {; write \\} for the character itself") }
                break
            } else if byte == UInt8(ascii: "|"), isInner {
                break
            } else {
                literal.append(byte)
                index += 1
            }
        }
        if !literal.isEmpty { nodes.append(.literal(literal)) }
        return nodes
    }

    /// Behind `{`: a capture, or alternatives, which hold a `|` at their own depth.
    private mutating func braces() throws(Failure) -> Node {
        let start = index
        var branches: [[Node]] = []
        while true {
            branches.append(try sequence(isInner: true))
            guard index < bytes.count else { throw Failure(reason: "a { is not closed; write \\{ for the character itself") }
            index += 1
            if bytes[index - 1] == UInt8(ascii: "}") { break }
        }
        if branches.count > 1 { return .alternatives(branches) }
        return try capture(String(decoding: bytes[start..<index - 1], as: UTF8.self))
    }

    private func capture(_ text: String) throws(Failure) -> Node {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let field = parts.first.flatMap { $0.isEmpty ? nil : $0 }
        guard field != nil || parts.count == 2 else { throw Failure(reason: "{} names neither a field nor a type") }
        if let field, !field.utf8.allSatisfy(isFieldByte) {
            throw Failure(reason: "'\(field)' is no field name; write \\{ for the character itself")
        }
        return .capture(field: field, kind: try CaptureKind(parts.count == 2 ? parts[1] : nil, field: field))
    }

    private func isFieldByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26 || "._-@".utf8.contains(byte)
    }

    private static func expand(_ nodes: ArraySlice<Node>) throws(Failure) -> [[Item]] {
        var variants: [[Item]] = [[]]
        for node in nodes {
            var next: [[Item]] = []
            switch node {
            case .literal(let bytes): next = variants.map { joined($0, .literal(bytes)) }
            case .capture(let field, let kind): next = variants.map { joined($0, .capture(field: field, kind: kind)) }
            case .alternatives(let branches):
                var choices: [[Item]] = []
                for branch in branches { choices += try expand(branch[...]) }
                for variant in variants {
                    for choice in choices { next.append(choice.reduce(variant) { joined($0, $1) }) }
                }
            }
            guard next.count <= maximumVariants else {
                throw Failure(reason: "its alternatives multiply to more than \(maximumVariants); write several patterns")
            }
            variants = next
        }
        return variants
    }

    /// Neighbouring literals become one.
    private static func joined(_ items: [Item], _ item: Item) -> [Item] {
        if case .literal(let first)? = items.last, case .literal(let second) = item {
            return items.dropLast() + [.literal(first + second)]
        }
        return items + [item]
    }

    /// Where a free text ends has to be told by what is written behind it.
    private static func check(_ items: [Item]) throws(Failure) {
        guard items.count <= maximumElements else { throw Failure(reason: "it has more than \(maximumElements) parts") }
        for (index, item) in items.enumerated() {
            guard case .capture(let field, let kind) = item else { continue }
            let name = field ?? kind.description
            if index + 1 < items.count, case .capture(let following, let other) = items[index + 1] {
                guard kind.endsByItself else {
                    throw Failure(reason: "nothing stands between {\(name)} and {\(following ?? other.description)}")
                }
            }
            if kind == .rest, index != items.count - 1 { throw Failure(reason: "{\(name):rest} is not at the end; use text") }
        }
    }
}

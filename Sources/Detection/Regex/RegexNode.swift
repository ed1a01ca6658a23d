/// A condition on the place between two units.
enum RegexLook: UInt8, Sendable {
    case textStart
    case lineStart
    case textEnd
    /// At the end, or before a line feed that ends the input.
    case textEndOrFinalNewline
    case lineEnd
    case wordBoundary
    case notWordBoundary
}

/// A parsed pattern. Groups leave no trace: captures are not reported.
indirect enum RegexNode: Sendable {
    case empty
    case set(UnitSet)
    case look(RegexLook)
    case concatenation([RegexNode])
    case alternation([RegexNode])
    /// `maximum` `nil` is without end.
    case repetition(RegexNode, minimum: Int, maximum: Int?)
}

extension RegexNode {
    init(concatenation parts: [RegexNode]) {
        let parts = parts.filter { !$0.isEmpty }
        self =
            switch parts.count {
            case 0: .empty
            case 1: parts[0]
            default: .concatenation(parts)
            }
    }

    /// Branches that are single units become one set: `(?:a|[b-d])` is `[a-d]`.
    init(alternation branches: [RegexNode]) {
        var union: UnitSet? = UnitSet()
        for branch in branches {
            if case .set(let set) = branch { union = union?.union(set) } else { union = nil }
        }
        if branches.count == 1 {
            self = branches[0]
        } else if let union {
            self = .set(union)
        } else {
            self = .alternation(branches)
        }
    }

    var isEmpty: Bool {
        if case .empty = self { true } else { false }
    }

    var isSet: Bool {
        if case .set = self { true } else { false }
    }

    /// A pattern that is found in exactly the same inputs, but is smaller.
    ///
    /// A search asks only whether a match exists. What comes before and after it is free, so a repeat at either end
    /// needs no more than its minimum: `.*x+y{2,}` is found wherever `xyy` is found.
    var trimmedForSearch: RegexNode {
        trimmed(leading: true).trimmed(leading: false)
    }

    private func trimmed(leading: Bool) -> RegexNode {
        switch self {
        case .empty, .set, .look:
            return self
        case .concatenation(var parts):
            while let edge = leading ? parts.first : parts.last {
                let trimmed = edge.trimmed(leading: leading)
                let index = leading ? 0 : parts.count - 1
                if trimmed.isEmpty {
                    parts.remove(at: index)
                } else {
                    parts[index] = trimmed
                    break
                }
            }
            return RegexNode(concatenation: parts)
        case .alternation(let branches):
            let trimmed = branches.map { $0.trimmed(leading: leading) }
            // An empty branch is found everywhere, so the others add nothing.
            return trimmed.contains { $0.isEmpty } ? .empty : RegexNode(alternation: trimmed)
        case .repetition(let body, let minimum, _):
            switch minimum {
            case 0: return .empty
            case 1: return body.trimmed(leading: leading)
            default:
                // More of the same before a match is free as well, and a repeat without end needs fewer states at a
                // time than one with an exact count (see `RegexProgram.Chain`).
                let isOpen = leading && body.isSet
                return .repetition(body, minimum: minimum, maximum: isOpen ? nil : minimum)
            }
        }
    }
}

import Events
package import Journal

extension Condition {
    /// Whether the condition holds.
    ///
    /// - Parameter value: a variable's value; `nil` where it is not declared or not known. A comparison with what is not known does
    ///   not hold, negated or not (STIX 2.1 §9.6: no match without a value).
    package func holds(_ value: (String) -> JSONValue?) -> Bool {
        switch self {
        case .and(let left, let right): left.holds(value) && right.holds(value)
        case .or(let left, let right): left.holds(value) || right.holds(value)
        case .exists(let path, let isNegated): (path.resolve(value) != nil) != isNegated
        case .comparison(let comparison): comparison.holds(value)
        }
    }
}

extension Condition.Path {
    func resolve(_ value: (String) -> JSONValue?) -> JSONValue? {
        var found = value(variable)
        for member in members { found = found?[member] }
        return found == .null ? nil : found
    }
}

extension Condition.Comparison {
    fileprivate func holds(_ value: (String) -> JSONValue?) -> Bool {
        guard let left = path.resolve(value)?.variableText else { return false }
        let results = operands.map { operand in operand.text(value).map { compare(left, $0, operand) } }
        guard results.contains(where: { $0 != nil }) else { return false }
        return results.contains(true) != isNegated
    }

    private func compare(_ left: String, _ right: String, _ operand: Condition.Operand) -> Bool {
        switch operation {
        case .equal, .isIn: isEqual(left, right, operand)
        case .notEqual: !isEqual(left, right, operand)
        case .less: order(left, right).map { $0 < 0 } ?? false
        case .lessOrEqual: order(left, right).map { $0 <= 0 } ?? false
        case .greater: order(left, right).map { $0 > 0 } ?? false
        case .greaterOrEqual: order(left, right).map { $0 >= 0 } ?? false
        case .like: Self.isLike(Array(left.utf8), Array(right.utf8))
        case .isSubset: Self.contains(right, left)
        case .isSuperset: Self.contains(left, right)
        }
    }

    /// Numbers compare as numbers where the condition writes one; texts byte by byte.
    private func isEqual(_ left: String, _ right: String, _ operand: Condition.Operand) -> Bool {
        if case .number(let number) = operand { return Double(left) == number }
        if case .bool = operand { return left.lowercased() == right }
        return left.utf8.elementsEqual(right.utf8)
    }

    private func order(_ left: String, _ right: String) -> Int? {
        if let first = Double(left), let second = Double(right) { return first < second ? -1 : first > second ? 1 : 0 }
        if left.utf8.elementsEqual(right.utf8) { return 0 }
        return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }

    /// SQL's LIKE: `%` any characters, `_` one byte. Greedy with one way back: linear in text times pattern.
    static func isLike(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        var place = 0
        var wanted = 0
        var star: (pattern: Int, text: Int)?
        while place < text.count {
            if wanted < pattern.count, pattern[wanted] == UInt8(ascii: "%") {
                star = (wanted, place)
                wanted += 1
            } else if wanted < pattern.count, pattern[wanted] == UInt8(ascii: "_") || pattern[wanted] == text[place] {
                wanted += 1
                place += 1
            } else if let (back, from) = star {
                star = (back, from + 1)
                wanted = back + 1
                place = from + 1
            } else {
                return false
            }
        }
        return pattern[wanted...].allSatisfy { $0 == UInt8(ascii: "%") }
    }

    /// Whether the network `outer` has all of the network or address `inner` (STIX 2.1 §9.7).
    static func contains(_ outer: String, _ inner: String) -> Bool {
        guard let network = AddressBlock(outer), let part = AddressBlock(inner) else { return false }
        return part.bits >= network.bits && network.contains(part.base)
    }
}

extension Condition.Operand {
    fileprivate func text(_ value: (String) -> JSONValue?) -> String? {
        switch self {
        case .text(let text): VariableUse.substitute(in: text) { value($0)?.variableText }
        case .number(let number): "\(number)"
        case .bool(let isTrue): isTrue ? "true" : "false"
        case .path(let path): path.resolve(value)?.variableText
        }
    }
}

extension VariableUse {
    /// The text with every use replaced; `nil` where a value is not known.
    package static func substitute(in text: String, _ value: (String) throws -> String?) rethrows -> String? {
        let uses = all(in: text)
        guard !uses.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        for use in uses {
            guard let replacement = try value(use.name) else { return nil }
            result += bytes[index..<use.range.lowerBound]
            result += replacement.utf8
            index = use.range.upperBound
        }
        result += bytes[index...]
        return String(decoding: result, as: UTF8.self)
    }
}

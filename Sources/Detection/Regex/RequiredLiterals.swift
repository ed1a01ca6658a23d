/// What a tree says about the literals in its matches; ASCII, lower-cased.
///
/// Each value stands for “every match is / begins with / ends with / contains one of these”. An empty literal says
/// nothing. Sound for letter case too, because no letter outside ASCII folds into ASCII.
struct RequiredLiterals {
    private static let maximumCount = 32
    private static let maximumLength = 24
    /// A class of more characters than this is not written out: it makes more literals than it is worth. The second
    /// value is tried where the first leaves nothing of three bytes.
    private static let smallClass = 4
    private static let largeClass = 16

    /// All matches; `nil` if they are too many or not ASCII.
    private var exact: Set<[UInt8]>?
    private var prefixes: Set<[UInt8]> = [[]]
    private var suffixes: Set<[UInt8]> = [[]]
    /// The best of the sets found so far; `nil` for none.
    private var best: Set<[UInt8]>?

    /// The literals of a tree that are worth looking for: none shorter than two bytes, none that contains another.
    static func useful(_ tree: RegexNode) -> [[UInt8]]? {
        let narrow = RequiredLiterals(tree, maximumClass: smallClass)
        guard narrow.shortest < 3 else { return narrow.minimal }
        let wide = RequiredLiterals(tree, maximumClass: largeClass)
        return (wide.shortest > narrow.shortest ? wide : narrow).minimal
    }

    private var shortest: Int { best?.map(\.count).min() ?? 0 }

    private var minimal: [[UInt8]]? {
        guard let best, shortest >= 2 else { return nil }
        let kept = best.filter { literal in
            !best.contains { other in other != literal && Self.contains(literal, other) }
        }
        return kept.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private init(_ tree: RegexNode, maximumClass: Int) {
        switch tree {
        case .empty, .look:
            self.init(exact: [[]])
        case .set(let set):
            self.init(set, maximumClass: maximumClass)
        case .concatenation(let parts):
            self = parts.dropFirst().reduce(RequiredLiterals(parts[0], maximumClass: maximumClass)) {
                $0.followed(by: RequiredLiterals($1, maximumClass: maximumClass))
            }
        case .alternation(let branches):
            self = branches.dropFirst().reduce(RequiredLiterals(branches[0], maximumClass: maximumClass)) {
                $0.or(RequiredLiterals($1, maximumClass: maximumClass))
            }
        case .repetition(let body, 0, 1):
            self = RequiredLiterals(body, maximumClass: maximumClass).or(RequiredLiterals(exact: [[]]))
        case .repetition(_, 0, _):
            self.init()
        case .repetition(let body, let minimum, let maximum):
            // Eight copies say as much as any number does, and bound the work.
            let one = RequiredLiterals(body, maximumClass: maximumClass)
            self = (1..<max(1, min(minimum, 8))).reduce(one) { all, _ in all.followed(by: one) }
            if maximum != minimum || minimum > 8 { exact = nil }
        }
    }

    private init() {}

    private init(exact: Set<[UInt8]>) {
        self.exact = exact
        prefixes = exact
        suffixes = exact
        best = exact
    }

    private init(_ set: UnitSet, maximumClass: Int) {
        self.init()
        guard !set.isEmpty, set.count <= maximumClass * 2, set.ranges.allSatisfy({ $0.high < 0x80 }) else { return }
        let letters = Set(set.ranges.flatMap { ($0.low...$0.high).map { [Self.lowercased(UInt8($0))] } })
        if letters.count <= maximumClass { self.init(exact: letters) }
    }

    private func followed(by other: RequiredLiterals) -> RequiredLiterals {
        var result = RequiredLiterals()
        if let left = exact, let right = other.exact { result.exact = Self.product(left, right) }
        if let exact = result.exact {
            // Beginnings, ends and middles are the matches themselves then.
            result.prefixes = exact
            result.suffixes = exact
            result.best = Self.better(Self.better(best, other.best), exact)
            return result
        } else {
            result.prefixes = exact.map { Self.product($0, other.prefixes) ?? $0 } ?? prefixes
            result.suffixes = other.exact.map { Self.product(suffixes, $0) ?? $0 } ?? other.suffixes
        }
        let middle = Self.product(suffixes, other.prefixes)
        for candidate in [best, other.best, middle, result.prefixes, result.suffixes] {
            result.best = Self.better(result.best, candidate)
        }
        return result
    }

    private func or(_ other: RequiredLiterals) -> RequiredLiterals {
        var result = RequiredLiterals()
        if let left = exact, let right = other.exact { result.exact = Self.union(left, right) }
        result.prefixes = Self.union(prefixes, other.prefixes) ?? [[]]
        result.suffixes = Self.union(suffixes, other.suffixes) ?? [[]]
        if let left = best, let right = other.best { result.best = Self.union(left, right) }
        return result
    }

    private static func union(_ left: Set<[UInt8]>, _ right: Set<[UInt8]>) -> Set<[UInt8]>? {
        let union = left.union(right)
        return union.count <= maximumCount ? union : nil
    }

    /// Every literal of the left with every literal of the right behind it; `nil` if too many or too long.
    private static func product(_ left: Set<[UInt8]>, _ right: Set<[UInt8]>) -> Set<[UInt8]>? {
        guard left.count * right.count <= maximumCount,
            (left.map(\.count).max() ?? 0) + (right.map(\.count).max() ?? 0) <= maximumLength
        else { return nil }
        return Set(left.flatMap { head in right.map { head + $0 } })
    }

    private static func better(_ left: Set<[UInt8]>?, _ right: Set<[UInt8]>?) -> Set<[UInt8]>? {
        guard let left else { return right }
        guard let right else { return left }
        return score(left) >= score(right) ? left : right
    }

    /// Long is good, with a step at three bytes; each further literal costs.
    private static func score(_ set: Set<[UInt8]>) -> Int {
        let shortest = set.map(\.count).min() ?? 0
        return shortest * 4 + (shortest >= 3 ? 16 : 0) - set.count
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= text.count else { return false }
        return (0...(text.count - part.count)).contains { text[$0..<($0 + part.count)].elementsEqual(part) }
    }
}

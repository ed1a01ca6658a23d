import Yams

/// `condition` of a correlation.
struct CorrelationCondition {
    var bounds: [SigmaCorrelation.Bound] = []
    var fields: [String] = []
    var percentile: Double?
    var expression: SigmaCondition?
    /// The rules that the expression names, in the order they first stand there.
    var names: [String] = []
    var line = 0

    /// `a and not b`.
    var namesFirstWithoutSecond: Bool {
        guard case .and(let parts) = expression, parts.count == 2, case .search = parts[0], case .not(let second) = parts[1],
            case .search = second
        else { return false }
        return names.count == 2
    }
}

/// What a correlation says below `vigie`.
struct CorrelationOptions {
    var isAbsence = false
    var clear: [SigmaCorrelation.Bound] = []
    var suppression: Int64?
    var lateness: Int64?
    var missing = SigmaCorrelation.MissingField.ignore
}

extension DocumentParser {
    /// Keys below `vigie` that only correlations have.
    static let correlationKeys = ["absence", "clear", "suppress", "lateness", "missing"]

    func options(_ node: Node?) throws(RuleProblem) -> CorrelationOptions {
        var options = CorrelationOptions()
        guard let mapping = node?.mapping else { return options }
        for (key, value) in mapping {
            switch key.string {
            case "absence":
                guard let flag = value.bool else { throw problem(value, "'vigie.absence' is true or false") }
                options.isAbsence = flag
            case "clear":
                guard value.mapping != nil else { throw problem(value, "'vigie.clear' is a bound: {lte: 2}") }
                let condition = try condition(value, isTemporal: false)
                guard condition.fields.isEmpty, condition.percentile == nil else {
                    throw problem(value, "'vigie.clear' is a bound on the same value: {lte: 2}")
                }
                options.clear = condition.bounds
            case "suppress": options.suppression = try duration(value, "vigie.suppress", allowsZero: true)
            case "lateness": options.lateness = try duration(value, "vigie.lateness", allowsZero: true)
            case "missing":
                guard let missing = SigmaCorrelation.MissingField(rawValue: value.string ?? "") else {
                    throw problem(value, "'vigie.missing' is ignore or group")
                }
                options.missing = missing
            default: continue
            }
        }
        if options.isAbsence, !options.clear.isEmpty, let node {
            throw problem(node, "'vigie.clear' does not go with 'vigie.absence'")
        }
        return options
    }

    /// Nanoseconds; months and years have the mean length of the Gregorian calendar, as in pySigma.
    func duration(_ node: Node, _ key: String, allowsZero: Bool = false) throws(RuleProblem) -> Int64 {
        let units: [Character: Int64] = [
            "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_629_746, "y": 31_556_952,
        ]
        let text = node.scalar?.string ?? ""
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let count = Int64(digits), count > 0 || allowsZero
        else { throw problem(node, "'\(key)' is a number and one of s, m, h, d, w, M, y: 5m") }
        guard count <= 366 * 86_400 / unit else { throw problem(node, "'\(key)' is longer than a year") }
        return count * unit * 1_000_000_000
    }

    func condition(_ node: Node, isTemporal: Bool) throws(RuleProblem) -> CorrelationCondition {
        var condition = CorrelationCondition()
        condition.line = node.mark?.line ?? 0
        if let text = node.scalar?.string, isTemporal {
            do {
                let parsed = try ConditionParser.parse(text)
                guard parsed.isPlain else { throw problem(node, "a correlation's condition names rules; it takes no 'of'") }
                condition.expression = parsed
                condition.names = parsed.names
            } catch let error as ConditionParser.Failure {
                throw problem(node, error.reason)
            } catch let error as RuleProblem {
                throw error
            } catch {
                throw problem(node, "\(error)")
            }
            return condition
        }
        guard let mapping = node.mapping else {
            throw problem(
                node,
                isTemporal
                    ? "the condition is a mapping, {gte: 2}, or names rules: a and not b"
                    : "the condition is a mapping: {gte: 10}"
            )
        }
        for (key, value) in mapping {
            switch key.string {
            case "field": condition.fields = try list(value, "field")
            case "percentile":
                guard let number = value.float, number > 0, number <= 100 else {
                    throw problem(value, "'percentile' is above 0 and at most 100")
                }
                condition.percentile = number
            default: condition.bounds.append(try bound(key, value))
            }
        }
        guard !condition.bounds.isEmpty else { throw problem(node, "the condition compares with nothing") }
        return condition
    }

    private func bound(_ key: Node, _ value: Node) throws(RuleProblem) -> SigmaCorrelation.Bound {
        guard let comparison = Comparison(rawValue: key.string ?? "") else {
            let known = Comparison.allCases.map(\.rawValue).joined(separator: ", ")
            throw problem(key, "'\(key.string ?? "")' is no comparison; known are \(known)")
        }
        guard let number = value.float, number.isFinite else { throw problem(value, "a comparison takes a number") }
        return SigmaCorrelation.Bound(comparison: comparison, value: number)
    }
}

extension SigmaCondition {
    /// Names only, no `1 of x*`.
    fileprivate var isPlain: Bool {
        switch self {
        case .search: true
        case .not(let inner): inner.isPlain
        case .and(let parts), .or(let parts): parts.allSatisfy(\.isPlain)
        case .quantified: false
        }
    }

    /// Every name, once, in the order they first stand there.
    fileprivate var names: [String] {
        switch self {
        case .search(let name): [name]
        case .not(let inner): inner.names
        case .and(let parts), .or(let parts):
            parts.flatMap(\.names).reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
        case .quantified: []
        }
    }
}

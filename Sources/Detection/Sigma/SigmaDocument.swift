import Events

/// A parsed document of a rule file.
struct SigmaDocument {
    var header: RuleHeader
    var body: Body

    enum Body {
        case detection(SigmaDetection)
        case correlation(SigmaCorrelation)
        case filter(SigmaFilter)
    }
}

/// A filter: conditions that have to hold, too, for a match of the rules it names.
struct SigmaFilter {
    /// Names or ids; `nil` for every rule of the log source.
    var rules: [String]?
    var logSource: LogSource
    var searches: [(name: String, search: SigmaSearch)]
    var conditions: [SigmaCondition]
    /// Where `rules` stands.
    var line: Int
    /// What people know it by.
    var title = ""
    /// Over its document.
    var hash = ""
}

/// `logsource`, `detection` and `condition` of a rule.
struct SigmaDetection {
    var logSource: LogSource
    /// The search-identifiers, in the order they stand in the file.
    var searches: [(name: String, search: SigmaSearch)]
    /// Several conditions are alternatives.
    var conditions: [SigmaCondition]
}

/// What stands under a search-identifier.
indirect enum SigmaSearch: Sendable {
    /// Keys that all have to match.
    case map([SigmaItem])
    /// Alternatives.
    case anyOf([SigmaSearch])
    /// Words sought in the whole event; all of them with `|all`.
    case keywords([SigmaValue], all: Bool, modifiers: [String], line: Int)
}

/// `field|modifier|…: value(s)`.
struct SigmaItem: Sendable {
    var field: String
    var modifiers: [String]
    var values: [SigmaValue]
    var line: Int
}

enum SigmaValue: Hashable, Sendable {
    case text(String)
    case number(String)
    case boolean(Bool)
    case null
}

/// A condition, with its quantifiers not yet resolved.
indirect enum SigmaCondition {
    case search(String)
    case not(SigmaCondition)
    case and([SigmaCondition])
    case or([SigmaCondition])
    /// `1 of name*`, `all of them`.
    case quantified(all: Bool, pattern: String)

    /// Which search-identifiers a quantifier speaks of. `them` leaves out those whose names begin with an underscore.
    static func fits(_ pattern: String) -> (String) -> Bool {
        let isThem = pattern.lowercased() == "them"
        let glob = TextPattern(wildcards: isThem ? "*" : pattern, anchor: .equals, isCased: true)
        return { name in
            let bytes = Array(name.utf8)
            return !(isThem && name.hasPrefix("_")) && glob.matches(bytes.span, 0..<bytes.count)
        }
    }
}

enum Comparison: String, CaseIterable, BitwiseCopyable {
    case lt, lte, gt, gte, eq, neq

    func holds(_ left: Double, _ right: Double) -> Bool {
        switch self {
        case .lt: left < right
        case .lte: left <= right
        case .gt: left > right
        case .gte: left >= right
        case .eq: left == right
        case .neq: left != right
        }
    }
}

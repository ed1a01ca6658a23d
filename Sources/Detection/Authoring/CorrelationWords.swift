import Events

/// A correlation's condition and what becomes of it, as a person would say it.
struct CorrelationWords {
    private let correlation: SigmaCorrelation

    /// How many names or lines are listed.
    private static let maximumListed = 12

    init(_ correlation: SigmaCorrelation) {
        self.correlation = correlation
    }

    /// Type, timespan and condition.
    var wants: String {
        let kind: String
        switch correlation.kind {
        case .eventCount: kind = "events"
        case .valueCount(let fields): kind = "different values of \(fields.joined(separator: ", "))"
        case .temporal(let isOrdered): kind = isOrdered ? "rules in their order" : "rules"
        case .sum(let field): kind = "as the sum of \(field)"
        case .average(let field): kind = "as the mean of \(field)"
        case .percentile(let field, let rank): kind = "as percentile \(CorrelationWords.number(rank)) of \(field)"
        case .median(let field): kind = "as the median of \(field)"
        case .absence: kind = "\(correlation.rules.first ?? "") and no \(correlation.rules.last ?? "") after it"
        }
        let wanted = [condition, kind].filter { !$0.isEmpty }
        let separator = correlation.expression == nil ? " " : ", "
        let group = correlation.groupBy.isEmpty ? "over all" : "per \(correlation.groupBy.joined(separator: ", "))"
        return "\(wanted.joined(separator: separator)) within \(TimespanText.words(correlation.timespan)), \(group)"
    }

    /// Bounds, or the expression.
    private var condition: String {
        if let expression = correlation.expression {
            return ConditionTree([expression], correlation.rules).text(correlation.rules)
        }
        return CorrelationWords.bounds(correlation.bounds)
    }

    /// The window's value against what is wanted of it.
    func reading(_ window: CorrelationTrace.Window, _ names: [String]) -> String {
        let value = CorrelationWords.number(window.value)
        let text: String
        switch correlation.kind {
        case .eventCount: text = "\(value) \(window.value == 1 ? "event" : "events")"
        case .valueCount: text = "\(value) different \(window.value == 1 ? "value" : "values")"
        case .temporal(let isOrdered):
            let rules = "\(value) \(window.value == 1 ? "rule" : "rules")\(isOrdered ? " in their order" : "")"
            text = (correlation.expression == nil ? "\(rules): " : "the window has ") + order(window, names)
        case .sum: text = "sum \(value)"
        case .average: text = "mean \(value) of \(window.total)"
        case .percentile(_, let rank): text = "percentile \(CorrelationWords.number(rank)) is \(value) of \(window.total)"
        case .median: text = "median \(value) of \(window.total)"
        case .absence: text = ""
        }
        return "\(text); wants \(condition)"
    }

    /// Why an event that was counted gave no finding; `nil` where the value says it.
    func silence(
        _ visit: CorrelationTrace.Visit, _ window: CorrelationTrace.Window, _ rule: CompiledCorrelation, _ names: [String]
    ) -> String? {
        guard window.isMet else {
            guard rule.kind == .temporalOrdered, hasAllButOrder(window, rule) else { return nil }
            return "the order is the reason: the window has \(order(window, names)), the rules come in the order "
                + CorrelationWords.list(names)
        }
        if window.isRaised {
            return "silent: it has fired, and fires again when its value was \(CorrelationWords.bounds(correlation.clear))"
        }
        if visit.time < window.silentUntil { return "silent until \(window.silentUntil.rfc3339): it has fired" }
        return "silent: it has fired, and only with this event its value was \(CorrelationWords.bounds(correlation.clear))"
    }

    /// Whether the same events in another order would do.
    private func hasAllButOrder(_ window: CorrelationTrace.Window, _ rule: CompiledCorrelation) -> Bool {
        let seen = Set(window.members)
        guard let presence = rule.presence else { return rule.holds(Double(seen.count)) }
        return presence.holds(seen.reduce(UInt64(0)) { $0 | 1 << UInt64($1) })
    }

    /// What the event of an absence waits for, or ended.
    func waiting(_ visit: CorrelationTrace.Visit, _ window: CorrelationTrace.Window, _ names: [String]) -> String {
        let answer = names.last ?? ""
        if visit.member == 0 {
            let up = Timestamp(nanoseconds: visit.time.nanoseconds.plus(correlation.timespan))
            return window.waits ? "waits for \(answer) until \(up.rfc3339)" : "answered already: \(answer) was read before it"
        }
        guard !window.answers.isEmpty else { return "answers nothing: no \(names.first ?? "") waits in its group" }
        return "answers line \(CorrelationWords.list(window.answers.map(String.init)))"
    }

    /// The rules of the window's events by time, each run of one rule once.
    private func order(_ window: CorrelationTrace.Window, _ names: [String]) -> String {
        var runs: [Int] = []
        for member in window.members where member != runs.last { runs.append(member) }
        return CorrelationWords.list(runs.map { names[$0] })
    }

    static func list(_ names: [String]) -> String {
        let shown = names.prefix(maximumListed).joined(separator: ", ")
        return names.count > maximumListed ? "\(shown) and \(names.count - maximumListed) more" : shown
    }

    private static func bounds(_ bounds: [SigmaCorrelation.Bound]) -> String {
        bounds.map { "\($0.comparison.rawValue) \(number($0.value))" }.joined(separator: " and ")
    }

    private static func number(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }
}

/// A timespan as rules write it.
enum TimespanText {
    static func words(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        for (size, unit) in [(86_400, "d"), (3_600, "h"), (60, "m")] as [(Int64, String)] where seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }
}

/// A correlation over other rules, as it stands in its document.
struct SigmaCorrelation {
    enum Kind: Hashable {
        case eventCount
        case valueCount(fields: [String])
        case temporal(isOrdered: Bool)
        case sum(field: String)
        case average(field: String)
        /// From above 0 to 100; by nearest rank.
        case percentile(field: String, Double)
        case median(field: String)
        /// The first rule's event, not followed by one of the second's.
        case absence
    }

    /// A bound on the value of a group's window.
    struct Bound: Hashable {
        var comparison: Comparison
        var value: Double

        func holds(_ number: Double) -> Bool { comparison.holds(number, value) }
    }

    enum MissingField: String, CaseIterable {
        /// An event that lacks a group-by field is not counted.
        case ignore
        /// Such events form groups of their own.
        case group
    }

    var kind: Kind
    /// Names or ids of the rules it counts, in order.
    var rules: [String]
    /// The line of each of them.
    var ruleLines: [Int]
    var groupBy: [String]
    /// A name for what the rules call differently: alias → rule → field.
    var aliases: [String: [String: String]]
    /// Nanoseconds.
    var timespan: Int64
    /// All have to hold; empty for `expression`.
    var bounds: [Bound]
    /// pySigma's extended condition: which rules have matched.
    var expression: SigmaCondition?
    /// The counted rules give findings of their own, too.
    var generate: Bool
    /// Having fired, a group is silent until these hold again.
    var clear: [Bound]
    /// Nanoseconds that a group is silent after it fired; `nil` for the default.
    var suppression: Int64?
    /// Nanoseconds that an event may come after a newer one; `nil` for the default.
    var lateness: Int64?
    var missing: MissingField
    var line: Int
}

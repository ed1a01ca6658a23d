package import Detection
import Yams

/// How findings add up to the risk of an address or an account, and what follows from that: `risk.yml`.
package struct RiskPolicy: Sendable, Equatable {
    /// Seconds of event time after which a finding counts half.
    package var halfLife: Int64 = 43_200
    /// By the level of the rule.
    package var weights: [Level: Double] = [.critical: 70, .high: 50, .medium: 25, .low: 10, .informational: 2]
    /// Seconds of event time within which findings of one rule count as one: a sweep takes seconds, whoever means it stays.
    package var spacing: Int64 = 600
    /// The part of the one before it that a further finding of the same rule counts.
    package var again = 0.7
    /// The part that a further rule of the same category counts.
    package var another = 0.25
    /// By category, of all its rules together.
    package var limits: [String: Double] = [:]
    /// Accounts that failed one by one from an address that is taken for a shared one.
    package var sharedFrom = 4
    /// The severity that a risk makes of an incident at least. Empty raises nothing.
    package var raises: [Raise] = []
    /// Categories of what everybody tries on everybody: risk alone says how bad it is. Empty takes every rule at its word.
    package var attempts: Set<String> = []
    /// Rules about nobody in particular that are no more than attempts.
    package var attemptRules: Set<String> = []
    /// ATT&CK techniques and rules that are more than an attempt, whatever their category.
    package var exceptTechniques: Set<String> = []
    package var exceptRules: Set<String> = []

    package struct Raise: Sendable, Equatable {
        package var severity: Severity
        package var from: Double

        package init(_ severity: Severity, from: Double) {
            self.severity = severity
            self.from = from
        }
    }

    /// Far above what adds up to anything; sums stay exact enough to be shown with one digit.
    private static let amounts = 0.0...10_000
    /// A sum of repeats stays below ten times the first.
    private static let parts = 0.0...0.9
    /// Signs that add up say that somebody means it, and nothing of what came of it.
    private static let highestRaise = Severity.medium

    package init() {}

    init(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) {
        guard let node else { return }
        let members = try reader.members(
            node,
            known: ["half_life", "weights", "spaced", "again", "another", "at_most", "shared_from", "raises", "attempts"])
        if let value = members["half_life"] {
            halfLife = try reader.duration(value)
            guard halfLife >= 60 else { throw reader.error(value, "a minute at least is expected here") }
        }
        if let list = members["weights"] {
            for entry in try reader.mapping(list) {
                guard let level = Level(rawValue: entry.name) else {
                    throw reader.unknown(entry.key, "level", entry.name, known: Level.allCases.map(\.rawValue))
                }
                weights[level] = try reader.amount(entry.value, in: Self.amounts)
            }
        }
        if let value = members["spaced"] { spacing = try reader.duration(value) }
        if let value = members["again"] { again = try reader.amount(value, in: Self.parts) }
        if let value = members["another"] { another = try reader.amount(value, in: Self.parts) }
        if let list = members["at_most"] {
            for entry in try reader.mapping(list) {
                limits[try Self.category(entry.key, reader)] = try reader.amount(entry.value, in: Self.amounts)
            }
        }
        if let value = members["shared_from"] { sharedFrom = try reader.number(value) }
        if let list = members["raises"] {
            for entry in try reader.mapping(list) {
                let severity = try reader.severity(entry.key)
                guard severity == Self.highestRaise else {
                    throw reader.error(
                        entry.key,
                        severity > Self.highestRaise
                            ? "risk raises to P2 and no further: that something is broken has to be said by a rule"
                            : "every incident is \(severity.code) at least: what risk raises to is P2")
                }
                raises.append(Raise(severity, from: try reader.amount(entry.value, in: Self.amounts)))
            }
            guard raises.count <= 1 else { throw reader.error(list, "P2 stands here twice, once by each of its names") }
        }
        if let value = members["attempts"] { try readAttempts(value, reader) }
    }

    private mutating func readAttempts(_ node: Node, _ reader: PolicyReader) throws(PolicyError) {
        let members = try reader.members(node, known: ["categories", "rules", "except"], needed: ["categories"])
        if let list = members["categories"] {
            for element in try reader.list(list) { attempts.insert(try Self.category(element, reader)) }
        }
        if let list = members["rules"] { attemptRules = Set(try reader.texts(list)) }
        if let value = members["except"] {
            let exceptions = try reader.members(value, known: ["techniques", "rules"])
            if let list = exceptions["techniques"] { exceptTechniques = Set(try reader.texts(list).map { $0.uppercased() }) }
            if let list = exceptions["rules"] { exceptRules = Set(try reader.texts(list)) }
        }
        guard attempts.isEmpty || !raises.isEmpty else {
            throw reader.error(node, "attempts without raises are never worse than P3, whatever becomes of them")
        }
    }

    private static func category(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> String {
        try reader.choice(node, "category", FindingCategory.self).rawValue
    }

    /// What the risk alone makes of an incident.
    func severity(of risk: EntityRisk) -> Severity? { raises.first { risk.score >= $0.from }?.severity }

    /// Whether a finding is no more than what everybody tries on everybody.
    func isAttempt(_ finding: FindingRecord) -> Bool {
        if attemptRules.contains(finding.ruleID) { return true }
        guard attempts.contains(finding.category), !exceptRules.contains(finding.ruleID) else { return false }
        let isMore = finding.techniques.contains { technique in
            exceptTechniques.contains { technique == $0 || technique.hasPrefix("\($0).") }
        }
        return !isMore && (finding.address != nil || finding.user.map(CommonAccounts.contains) ?? false)
    }
}

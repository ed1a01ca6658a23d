/// What a rule says about itself. One instance per rule; findings refer to it.
package struct RuleHeader: Sendable, Hashable {
    /// UUID; what findings and other systems know the rule by.
    package var id: String
    /// What correlations call it.
    package var name: String?
    package var title: String
    package var description: String
    package var level: Level
    package var tags: [String]
    package var category: FindingCategory
    package var author: String
    package var falsePositives: [String]
    package var references: [String]
    /// `vigie: {hostile: false}`: one matching line alone says nothing; it is only counted by a correlation.
    package var isHostile: Bool
    /// `vigie: {requirements: [D1]}`: what it is there for, by the operator's own numbering.
    package var requirements: [String] = []
    package var file: String
    package var line: Int
    /// In hex: which version of the rule spoke; `RuleHash` says over what.
    package var hash: String
    /// Sigma's `status`: stable, test, experimental, deprecated or unsupported; `nil` where the rule does not say.
    package var status: String?
    /// The licence that the rule's text is under, as it says itself.
    package var license: String?
    /// Which names its fields and log sources have.
    package var taxonomy: String = RuleHeader.defaultTaxonomy
    /// What a pipeline says about the rule beyond our own keys.
    package var attributes: [String: String] = [:]

    package static let defaultTaxonomy = "sigma"

    /// ATT&CK tactics among the tags, as Sigma writes them: `attack.credential-access` → `credential-access`.
    package var tactics: [String] {
        tags.compactMap { tag -> String? in
            let name = tag.dropFirst("attack.".count)
            guard tag.hasPrefix("attack."), let first = name.first, first.isLetter else { return nil }
            // Techniques, groups and software: a letter and digits.
            if name.dropFirst().first?.isNumber == true { return nil }
            return String(name).replacing("_", with: "-")
        }
    }

    /// ATT&CK technique ids among the tags: `attack.t1110.001` → `T1110.001`.
    package var techniques: [String] {
        tags.compactMap { tag in
            guard tag.hasPrefix("attack.t"), tag.dropFirst(8).first?.isNumber == true else { return nil }
            return tag.dropFirst(7).uppercased()
        }
    }
}

extension RuleHeader {
    /// A pipeline's `set_custom_attribute`.
    mutating func set(_ key: String, _ value: String) throws(RuleProblem) {
        switch key {
        case "vigie.category":
            guard let known = FindingCategory(rawValue: value) else {
                throw RuleProblem(file: file, line: line, reason: "a pipeline sets 'vigie.category' to '\(value)', which is none")
            }
            category = known
        case "vigie.hostile":
            guard let flag = Bool(value) else {
                throw RuleProblem(
                    file: file, line: line, reason: "a pipeline sets 'vigie.hostile' to '\(value)'; it is true or false")
            }
            isHostile = flag
        default: attributes[key] = value
        }
    }
}

/// Sigma's `level`.
package enum Level: String, Sendable, CaseIterable, Comparable {
    case informational, low, medium, high, critical

    package static func < (left: Level, right: Level) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }

    /// The severity it stands for unless a policy says otherwise: `P0` (critical) to `P3`.
    package var severityCode: String {
        switch self {
        case .critical: "P0"
        case .high: "P1"
        case .medium: "P2"
        case .low, .informational: "P3"
        }
    }
}

/// What kind of thing a finding is.
package enum FindingCategory: String, Sendable, CaseIterable {
    case bruteForce = "brute_force"
    case enumeration, scan, exploit, authorization, token, upload, malware, tampering, canary, dos, exfiltration, policy, other

    /// What a rule's ATT&CK tags suggest where it does not say.
    init(tags: [String]) {
        let kinds: [(String, FindingCategory)] = [
            ("attack.t1110", .bruteForce), ("attack.t1595", .scan), ("attack.t1046", .scan), ("attack.t1087", .enumeration),
            ("attack.t1190", .exploit), ("attack.t1210", .exploit), ("attack.t1059", .exploit), ("attack.t1499", .dos),
            ("attack.t1498", .dos), ("attack.t1505", .malware), ("attack.t1528", .token), ("attack.t1550", .token),
            ("attack.exfiltration", .exfiltration), ("attack.initial-access", .exploit), ("attack.reconnaissance", .scan),
        ]
        self = kinds.first { kind in tags.contains { $0.hasPrefix(kind.0) } }?.1 ?? .other
    }
}

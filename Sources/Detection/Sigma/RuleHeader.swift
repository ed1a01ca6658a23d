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
    package var file: String
    package var line: Int
    /// SHA-256 of the file's text, in hex: which version of the rule spoke.
    package var hash: String

    /// ATT&CK technique ids among the tags: `attack.t1110.001` → `T1110.001`.
    package var techniques: [String] {
        tags.compactMap { tag in
            guard tag.hasPrefix("attack.t"), tag.dropFirst(8).first?.isNumber == true else { return nil }
            return tag.dropFirst(7).uppercased()
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

/// How bad it is, on the one scale that Vigie uses (requirement "Settled" 5). Lower is worse.
package enum Severity: Int, Sendable, Comparable, CaseIterable, Codable {
    case critical = 0
    case high
    case medium
    case low

    /// `P0` to `P3`.
    package var code: String { "P\(rawValue)" }

    package var name: String {
        switch self {
        case .critical: "Critical"
        case .high: "High"
        case .medium: "Medium"
        case .low: "Low"
        }
    }

    /// Accepts both names of a severity: `P1` and `high`, in any case.
    package init?(_ text: String) {
        let wanted = text.lowercased()
        guard let found = Severity.allCases.first(where: { $0.code.lowercased() == wanted || $0.name.lowercased() == wanted })
        else { return nil }
        self = found
    }

    /// Ordered by urgency: `.low < .critical`.
    package static func < (left: Severity, right: Severity) -> Bool {
        left.rawValue > right.rawValue
    }
}

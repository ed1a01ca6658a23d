package import Events

/// How many findings a silence has taken, as far as whoever asks may know of them.
package struct SilenceTally: Sendable, Equatable {
    package var findings = 0
    /// When the newest was recorded.
    package var last: Timestamp?

    package init(findings: Int = 0, last: Timestamp? = nil) {
        self.findings = findings
        self.last = last
    }
}

/// What a silence would have taken.
package struct SilencePreview: Sendable, Equatable {
    /// Of findings that are recorded.
    package struct Share: Sendable, Equatable {
        package var id: String
        package var title: String
        package var findings: Int
    }

    /// Seconds that it looks back.
    package static let period: Int64 = 86_400
    /// Findings that are looked at, the newest; beyond that it says so.
    package static let maximumFindings = 20_000

    package var breadth: SilenceMatcher.Breadth
    package var findings = 0
    /// Would match, and alarm all the same: of P0 or of canaries.
    package var spared = 0
    package var rules: [Share] = []
    package var incidents: [Share] = []
    package var last: Timestamp?
    /// More was recorded than was looked at.
    package var isPartial: Bool

    /// - Parameters:
    ///   - recent: findings of the period that whoever asks may know of, with the title of the incident of each.
    ///   - isCommander: whoever asks.
    package init(
        _ matcher: SilenceMatcher, recent: [(finding: FindingView, incidentTitle: String?)], isCommander: Bool, isPartial: Bool
    ) {
        breadth = matcher.breadth
        self.isPartial = isPartial
        let takesCritical = isCommander && breadth == .exact
        var (byRule, byIncident) = ([String: Share](), [String: Share]())
        guard breadth != .everything else { return }
        for (finding, title) in recent {
            let subject = SilenceMatcher.Subject(finding)
            guard matcher.matches(subject) else { continue }
            guard takesCritical || !subject.isCritical else {
                spared += 1
                continue
            }
            findings += 1
            last = max(last ?? finding.recordedAt, finding.recordedAt)
            byRule[finding.ruleID, default: Share(id: finding.ruleID, title: finding.ruleTitle, findings: 0)].findings += 1
            if let incident = finding.incident {
                byIncident[incident, default: Share(id: incident, title: title ?? "", findings: 0)].findings += 1
            }
        }
        let sorted = { (shares: [String: Share]) in shares.values.sorted { ($1.findings, $0.id) < ($0.findings, $1.id) } }
        rules = sorted(byRule)
        incidents = sorted(byIncident)
    }
}

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

/// What a silence would have taken, counted finding by finding: there may be very many, and what attackers wrote stands in each.
package struct SilencePreview: Sendable, Equatable {
    /// Of findings that are recorded.
    package struct Share: Sendable, Equatable {
        package var id: String
        package var title: String
        package var findings: Int
    }

    /// Seconds that it looks back.
    package static let period: Int64 = 86_400
    /// Findings that are looked at, the newest (of its rule, where it names one); beyond that it says so.
    package static let maximumFindings = 20_000

    private let matcher: SilenceMatcher
    private let takesCritical: Bool
    package let breadth: SilenceMatcher.Breadth
    package private(set) var findings = 0
    /// Would match, and alarm all the same: of P0 or of canaries.
    package private(set) var spared = 0
    package private(set) var last: Timestamp?
    private var byRule: [String: Share] = [:]
    private var byIncident: [String: Share] = [:]
    /// More was recorded than was looked at.
    package var isPartial = false

    /// - Parameter isCommander: whoever asks.
    package init(_ matcher: SilenceMatcher, isCommander: Bool) {
        self.matcher = matcher
        breadth = matcher.breadth
        takesCritical = isCommander && breadth == .exact
    }

    /// The most findings first.
    package var rules: [Share] { Self.sorted(byRule) }
    package var incidents: [Share] { Self.sorted(byIncident) }

    private static func sorted(_ shares: [String: Share]) -> [Share] {
        shares.values.sorted { ($1.findings, $0.id) < ($0.findings, $1.id) }
    }

    /// Counts a finding of the period, where it would have been taken.
    ///
    /// - Parameters:
    ///   - finding: one that whoever asks may know of; its lines may be left out, and whether its count is a lower bound.
    ///   - incidentTitle: of the incident in which it stands.
    ///   - whole: reads all of it. Asked only where that decides: the lines are most of what a finding is.
    package mutating func add(
        _ finding: FindingView, incidentTitle: String?, whole: () throws -> FindingView
    ) rethrows {
        var subject = SilenceMatcher.Subject(finding)
        guard breadth != .everything, matcher.mayMatch(subject) else { return }
        if matcher.asksForLines(of: subject) { subject = SilenceMatcher.Subject(try whole()) }
        guard matcher.matches(subject) else { return }
        guard takesCritical || !subject.isCritical else {
            spared += 1
            return
        }
        findings += 1
        last = max(last ?? finding.recordedAt, finding.recordedAt)
        byRule[finding.ruleID, default: Share(id: finding.ruleID, title: finding.ruleTitle, findings: 0)].findings += 1
        if let incident = finding.incident {
            byIncident[incident, default: Share(id: incident, title: incidentTitle ?? "", findings: 0)].findings += 1
        }
    }
}

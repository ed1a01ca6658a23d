package import Events
package import Incidents

package struct APISilenceList: Encodable, Sendable {
    var silences: [APISilence]

    package init(_ views: [SilenceView], at now: Timestamp) { silences = views.map { APISilence($0, at: now) } }
}

/// A silence for programs, the same from the API and from `vigie silences … --json`.
package struct APISilence: Encodable, Sendable {
    var id: String
    var kind: String
    var state: String
    var rule: String?
    var addresses: [String]
    var account: String?
    var line: String?
    var reason: String?
    var author: String
    var createdAt: String
    var until: String
    var takesCritical: Bool
    var incident: String?
    var endedBy: String?
    var endedAt: String?
    var endReason: String?
    /// As far as whoever asks may know of them.
    var findings: Int
    var lastFinding: String?
    /// It came of an incident that whoever asks may not know of.
    var withheld: Bool

    package init(_ view: SilenceView, at now: Timestamp) {
        let silence = view.silence
        id = silence.id
        kind = silence.kind.rawValue
        state = silence.state(at: now).rawValue
        rule = silence.matcher.rule
        addresses = silence.matcher.addresses.map(\.text)
        account = silence.matcher.account
        line = silence.matcher.line
        reason = silence.reason
        author = silence.author.label
        createdAt = silence.createdAt.rfc3339
        until = silence.until.rfc3339
        takesCritical = silence.takesCritical
        incident = silence.incident
        if case .ended(let person, let time, let reason) = silence.end {
            (endedBy, endedAt, endReason) = (person.label, time.rfc3339, reason)
        }
        findings = view.tally.findings
        lastFinding = view.tally.last?.rfc3339
        withheld = view.isWithheld
    }
}

/// What a silence would have taken within the last day.
package struct APISilencePreview: Encodable, Sendable {
    struct Share: Encodable, Sendable {
        var id: String
        var title: String
        var findings: Int

        init(_ share: SilencePreview.Share) { (id, title, findings) = (share.id, share.title, share.findings) }
    }

    /// `exact`, `narrow` or `wide`.
    var breadth: String
    var findings: Int
    /// Of P0 and of canaries, which it would not take.
    var spared: Int
    var rules: [Share]
    var incidents: [Share]
    var lastFinding: String?
    var partial: Bool

    package init(_ preview: SilencePreview) {
        breadth = "\(preview.breadth)"
        findings = preview.findings
        spared = preview.spared
        rules = preview.rules.map(Share.init)
        incidents = preview.incidents.map(Share.init)
        lastFinding = preview.last?.rfc3339
        partial = preview.isPartial
    }
}

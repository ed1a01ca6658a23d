/// How an incident ended.
package enum Resolution: String, Sendable, CaseIterable {
    case resolved
    case falsePositive = "false_positive"
    case duplicate
    /// Real, known, and lived with.
    case accepted

    /// Accepts `false_positive` and `false-positive`.
    package init?(_ text: String) {
        self.init(rawValue: text.lowercased().replacing("-", with: "_"))
    }

    /// From where it may be closed so. What was attacked is not resolved before it is recovered, and what is being contained
    /// is left open until that is over.
    package var closable: [Phase] {
        self == .resolved ? [.recovery, .review] : [.detection, .triage, .recovery, .review]
    }
}

/// Why an incident exists. Figures count `real` ones unless they say otherwise.
package enum IncidentKind: String, Sendable, CaseIterable {
    case real, drill, test, imported
}

/// How one incident is related to another, as it says of itself.
package enum LinkKind: String, Sendable, CaseIterable {
    case related
    case duplicate = "duplicate_of"
    case recurrence = "recurrence_of"

    package init?(_ text: String) {
        self.init(rawValue: text.lowercased().replacing("-", with: "_"))
    }
}

package import Events

/// How a correlation's groups grew, event by event, and those of the correlations that it counts.
package struct CorrelationExplanation: Sendable {
    /// A field of `group-by`, or one whose values are counted.
    package struct Part: Sendable {
        /// As the correlation calls it: a field, or an alias.
        package var name: String
        /// Where it was read: the field under the name that events have.
        package var field: String
        /// The correlation whose group it was read from, for what is counted of a correlation.
        package var inner: String?
        /// `nil` where it is missing.
        package var value: String?
    }

    /// What a counted event did to its group.
    package struct Step: Sendable {
        /// Of a finding that is counted, the last of its lines.
        package var line: Int64
        package var time: Timestamp
        /// Which correlation counts: the one that is explained, or one that it counts.
        package var correlation: String
        package var isInner: Bool
        /// The rule that it is counted for; `nil` where nothing is counted but time was up.
        package var counted: String?
        package var group: [Part]
        /// What is counted or added up, where that is not the event itself.
        package var values: [Part]
        /// What conditions are about, after the event; `nil` where it was not counted.
        package var value: Double?
        /// The same in words, and what is wanted of it.
        package var reading: String?
        package var note: String?
        /// What the engine found with it.
        package var finding: Finding?
    }

    package var header: RuleHeader
    /// Type, timespan and condition in words.
    package var wants: String
    /// The correlations that it counts, with what they want.
    package var inner: [(name: String, wants: String)]
    package var steps: [Step]
    /// What the engine found, as it did.
    package var findings: [Finding]
    /// Why it was not found, by the last event that was counted.
    package var reason: String?
    /// The correlations that count it without `generate`: then its findings are none of their own.
    package var countedBy: [String]
    /// Of each detection that it counts, itself or through others.
    package var rules: [Explanation]

    package var matches: Bool { !findings.isEmpty }
}

/// What detection does and holds, as the console shows it. Counts are since the first start, but for `events`, `candidates` and
/// `matches`, which are since this one.
package struct DetectionStatus: Sendable, Equatable {
    package var events: Int
    /// Rules that were evaluated in full.
    package var candidates: Int
    package var matches: Int
    /// In the order of the rules.
    package var correlations: [Correlation]

    /// What one correlation holds and has left out.
    package struct Correlation: Sendable, Equatable {
        package var ruleID: String
        package var title: String
        /// Live groups.
        package var groups: Int
        /// Events kept, of all groups.
        package var events: Int
        package var bytes: Int
        /// Groups given up for lack of room while they still counted.
        package var evictedGroups: Int
        /// Events that came too late for their window.
        package var late: Int
        /// Events whose value was missing, or no number where one is needed.
        package var ignoredValues: Int
        /// Events that lack a group-by field.
        package var ungrouped: Int

        package init(
            ruleID: String, title: String, groups: Int = 0, events: Int = 0, bytes: Int = 0, evictedGroups: Int = 0,
            late: Int = 0,
            ignoredValues: Int = 0, ungrouped: Int = 0
        ) {
            self.ruleID = ruleID
            self.title = title
            self.groups = groups
            self.events = events
            self.bytes = bytes
            self.evictedGroups = evictedGroups
            self.late = late
            self.ignoredValues = ignoredValues
            self.ungrouped = ungrouped
        }

        /// Something that should have been counted was not.
        package var isIncomplete: Bool { evictedGroups > 0 || late > 0 }
    }

    package init(events: Int = 0, candidates: Int = 0, matches: Int = 0, correlations: [Correlation] = []) {
        self.events = events
        self.candidates = candidates
        self.matches = matches
        self.correlations = correlations
    }
}

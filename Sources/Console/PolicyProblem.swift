package import Events

/// Why changed policy files are not in force.
package struct PolicyProblem: Sendable, Equatable {
    /// With file and line.
    package var text: String
    package var at: Timestamp

    package init(text: String, at: Timestamp) {
        self.text = text
        self.at = at
    }
}

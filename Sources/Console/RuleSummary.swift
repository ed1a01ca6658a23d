package import Events

/// One rule as the rules page lists it: loaded, or refused with the reason.
package struct RuleSummary: Sendable, Equatable {
    /// Empty when the document has none, which is one reason to refuse it.
    package var id: String
    package var title: String
    package var level: String
    package var category: String
    package var file: String
    /// Why it was refused, with the line; `nil` when it is loaded.
    package var problem: String?
    /// The problem kept a whole reload out: the rules in force are those from before.
    package var isReloadRefused = false
    /// Which version it is: SHA-256 in hexadecimal.
    package var hash = ""
    package var techniques: [String] = []
    package var requirements: [String] = []
    /// In words.
    package var logSource = ""
    /// False for a rule that only correlations count.
    package var isReported = true
    /// The document as it stands in its file.
    package var text = ""
    /// Findings in the journal, and event time of the newest.
    package var matches = 0
    package var lastMatch: Timestamp?

    package init(id: String, title: String, level: String, category: String, file: String, problem: String? = nil) {
        self.id = id
        self.title = title
        self.level = level
        self.category = category
        self.file = file
        self.problem = problem
    }
}

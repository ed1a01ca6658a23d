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

    package init(id: String, title: String, level: String, category: String, file: String, problem: String? = nil) {
        self.id = id
        self.title = title
        self.level = level
        self.category = category
        self.file = file
        self.problem = problem
    }
}

/// Why a rule was refused: where, what is wrong, and what to do about it. The other rules run all the same.
package struct RuleProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// From 1; 0 where the problem is the file as a whole.
    package var line: Int
    /// From 1; 0 where it is not known.
    package var column: Int
    package var reason: String

    package init(file: String, line: Int, column: Int = 0, reason: String) {
        self.file = file
        self.line = line
        self.column = column
        self.reason = reason
    }

    package var description: String { line > 0 ? "\(file):\(line): \(reason)" : "\(file): \(reason)" }
}

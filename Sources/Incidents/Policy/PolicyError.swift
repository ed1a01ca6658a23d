/// What is wrong with a policy file, and where.
package struct PolicyError: Error, Sendable, Equatable, CustomStringConvertible {
    package var file: String
    /// From 1; 0 where it is about the file as a whole.
    package var line: Int
    package var reason: String

    package init(file: String, line: Int, reason: String) {
        self.file = file
        self.line = line
        self.reason = reason
    }

    package var description: String { line > 0 ? "\(file):\(line): \(reason)" : "\(file): \(reason)" }
}

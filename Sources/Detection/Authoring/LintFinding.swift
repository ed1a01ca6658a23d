/// One thing that a rule's author should look at.
package struct LintFinding: Sendable, Hashable {
    package enum Severity: String, Sendable, CaseIterable, Comparable {
        /// The rule does not do what it is there for.
        case error
        /// It very likely does something else than was meant.
        case warning
        /// It works; it could be better.
        case advice

        package static func < (left: Severity, right: Severity) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
        }
    }

    package var check: LintCheck
    package var file: String
    /// From 1; 0 where it is the file as a whole.
    package var line: Int
    /// From 1; 0 where it is not known.
    package var column: Int
    /// The rule's title; empty where none could be read.
    package var rule: String
    package var reason: String

    package var severity: Severity { check.severity }

    /// `file:line:column: severity: reason [code]`, as editors and CI systems read it.
    package var description: String {
        var place = file
        if line > 0 { place += ":\(line)" }
        if line > 0, column > 0 { place += ":\(column)" }
        return "\(place): \(severity.rawValue): \(reason); \(check.advice) [\(check.rawValue)]"
    }
}

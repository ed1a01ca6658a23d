/// One thing that is wrong with a playbook, and where.
package struct PlaybookProblem: Hashable, Sendable {
    package enum Severity: String, Hashable, Sendable, CaseIterable, Comparable {
        /// A MUST of CACAO 2.0 is broken, or running the playbook would harm: it is not run.
        case error
        /// A SHOULD is not followed, or the playbook will hardly do what its author meant.
        case warning

        package static func < (left: Severity, right: Severity) -> Bool {
            left == .error && right == .warning
        }
    }

    package var severity: Severity
    package var check: PlaybookCheck
    /// JSON Pointer (RFC 6901) into the document; empty for the whole of it.
    package var path: String
    /// What is wrong there, as a sentence for the author.
    package var reason: String

    package init(_ severity: Severity, _ check: PlaybookCheck, at path: String, _ reason: String) {
        self.severity = severity
        self.check = check
        self.path = path
        self.reason = reason
    }
}

extension PlaybookProblem: CustomStringConvertible {
    package var description: String {
        "\(severity.rawValue) [\(check.rawValue)] \(path.isEmpty ? "/" : path): \(reason)"
    }
}

/// Why a playbook was refused: every problem that was found, never only the first.
package struct PlaybookRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package var problems: [PlaybookProblem]

    package init(problems: [PlaybookProblem]) {
        self.problems = problems
    }

    package var description: String {
        "The playbook is refused:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
    }
}

/// RFC 6901 §3 spelling of one reference token.
package func pointerToken(_ name: String) -> String {
    guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
    return name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
        .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
}

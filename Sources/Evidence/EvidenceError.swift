/// What can go wrong with evidence: what happened, to what, and what to do.
package struct EvidenceError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        case file, damaged, key, archive, unknown, marking
    }

    package var code: Code
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

package import Events

/// Why a rule matched an event, or did not: its conditions as a tree, each part with its verdict.
package struct Explanation: Sendable {
    package struct Step: Sendable {
        /// A branch of the condition, a search-identifier, an item of it, a value of a list.
        package enum Kind: String, Sendable {
            case branch, search, alternative, item, value
        }

        package var kind: Kind
        package var text: String
        package var holds: Bool
        /// What the event has where an item looks; several where a field has several.
        package var actual: [String]
        /// What the difference is, where it does not hold.
        package var note: String?
        package var steps: [Step]
    }

    /// One event, seen by the rule.
    package struct Event: Sendable {
        package var line: Int64
        package var time: Timestamp
        package var text: String
        /// The event's log source, in words.
        package var logSource: String
        /// The rule looks at events of that log source.
        package var isRouted: Bool
        package var matches: Bool
        package var condition: Step
    }

    package var header: RuleHeader
    /// The log source that the rule wants, in words.
    package var wants: String
    package var events: [Event]

    package var matches: Bool { events.contains(where: \.matches) }
}

extension LogSource {
    /// As a person would say it.
    package var words: String {
        var parts = categories.sorted().map { "category \($0)" }
        if let product { parts.append("product \(product)") }
        if let service { parts.append("service \(service)") }
        return parts.isEmpty ? "any" : parts.joined(separator: ", ")
    }
}

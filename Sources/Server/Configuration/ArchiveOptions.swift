package import Archive
import Journal
import Yams

/// The archive, as the configuration's `archive:` has it; see docs/archive.md.
package struct ArchiveOptions: Sendable, Equatable {
    package var isEnabled = true
    package var policy = RetentionPolicy()
    /// Sources all of whose lines are security events: as they stand under `sources`, or a receiver's name.
    package var securitySources: Set<String> = []

    package init() {}

    /// What the journal says about it.
    var record: JSONValue {
        [
            "enabled": .bool(isEnabled), "keep_days": .integer(Int64(policy.keepDays)),
            "security_days": .integer(Int64(policy.securityDays)),
            "minimum_free_mib": .integer(Int64(policy.minimumFreeBytes >> 20)), "when_full": .string(policy.whenFull.rawValue),
            "security_sources": .array(securitySources.sorted().map { .string($0) }),
        ]
    }
}

extension ConfigurationReader {
    func archive(_ node: Node) throws(ConfigurationError) -> ArchiveOptions {
        var options = ArchiveOptions()
        // `archive: false` is the whole of what some want to say.
        if node.mapping == nil {
            options.isEnabled = try flag(node)
            return options
        }
        let known = ["enabled", "keep_days", "security_days", "minimum_free_mib", "when_full", "security_sources"]
        for (key, value) in try mapping(node, known: known) {
            switch key {
            case "enabled": options.isEnabled = try flag(value)
            case "keep_days": options.policy.keepDays = try days(value)
            case "security_days": options.policy.securityDays = try days(value)
            case "minimum_free_mib": options.policy.minimumFreeBytes = try number(value, 0...1 << 30) << 20
            case "when_full":
                guard let choice = RetentionPolicy.WhenFull(rawValue: try text(value)) else {
                    throw error(value, "'when_full' is stop or delete_oldest")
                }
                options.policy.whenFull = choice
            default: options.securitySources = Set(try texts(value))
            }
        }
        guard options.policy.securityDays >= options.policy.keepDays else {
            throw error(node, "security events cannot be kept for a shorter time than all others: raise 'security_days'")
        }
        return options
    }

    private func days(_ node: Node) throws(ConfigurationError) -> Int { try number(node, 1...36_500) }

    private func number(_ node: Node, _ range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard let number = node.int, range.contains(number) else {
            throw error(node, "a number from \(range.lowerBound) to \(range.upperBound) is expected here")
        }
        return number
    }
}

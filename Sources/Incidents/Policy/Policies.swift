import Journal

/// Every policy of incident management, read from a folder of files together: all of them, or none.
package struct Policies: Sendable, Equatable {
    package var severities = SeverityPolicy()
    package var roles = RolePolicy()
    package var clocks = ClockPolicy()
    package var escalation = EscalationPolicy()
    package var onCall = OnCallPolicy()
    package var channels = ChannelPolicy()
    package var response = ResponsePolicy()
    package var risk = RiskPolicy()
    /// Of all files together, in hex; `nil` where there are none.
    package private(set) var hash: String?

    package static let fileNames = [
        "severity.yml", "roles.yml", "calendars.yml", "clocks.yml", "oncall.yml", "channels.yml", "escalation.yml",
        "response.yml", "risk.yml",
    ]

    package init() {}

    /// - Parameters:
    ///   - files: texts by file name; a file that is not there sets no policy.
    ///   - folder: named in errors.
    package init(files: [String: String], folder: String) throws(PolicyError) {
        let read = { (name: String) throws(PolicyError) in
            let reader = PolicyReader(file: "\(folder)/\(name)")
            return (try files[name].flatMap { text throws(PolicyError) in try reader.compose(text) }, reader)
        }
        var (node, reader) = try read("severity.yml")
        severities = try SeverityPolicy(node, reader)
        (node, reader) = try read("roles.yml")
        roles = try RolePolicy(node, reader)
        (node, reader) = try read("calendars.yml")
        let calendars = try ClockPolicy.calendars(node, reader)
        (node, reader) = try read("clocks.yml")
        clocks = try ClockPolicy(node, reader, calendars: calendars)
        (node, reader) = try read("channels.yml")
        channels = try ChannelPolicy(node, reader)
        (node, reader) = try read("oncall.yml")
        onCall = try OnCallPolicy(node, reader, channels: channels)
        (node, reader) = try read("escalation.yml")
        escalation = try EscalationPolicy(node, reader)
        (node, reader) = try read("response.yml")
        response = try ResponsePolicy(node, reader)
        (node, reader) = try read("risk.yml")
        risk = try RiskPolicy(node, reader)
        try checkTargets(folder)
        guard !files.isEmpty else { return }
        let text = files.sorted { $0.key < $1.key }.map { "\($0.key)\u{0}\($0.value)\u{0}" }.joined()
        hash = MerkleHash.leaf(Array(text.utf8)).description
    }

    /// Whoever is to be told has to exist.
    private func checkTargets(_ folder: String) throws(PolicyError) {
        let steps = escalation.policies.values.flatMap { $0.flatMap(\.targets) }.map { ("escalation.yml", $0) }
        let clocks = clocks.clocks.flatMap(\.tells).map { ("clocks.yml", $0) }
        for (file, target) in steps + clocks where !exists(target) {
            throw PolicyError(
                file: "\(folder)/\(file)", line: target.line,
                reason: "'\(target.text)' is not there; people and rotations stand in oncall.yml, channels in channels.yml")
        }
    }

    private func exists(_ target: PageTarget) -> Bool {
        switch target.kind {
        case .person: onCall.people[target.name] != nil
        case .rotation: onCall.rotations[target.name] != nil
        case .channel: channels.channels[target.name] != nil
        }
    }
}

package import Events
package import Journal

/// The decisions that one application with Guard is to enforce, and the changes to them, numbered: docs/guard.md, version 1.
package struct GuardFeed: Sendable {
    /// Changes with every process: numbering begins anew then.
    package let epoch: String
    package private(set) var sequence: Int64 = 0
    private var decisions: [String: (sequence: Int64, lease: Lease)] = [:]
    /// Lines of the stream; the last one's number is `sequence`.
    private var lines: [String] = []

    /// More are not kept: whoever is further behind asks for everything.
    private static let maximumLines = 50_000

    package init(epoch: String) {
        self.epoch = epoch
    }

    /// The verbs that Guard knows.
    package static let verbs: Set<Lease.Verb> = [
        .blockAddress, .throttleAddress, .revokeToken, .revokeSessions, .revokeEveryone, .disableAccount, .forcePasswordReset,
        .maintenance, .quarantineObject,
    ]

    package mutating func add(_ lease: Lease) {
        guard decisions[lease.id]?.lease != lease else { return }
        sequence += 1
        decisions[lease.id] = (sequence, lease)
        keep(["sequence": .integer(sequence), "change": "add", "decision": Self.json(lease)])
    }

    package mutating func remove(id: String) {
        guard decisions.removeValue(forKey: id) != nil else { return }
        sequence += 1
        keep(["sequence": .integer(sequence), "change": "remove", "id": .string(id)])
    }

    /// The number of the change that brought a lease; `nil` where it is not in force.
    package func sequence(of id: String) -> Int64? { decisions[id]?.sequence }

    private mutating func keep(_ change: JSONValue) {
        lines.append(change.description)
        if lines.count > Self.maximumLines { lines.removeFirst(Self.maximumLines / 2) }
    }

    /// The body of `GET /api/guard/v1/decisions`.
    package func document(now: Timestamp) -> JSONValue {
        let standing = decisions.values.sorted { $0.sequence < $1.sequence }.filter { $0.lease.expiresAt > now }
        return [
            "version": 1, "epoch": .string(epoch), "sequence": .integer(sequence),
            "decisions": .array(standing.map { Self.json($0.lease) }),
        ]
    }

    /// Lines after the change of that number; `nil` where they are not kept any more, or never were.
    package func lines(after number: Int64, epoch: String? = nil) -> [String]? {
        guard epoch == nil || epoch == self.epoch, number >= 0, number <= sequence,
            sequence - number <= Int64(lines.count)
        else { return nil }
        return Array(lines.suffix(Int(sequence - number)))
    }

    package var heartbeat: String { JSONValue.object(["sequence": .integer(sequence), "change": "heartbeat"]).description }

    static func json(_ lease: Lease) -> JSONValue {
        var fields: [String: JSONValue] = [
            "id": .string(lease.id), "expires": .string(lease.expiresAt.rfc3339), "incident": .string(lease.incident),
        ]
        let number = { (name: String, otherwise: Int64) in
            JSONValue.integer(lease.parameters[name].flatMap { Int64($0) } ?? otherwise)
        }
        let before = JSONValue.string(lease.parameters["before"] ?? lease.requestedAt.rfc3339)
        switch lease.verb {
        case .blockAddress: fields.merge(["verb": "block", "address": .string(lease.target)]) { $1 }
        case .throttleAddress:
            fields.merge([
                "verb": "throttle", "address": .string(lease.target), "requests": number("requests", 10),
                "seconds": number("seconds", 60),
            ]) { $1 }
        case .revokeToken:
            let session = lease.target.hasPrefix("session:") ? lease.target.dropFirst("session:".count) : nil
            fields["verb"] = "revoke"
            fields[session == nil ? "token" : "session"] = .string(session.map(String.init) ?? lease.target)
        case .revokeSessions: fields.merge(["verb": "revoke", "user": .string(lease.target), "before": before]) { $1 }
        case .revokeEveryone: fields.merge(["verb": "revoke", "everyone": true, "before": before]) { $1 }
        case .forcePasswordReset:
            fields.merge(["verb": "reset_password", "user": .string(lease.target), "before": before]) { $1 }
        case .disableAccount: fields.merge(["verb": "disable", "user": .string(lease.target)]) { $1 }
        case .maintenance:
            fields.merge(["verb": "maintenance", "route": .string(lease.target)]) { $1 }
            fields["method"] = lease.parameters["method"].map { .string($0) }
            if lease.parameters["retry_after"] != nil { fields["retry_after"] = number("retry_after", 60) }
        case .quarantineObject:
            let parts = lease.target.split(separator: "/", maxSplits: 1).map(String.init)
            fields["verb"] = "quarantine"
            fields["object"] = ["type": .string(parts.first ?? ""), "id": .string(parts.count > 1 ? parts[1] : "")]
        case .isolateService, .stopService, .rotateKey, .regenerateCanary:
            fields["verb"] = .string(lease.verb.rawValue)
        }
        return .object(fields)
    }
}

package import Events
package import Journal

/// The decisions that existing bouncers ask for, as CrowdSec's local API gives them: `GET /v1/decisions` and
/// `GET /v1/decisions/stream`. Bodies only; whoever serves them authenticates the bouncer by its `X-Api-Key`.
///
/// Each bouncer gets all of them at its startup, and afterwards what changed since it last asked. One that asks again after a
/// lost answer gets the same change again.
package struct DecisionFeed: Sendable {
    private struct Decision: Sendable {
        var number: Int64
        var lease: Lease
    }

    private var active: [String: Decision] = [:]
    /// Every change, by number: `true` for one that begins.
    private var changes: [(decision: Decision, begins: Bool)] = []
    private var positions: [String: Int] = [:]
    private var nextNumber: Int64 = 1

    package init() {}

    /// Takes over which leases want force now: block and throttle leases by address, session and account leases by name.
    package mutating func update(_ book: LeaseBook, now: Timestamp) {
        var wanted: [String: Lease] = [:]
        for standing in book.standings.values where standing.phase.wantsForce && standing.lease.expiresAt > now {
            guard Self.scope(of: standing.lease) != nil else { continue }
            wanted[standing.lease.id] = standing.lease
        }
        for (id, decision) in active.sorted(by: { $0.value.number < $1.value.number }) where wanted[id] == nil {
            active[id] = nil
            changes.append((decision, false))
        }
        for (id, lease) in wanted.sorted(by: { $0.key < $1.key }) where active[id] == nil {
            let decision = Decision(number: nextNumber, lease: lease)
            nextNumber += 1
            active[id] = decision
            changes.append((decision, true))
        }
    }

    /// The body of `GET /v1/decisions`, with its filters `ip` and `range`; `null` where there is none, as the original says.
    package func decisions(address: String? = nil, now: Timestamp) -> JSONValue {
        let found = active.values.sorted { $0.number < $1.number }.filter { decision in
            guard let address else { return true }
            guard let asked = AddressBlock(address), let block = AddressBlock(decision.lease.target) else { return false }
            return block.contains(asked.base) && asked.bits >= block.bits
        }
        return found.isEmpty ? .null : .array(found.map { Self.json($0, now) })
    }

    /// The body of `GET /v1/decisions/stream`.
    ///
    /// - Parameter startup: everything, as a bouncer asks when it begins.
    package mutating func stream(for bouncer: String, startup: Bool, now: Timestamp) -> JSONValue {
        let position = positions[bouncer]
        positions[bouncer] = changes.count
        guard !startup, let position else {
            return ["new": decisions(now: now), "deleted": .null]
        }
        var begun: [Int64: Decision] = [:]
        var ended: [Int64: Decision] = [:]
        for (decision, begins) in changes[min(position, changes.count)...] {
            if begins {
                begun[decision.number] = decision
            } else if begun.removeValue(forKey: decision.number) == nil {
                ended[decision.number] = decision
            }
        }
        let list = { (decisions: [Int64: Decision]) -> JSONValue in
            decisions.isEmpty ? .null : .array(decisions.values.sorted { $0.number < $1.number }.map { Self.json($0, now) })
        }
        return ["new": list(begun), "deleted": list(ended)]
    }

    private static func scope(of lease: Lease) -> (scope: String, type: String)? {
        switch lease.verb {
        case .blockAddress: (lease.target.contains("/") ? "Range" : "Ip", "ban")
        case .throttleAddress: (lease.target.contains("/") ? "Range" : "Ip", "throttle")
        case .disableAccount: ("Username", "ban")
        case .revokeToken, .revokeSessions: ("Session", "ban")
        case .revokeEveryone, .forcePasswordReset, .maintenance, .quarantineObject, .isolateService, .stopService, .rotateKey,
            .regenerateCanary:
            nil
        }
    }

    private static func json(_ decision: Decision, _ now: Timestamp) -> JSONValue {
        let scope = scope(of: decision.lease) ?? ("", "")
        return [
            "id": .integer(decision.number), "uuid": .string(decision.lease.id), "origin": "vigie", "type": .string(scope.type),
            "scope": .string(scope.scope), "value": .string(decision.lease.target), "scenario": .string(decision.lease.reason),
            "duration": .string(duration(decision.lease.expiresAt.nanoseconds(since: now))), "simulated": false,
        ]
    }

    /// As Go writes durations: `3h59m56s`; negative for what has ended.
    static func duration(_ nanoseconds: Int64) -> String {
        let seconds = abs(nanoseconds / 1_000_000_000)
        let sign = nanoseconds < 0 ? "-" : ""
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
        if hours > 0 { return "\(sign)\(hours)h\(minutes)m\(rest)s" }
        return minutes > 0 ? "\(sign)\(minutes)m\(rest)s" : "\(sign)\(rest)s"
    }
}

package import Events
package import Journal

/// The decisions that existing bouncers ask for, as CrowdSec's local API gives them: `GET /v1/decisions` and
/// `GET /v1/decisions/stream`. Bodies only; whoever serves them authenticates the bouncer by its `X-Api-Key`.
///
/// Each bouncer gets all of them at its startup, and afterwards what changed since an answer last reached it. Positions are not kept
/// over a restart: whoever goes on asking then gets everything that is in force, and everything that ended before its time.
package struct DecisionFeed: Sendable {
    private struct Decision: Sendable {
        var number: Int64
        var lease: Lease
    }

    /// What two leases share that mean the same to a bouncer.
    private struct Meaning: Hashable, Sendable {
        var target: String
        var type: String?

        init(_ lease: Lease) {
            target = lease.target
            type = DecisionFeed.scope(of: lease)?.type
        }
    }

    private var active: [String: Decision] = [:]
    /// The ids of those that mean the same.
    private var meanings: [Meaning: Set<String>] = [:]
    /// Of each lease, the number of its newest change.
    private var newestChange: [String: Int] = [:]
    /// Every change, by number: `true` for one that begins.
    private var changes: [(decision: Decision, begins: Bool)] = []
    /// The number of the first change that is kept: those before it reached everybody.
    private var firstChange = 0
    private var positions: [String: Int] = [:]
    private var nextNumber: Int64 = 1
    /// Ended before their time, and before this process began.
    private var endedBefore: [Decision] = []

    /// More are not kept for a bouncer that does not ask: it gets everything when it comes back.
    private static let maximumChanges = 200_000

    package init() {}

    /// The verbs that bouncers know.
    package static let verbs: Set<Lease.Verb> = [
        .blockAddress, .throttleAddress, .disableAccount, .revokeToken, .revokeSessions,
    ]

    /// Begins with what an earlier process ordered.
    package mutating func resume(with wanted: [Lease], ended: [Lease]) {
        for lease in wanted { add(lease) }
        for lease in ended where Self.scope(of: lease) != nil {
            endedBefore.append(Decision(number: nextNumber, lease: lease))
            nextNumber += 1
        }
    }

    /// Adds a lease, or changes when it ends.
    package mutating func add(_ lease: Lease) {
        guard Self.scope(of: lease) != nil, active[lease.id]?.lease != lease else { return }
        let decision = Decision(number: nextNumber, lease: lease)
        nextNumber += 1
        active[lease.id] = decision
        meanings[Meaning(lease), default: []].insert(lease.id)
        keep(decision, begins: true)
    }

    package mutating func remove(id: String) {
        guard let decision = active.removeValue(forKey: id) else { return }
        let meaning = Meaning(decision.lease)
        meanings[meaning]?.remove(id)
        // Bouncers go by the address: while another lease means the same one, it is told again, and nothing is taken away.
        let same = (meanings[meaning] ?? []).compactMap { active[$0] }
        if let other = same.max(by: { ($0.lease.expiresAt, $0.number) < ($1.lease.expiresAt, $1.number) }) {
            keep(other, begins: true)
        } else {
            meanings[meaning] = nil
            keep(decision, begins: false)
        }
    }

    private mutating func keep(_ decision: Decision, begins: Bool) {
        newestChange[decision.lease.id] = firstChange + changes.count
        changes.append((decision, begins))
        guard changes.count > Self.maximumChanges else { return }
        let dropped = changes.count / 2
        for (index, change) in changes.prefix(dropped).enumerated() {
            let id = change.decision.lease.id
            if newestChange[id] == firstChange + index { newestChange[id] = nil }
        }
        firstChange += dropped
        changes.removeFirst(dropped)
    }

    package func isActive(id: String) -> Bool { active[id] != nil }

    /// Whether an answer with the newest change of a lease has reached the bouncer.
    package func hasReached(_ bouncer: String, id: String) -> Bool {
        guard let position = positions[bouncer] else { return false }
        guard let number = newestChange[id] else { return true }
        return number < position
    }

    /// The body of `GET /v1/decisions`, with its filters `ip` and `range`; `null` where there is none, as the original says.
    package func decisions(address: String? = nil, now: Timestamp) -> JSONValue {
        let found = active.values.sorted { $0.number < $1.number }.filter { decision in
            guard decision.lease.expiresAt > now else { return false }
            guard let address else { return true }
            guard let asked = AddressBlock(address), let block = AddressBlock(decision.lease.target) else { return false }
            return block.contains(asked.base) && asked.bits >= block.bits
        }
        return found.isEmpty ? .null : .array(found.map { Self.json($0, now) })
    }

    /// The body of `GET /v1/decisions/stream`, and what to ``confirm(_:position:)`` once it has been sent.
    ///
    /// - Parameter startup: everything, as a bouncer asks when it begins.
    package func stream(for bouncer: String, startup: Bool, now: Timestamp) -> (body: JSONValue, position: Int) {
        let end = firstChange + changes.count
        let list = { (decisions: [Decision]) -> JSONValue in
            decisions.isEmpty ? .null : .array(decisions.sorted { $0.number < $1.number }.map { Self.json($0, now) })
        }
        guard !startup else { return (["new": decisions(now: now), "deleted": .null], end) }
        guard let position = positions[bouncer], position >= firstChange else {
            let ended = endedBefore + changes.filter { !$0.begins }.map(\.decision)
            let blocked = Set(active.values.map(\.lease.target))
            let gone = ended.filter { $0.lease.expiresAt > now && !blocked.contains($0.lease.target) }
            return (["new": decisions(now: now), "deleted": list(gone)], end)
        }
        var begun: [Int64: Decision] = [:]
        var ended: [Int64: Decision] = [:]
        for (decision, begins) in changes[(position - firstChange)...] {
            if begins {
                begun[decision.number] = decision
            } else if begun.removeValue(forKey: decision.number) == nil {
                ended[decision.number] = decision
            }
        }
        return (["new": list(Array(begun.values)), "deleted": list(Array(ended.values))], end)
    }

    /// The answer has reached the bouncer.
    package mutating func confirm(_ bouncer: String, position: Int) { positions[bouncer] = position }

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

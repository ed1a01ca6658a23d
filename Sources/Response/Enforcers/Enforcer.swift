package import Events

/// Something that puts leases into force. Orders are idempotent: the same lease twice is the same as once.
package protocol Enforcer: Sendable {
    var name: String { get }
    var verbs: Set<Lease.Verb> { get }
    /// Whether leases with the same effect are kept apart by their ids. Where they are not, lifting one would lift the others, too.
    var keepsLeasesApart: Bool { get }
    /// Makes what it works with, where that is missing. Asked for at the start and after every failure.
    func prepare() async throws
    /// - Parameter now: what is left of the leases counts from here.
    /// - Throws: when not all of them were taken; then each is tried by itself.
    func apply(_ leases: [Lease], now: Timestamp) async throws
    /// Asks the enforcer itself, not what was ordered. A lease that the answer leaves out is absent.
    func observe(_ leases: [Lease]) async throws -> [String: Observation]
    func lift(_ leases: [Lease]) async throws
    /// The first call of a process: takes away what none of these leases wants and a process left behind that died. What should hold
    /// and does not is found by ``observe(_:)`` and ordered anew.
    ///
    /// - Parameter ended: those that were lifted before their time, where that is not over yet.
    func resume(with wanted: [Lease], ended: [Lease]) async throws
}

/// What an enforcer shows of a lease.
package enum Observation: Hashable, Sendable {
    case absent
    /// Ordered; whoever enforces it has not fetched it yet, or has not answered for it.
    case pending
    /// Fetched; it cannot be asked for more.
    case delivered
    /// It holds, and so often it has refused something since it came into force, where that is counted.
    case shown(refusals: Int64)
}

package struct EnforcerError: Error, Hashable, Sendable, CustomStringConvertible {
    package var enforcer: String
    /// Empty where it is about none in particular.
    package var lease: String
    package var reason: String

    package init(enforcer: String, lease: String = "", reason: String) {
        self.enforcer = enforcer
        self.lease = lease
        self.reason = reason
    }

    package var description: String {
        lease.isEmpty ? "\(enforcer): \(reason)" : "\(enforcer) did not carry out lease \(lease): \(reason)"
    }
}

extension Enforcer {
    package var keepsLeasesApart: Bool { false }
    package func prepare() async throws {}
    package func resume(with wanted: [Lease], ended: [Lease]) async throws {}

    package func apply(_ lease: Lease, now: Timestamp) async throws { try await apply([lease], now: now) }
    package func lift(_ lease: Lease) async throws { try await lift([lease]) }
    package func isInForce(_ lease: Lease) async throws -> Bool {
        if case .shown = try await observe([lease])[lease.id] { true } else { false }
    }

    /// Carries out one intent and says what is to be recorded.
    package func carryOut(_ intent: LeaseIntent, now: Timestamp) async -> [LeaseEvent] {
        switch intent {
        case .record(let event): return [event]
        case .ask, .page: return []
        case .apply(let lease):
            do {
                try await apply([lease], now: now)
                return [.applied(id: lease.id)] + LeaseEvent.proof(of: lease, try await observe([lease])[lease.id])
            } catch { return [.notInForce(id: lease.id, reason: "\(error)")] }
        case .readBack(let lease):
            do {
                let observation = try await observe([lease])[lease.id] ?? .absent
                guard observation != .absent else {
                    return [.notInForce(id: lease.id, reason: "\(name) no longer shows it")]
                }
                return LeaseEvent.proof(of: lease, observation)
            } catch { return [.notInForce(id: lease.id, reason: "\(error)")] }
        case .lift(let lease):
            do {
                try await lift([lease])
                return [.lifted(id: lease.id, isProven: isGone(try await observe([lease])[lease.id]))]
            } catch { return [.notLifted(id: lease.id, reason: "\(error)")] }
        case .readBackGone(let lease):
            do { return isGone(try await observe([lease])[lease.id]) ? [.lifted(id: lease.id, isProven: true)] : [] } catch {
                return []
            }
        }
    }

    private func isGone(_ observation: Observation?) -> Bool { observation == nil || observation == .absent }
}

extension LeaseEvent {
    /// What an observation proves.
    package static func proof(of lease: Lease, _ observation: Observation?) -> [LeaseEvent] {
        switch observation {
        case nil, .absent, .pending: []
        case .delivered: [.delivered(id: lease.id)]
        case .shown(let refusals):
            // A refusal that was counted shows more than the rule that made it.
            [.proven(id: lease.id, refusals > 0 ? .observed : .readBack)]
        }
    }
}

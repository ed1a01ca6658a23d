package import Events

/// Something that puts leases into force. Orders are idempotent: the same lease twice is the same as once.
package protocol Enforcer: Sendable {
    var name: String { get }
    var verbs: Set<Lease.Verb> { get }
    /// - Parameter now: what is left of the lease counts from here.
    func apply(_ lease: Lease, now: Timestamp) async throws
    /// Asks the enforcer itself, not what was ordered.
    func isInForce(_ lease: Lease) async throws -> Bool
    func lift(_ lease: Lease) async throws
}

package struct EnforcerError: Error, Hashable, Sendable, CustomStringConvertible {
    package var enforcer: String
    package var lease: String
    package var reason: String

    package init(enforcer: String, lease: String, reason: String) {
        self.enforcer = enforcer
        self.lease = lease
        self.reason = reason
    }

    package var description: String { "\(enforcer) did not carry out lease \(lease): \(reason)" }
}

extension Enforcer {
    /// Carries out one intent and says what is to be recorded.
    package func carryOut(_ intent: LeaseIntent, now: Timestamp) async -> [LeaseEvent] {
        switch intent {
        case .record(let event): return [event]
        case .ask, .page: return []
        case .apply(let lease):
            do {
                try await apply(lease, now: now)
                guard try await isInForce(lease) else { return [.applied(id: lease.id)] }
                return [.applied(id: lease.id), .proven(id: lease.id, .readBack)]
            } catch { return [.notInForce(id: lease.id, reason: "\(error)")] }
        case .readBack(let lease):
            do {
                return try await isInForce(lease)
                    ? [.proven(id: lease.id, .readBack)] : [.notInForce(id: lease.id, reason: "\(name) no longer shows it")]
            } catch { return [.notInForce(id: lease.id, reason: "\(error)")] }
        case .lift(let lease):
            do {
                try await lift(lease)
                return [.lifted(id: lease.id, isProven: try await !isInForce(lease))]
            } catch { return [] }
        case .readBackGone(let lease):
            do { return try await isInForce(lease) ? [] : [.lifted(id: lease.id, isProven: true)] } catch { return [] }
        }
    }
}

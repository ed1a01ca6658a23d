package import Events
package import Journal
import Synchronization

/// Blocks through bouncers that ask for decisions as they ask CrowdSec's local API.
///
/// A bouncer answers no questions: that it has fetched a decision is all that is known, and nothing more is shown, unless Vigie may
/// look into what the bouncer fills.
package final class BouncerEnforcer: Enforcer {
    package let name = "bouncers"
    package let verbs = DecisionFeed.verbs
    package let keepsLeasesApart = true
    /// What a bouncer fills, such as a set of nftables: which of these addresses are in it.
    package typealias Inspection = @Sendable (_ targets: [String]) async throws -> Set<String>

    private let bouncers: [String]
    private let inspect: Inspection?
    private let feed = Mutex(DecisionFeed())

    /// - Parameter bouncers: names of all that have to fetch a decision before it counts as delivered.
    package init(bouncers: [String], inspect: Inspection? = nil) {
        self.bouncers = bouncers
        self.inspect = inspect
    }

    package func resume(with wanted: [Lease], ended: [Lease]) async throws {
        feed.withLock { $0.resume(with: wanted, ended: ended) }
    }

    package func apply(_ leases: [Lease], now: Timestamp) async throws {
        feed.withLock { feed in for lease in leases { feed.add(lease) } }
    }

    package func lift(_ leases: [Lease]) async throws {
        feed.withLock { feed in for lease in leases { feed.remove(id: lease.id) } }
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        let states = feed.withLock { feed in
            leases.map { lease in
                (lease, feed.isActive(id: lease.id), bouncers.allSatisfy { feed.hasReached($0, id: lease.id) })
            }
        }
        let present = try await inspect?(leases.filter { $0.verb == .blockAddress }.map(\.target))
        var found: [String: Observation] = [:]
        for (lease, isActive, isFetched) in states {
            if let present, lease.verb == .blockAddress {
                found[lease.id] =
                    present.contains(lease.target) ? .shown(refusals: 0) : isFetched ? .absent : isActive ? .pending : .absent
            } else {
                // Lifted and not yet fetched, it still holds there.
                found[lease.id] = isActive ? (isFetched ? .delivered : .pending) : isFetched ? .absent : .pending
            }
        }
        return found
    }

    /// See ``DecisionFeed/decisions(address:now:)``.
    package func decisions(address: String?, now: Timestamp) -> JSONValue {
        feed.withLock { $0.decisions(address: address, now: now) }
    }

    /// See ``DecisionFeed/stream(for:startup:now:)``.
    package func stream(for bouncer: String, startup: Bool, now: Timestamp) -> (body: JSONValue, position: Int) {
        feed.withLock { $0.stream(for: bouncer, startup: startup, now: now) }
    }

    package func confirm(_ bouncer: String, position: Int) {
        feed.withLock { $0.confirm(bouncer, position: position) }
    }
}

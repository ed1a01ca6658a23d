import Events
import Identity
import Synchronization

@testable import Console

/// Leases in memory: what is ordered is in force at once.
final class FakeLeases: LeaseKeeping {
    private let kept = Mutex<[LeaseView]>([FakeLeases.lease("L-1", verb: "block_address", target: "203.0.113.9")])

    private static func lease(_ id: String, verb: String, target: String) -> LeaseView {
        LeaseView(
            id: id, verb: verb, target: target, scope: "platform", reason: "it guesses passwords", incident: "SEC-2026-0001",
            enforcer: "nftables", parameters: ["seconds": "60"], requestedBy: "ana", requestedAt: noon, approvedBy: "ana",
            expiresAt: noon.advanced(bySeconds: 3_600), phase: "in_force", problem: nil, proof: "read_back", provenAt: noon,
            isDelivered: true, isLiftProven: false, liftedBecause: nil, undoneBy: nil, undoReason: nil, since: noon,
            checkedAt: noon, role: .responder)
    }

    func leases(of incident: String?, includesOver: Bool) async -> [LeaseView] {
        kept.withLock { $0.filter { incident == nil || $0.incident == incident } }
    }

    func lease(_ id: String) async -> LeaseView? { kept.withLock { $0.first { $0.id == id } } }

    func order(_ order: LeaseOrder, by account: String, from address: String) async throws -> LeaseView {
        guard order.verb == "block_address" else {
            throw FakeRefusal(.unknownVerb, "nothing can do '\(order.verb)'", "see the list")
        }
        let lease = FakeLeases.lease("L-2", verb: order.verb, target: order.target)
        kept.withLock { $0.append(lease) }
        return lease
    }

    func approve(_ id: String, by account: String) async throws -> LeaseView { try found(id) }

    func undo(_ id: String, reason: String, by account: String) async throws -> LeaseView { try found(id) }

    func prove(_ id: String) async throws -> LeaseView { try found(id) }

    func probed(_ id: String, outcome: String, by account: String) async throws -> LeaseView {
        guard outcome == "refused" || outcome == "served" else {
            throw FakeRefusal(.invalid, "'\(outcome)' is no outcome", "say refused or served")
        }
        var lease = try found(id)
        (lease.probedBy, lease.probedAt, lease.probeWasRefused) = (account, noon, outcome == "refused")
        return lease
    }

    func preview(_ order: LeaseOrder) async throws -> LeasePreview {
        LeasePreview(
            verb: order.verb, target: order.target, requests: 12, accounts: [(name: "bob", requests: 3)], moreAccounts: 1,
            isPartial: false, objection: nil, inForce: 0, needsApproval: true)
    }

    func verbs() async -> [LeaseVerb] { [LeaseVerb(name: "block_address", enforcers: ["nftables"], role: .responder)] }

    private func found(_ id: String) throws -> LeaseView {
        guard let lease = kept.withLock({ $0.first { $0.id == id } }) else {
            throw FakeRefusal(.unknown, "there is no lease \(id)", "look for it in the list")
        }
        return lease
    }
}

/// As the console has it from a server, of whose codes it knows nothing.
typealias FakeRefusal = OrderRefusal<FakeRefusalCode>

enum FakeRefusalCode: String, RefusalCode {
    case unknown
    case invalid
    case unknownVerb = "unknown_verb"

    var kind: RefusalKind { self == .unknown ? .unknown : .invalid }
}

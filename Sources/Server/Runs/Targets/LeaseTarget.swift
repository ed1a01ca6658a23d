import Events
import Journal
import Response

/// `POST /api/v1/leases`, `/api/v1/leases/undo` and `/api/v1/canary/regenerate`: containment as leases, under the step's key.
///
/// A step is done when the lease is in force and read back, or was handed to whoever enforces it and can say no more. What no enforcer
/// can do, and what the lease desk wants a person's consent for, waits for a person.
struct LeaseTarget: InProcessTarget {
    let paths: Set<String> = ["/api/v1/leases", "/api/v1/leases/undo", "/api/v1/canary/regenerate"]
    let leases: LeaseDesk
    /// Of a lease for which the playbook names no time: what is regenerated stays so.
    private static let longest: Int64 = 31_536_000

    init(leases: LeaseDesk) { self.leases = leases }

    func carryOut(_ request: InProcessRequest) async -> InProcessAnswer {
        guard let incident = request.incident, request.body["incident"]?.stringValue ?? incident == incident else {
            return .failed("a run contains for its own incident only")
        }
        do {
            switch request.path {
            case "/api/v1/leases/undo": return try await undo(request, incident)
            case "/api/v1/canary/regenerate":
                guard let service = request.body["service"]?.stringValue else { return .failed("the service is missing") }
                return try await apply(.regenerateCanary, service, Self.longest, request, incident)
            default:
                guard let verb = request.body["verb"]?.stringValue.flatMap({ Lease.Verb(rawValue: $0) }) else {
                    return .failed("that is no verb of a lease")
                }
                guard let target = request.body["target"]?.stringValue else { return .failed("the target is missing") }
                let seconds = request.body["expiry_seconds"]?.integerValue ?? Self.longest
                return try await apply(verb, target, seconds, request, incident)
            }
        } catch let refusal as LeaseRefusal where refusal.code == .noEnforcer {
            return .handedOver("\(refusal.reason): do it by hand, and say so")
        } catch {
            return .failed("\(error)")
        }
    }

    private func apply(
        _ verb: Lease.Verb, _ target: String, _ seconds: Int64, _ request: InProcessRequest, _ incident: String
    ) async throws -> InProcessAnswer {
        let lease = try await leases.apply(
            LeaseRequest(
                verb: verb, target: target, scope: request.body["scope"]?.stringValue ?? "platform",
                reason: request.body["reason"]?.stringValue ?? request.title, incident: incident,
                requestedBy: "run:\(request.run)",
                approvedBy: request.approvedBy.isEmpty ? nil : request.approvedBy.joined(separator: ", "), duration: seconds,
                key: request.key))
        guard let standing = await leases.settle(id: lease.id, by: request.deadline) else {
            return .failed("the lease \(lease.id) is gone")
        }
        let id: JSONValue = ["lease": .string(lease.id)]
        switch standing.phase {
        case .inForce(let proof):
            return .done(detail: "\(lease.id) is in force by \(lease.enforcer), \(proof.rawValue.replacing("_", with: " "))", id)
        case .applied where standing.isDelivered:
            return .done(detail: "\(lease.id) was handed to \(lease.enforcer), which cannot be asked whether it holds", id)
        case .requested: return .handedOver("\(lease.id) waits for consent: `vigie lease approve \(lease.id)`, or do it by hand")
        case .refused(let reason): return .failed("\(lease.id) is refused: \(reason)")
        case .notInForce(let reason): return .failed("\(lease.id) is not in force: \(reason); it is tried again until it ends")
        case .approved, .applied: return .failed("\(lease.id) was not in force in time; it is tried again until it ends")
        case .lifting, .lifted: return .failed("\(lease.id) has ended already")
        }
    }

    /// The leases of the incident with that verb and target.
    private func undo(_ request: InProcessRequest, _ incident: String) async throws -> InProcessAnswer {
        guard let verb = request.body["verb"]?.stringValue.flatMap({ Lease.Verb(rawValue: $0) }),
            let text = request.body["target"]?.stringValue
        else { return .failed("the verb or the target is missing") }
        let target = try LeaseDesk.target(verb, text)
        let found = await leases.standings { standing in
            standing.lease.incident == incident && standing.lease.verb == verb && standing.lease.target == target
        }
        guard !found.isEmpty else {
            return .handedOver("there is no such lease: what was done by hand is undone by hand")
        }
        var ended: [String] = []
        for standing in found {
            let id = standing.lease.id
            try await leases.undo(id: id, by: "run:\(request.run)", reason: request.title)
            switch await leases.settle(id: id, by: request.deadline)?.phase {
            case .lifted, .refused: ended.append(id)
            default: return .failed("\(id) could not be lifted in time; it is tried again")
            }
        }
        return .done(detail: "lifted: \(ended.joined(separator: ", "))")
    }
}

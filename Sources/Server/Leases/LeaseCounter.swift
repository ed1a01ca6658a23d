import Archive
import Console
import Events
import Foundation
import Hunting
import Identity
import Response

/// Where people give orders about leases: pages, the API and commands. Says in words what the desk has in states.
struct LeaseCounter: LeaseKeeping {
    /// Leases that a list shows at most.
    static let maximumListed = 500
    static let maximumAccounts = 10
    /// A preview is looked at by somebody in a hurry: it tells what it has counted by then.
    static let previewTime = Duration.seconds(8)

    let desk: LeaseDesk
    /// `nil` where nothing is archived.
    let archive: ArchiveReader?
    let rulePaths: [String]
    let now: @Sendable () -> Timestamp

    func leases(of incident: String?, includesOver: Bool) async -> [LeaseView] {
        let standings = await desk.standings(limit: LeaseCounter.maximumListed) { standing in
            (incident == nil || standing.lease.incident == incident) && (includesOver || !standing.phase.isOver)
        }
        let checked = await desk.checkedAt
        return standings.map { LeaseCounter.view($0, checkedAt: checked[$0.lease.enforcer]) }
    }

    func lease(_ id: String) async -> LeaseView? {
        guard let standing = await desk.standing(of: id) else { return nil }
        return LeaseCounter.view(standing, checkedAt: await desk.checkedAt[standing.lease.enforcer])
    }

    func order(_ order: LeaseOrder, by account: String, from address: String) async throws -> LeaseView {
        let lease = try await desk.apply(try request(order, by: account, from: address))
        // Most are in force within a moment: whoever ordered it sees that at once.
        _ = await desk.settle(id: lease.id, by: now().advanced(bySeconds: 3))
        return try await view(of: lease.id)
    }

    /// People approve what they order; the API and pages have checked their role.
    func request(_ order: LeaseOrder, by account: String, from address: String?) throws -> LeaseRequest {
        guard let verb = Lease.Verb(rawValue: order.verb) else {
            throw LeaseRefusal(
                .invalid, "'\(order.verb.prefix(40))' is no verb",
                "known are \(Lease.Verb.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let seconds = LeaseCounter.seconds(order.duration) else {
            throw LeaseRefusal(.invalid, "'\(order.duration.prefix(20))' is no time", "write 30m, 1h or 7d")
        }
        // Loopback is where a proxy or a tunnel stands, not the person.
        let origin = address.flatMap { AddressBlock($0) }.flatMap { LeaseCounter.isLoopback($0) ? nil : address }
        return LeaseRequest(
            verb: verb, target: order.target, scope: order.scope, reason: order.reason, incident: order.incident,
            requestedBy: account, approvedBy: account, duration: seconds, enforcer: order.enforcer.isEmpty ? nil : order.enforcer,
            parameters: order.parameters, origin: origin)
    }

    private static func isLoopback(_ block: AddressBlock) -> Bool {
        block.base.isV4 ? block.base.low >> 24 & 0xFF == 127 : block.base.high == 0 && block.base.low == 1
    }

    func approve(_ id: String, by account: String) async throws -> LeaseView {
        try await desk.approve(id: id, by: account)
        _ = await desk.settle(id: id, by: now().advanced(bySeconds: 3))
        return try await view(of: id)
    }

    func undo(_ id: String, reason: String, by account: String) async throws -> LeaseView {
        try await desk.undo(id: id, by: account, reason: reason)
        _ = await desk.settle(id: id, by: now().advanced(bySeconds: 3))
        return try await view(of: id)
    }

    func prove(_ id: String) async throws -> LeaseView {
        _ = try await desk.prove(id: id)
        return try await view(of: id)
    }

    func probed(_ id: String, outcome: String, by account: String) async throws -> LeaseView {
        guard outcome == "refused" || outcome == "served" else {
            throw LeaseRefusal(.invalid, "'\(outcome.prefix(20))' is no outcome", "say refused or served")
        }
        try await desk.probed(id: id, wasRefused: outcome == "refused", by: account)
        return try await view(of: id)
    }

    func verbs() async -> [LeaseVerb] {
        Lease.Verb.allCases.compactMap { verb in
            let enforcers = desk.enforcers.filter { $0.verbs.contains(verb) }.map(\.name)
            return enforcers.isEmpty
                ? nil : LeaseVerb(name: verb.rawValue, enforcers: enforcers, role: LeaseCounter.role(for: verb))
        }
    }

    /// What hits everybody, or stops something, is a commander's.
    static func role(for verb: Lease.Verb) -> Role {
        LeasePolicy.asksForByDefault.contains(verb) ? .commander : .responder
    }

    private func view(of id: String) async throws -> LeaseView {
        guard let view = await lease(id) else {
            throw LeaseRefusal(.unknown, "there is no lease \(id)", "look for it in the list")
        }
        return view
    }

    /// `90s`, `30m`, `1h`, `7d`.
    static func seconds(_ text: String) -> Int64? {
        guard let unit = text.last, let number = Int64(text.dropLast()), number > 0, number < 10_000_000 else { return nil }
        let length: Int64? = ["s": 1, "m": 60, "h": 3_600, "d": 86_400][unit]
        return length.map { number * $0 }
    }

    // MARK: Preview

    func preview(_ order: LeaseOrder) async throws -> LeasePreview {
        let request = try request(order, by: "", from: nil)
        let target = try LeaseDesk.target(request.verb, request.target)
        let policy = await desk.policy
        let same = await desk.standings(limit: 1_000) {
            $0.phase.wantsForce && $0.lease.verb == request.verb && $0.lease.target == target
        }
        var preview = LeasePreview(
            verb: request.verb.rawValue, target: target, requests: nil, accounts: [], moreAccounts: 0, isPartial: false,
            objection: policy.objection(to: request.verb, target), inForce: same.count,
            needsApproval: policy.asksFor.contains(request.verb))
        guard let archive, let filter = LeaseCounter.filter(request.verb, target) else { return preview }
        let end = now()
        let hunt = try Hunt(
            rules: [], base: rulePaths, filter: try HuntFilter(parsing: filter), countBy: "user.name",
            since: end.advanced(bySeconds: -86_400), until: Timestamp(seconds: end.seconds + 1))
        let deadline = ContinuousClock.now + LeaseCounter.previewTime
        let found = HuntTally()
        do {
            _ = try await hunt.run(
                archive, workers: 1, report: { _ in },
                progress: { progress in
                    await found.note(progress)
                    if ContinuousClock.now > deadline { throw HuntTally.Enough() }
                })
        } catch is HuntTally.Enough {
            preview.isPartial = true
        }
        let (requests, counts) = await (found.results, found.counts)
        preview.requests = requests
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        preview.accounts = sorted.prefix(LeaseCounter.maximumAccounts).map { (name: $0.key, requests: $0.value) }
        preview.moreAccounts = max(0, sorted.count - LeaseCounter.maximumAccounts)
        return preview
    }

    /// What lines of the archive would have been met; `nil` where they do not name the target.
    private static func filter(_ verb: Lease.Verb, _ target: String) -> String? {
        guard !target.contains("\"") else { return nil }
        return switch verb.subjectKind {
        case .address: "source.ip=\"\(target)\""
        case .account: "user.name=\"\(target)\""
        case .thing: verb == .maintenance && target != "/" ? "url.path~\"\(target)\"" : nil
        }
    }
}

/// What a preview has counted so far.
private actor HuntTally {
    struct Enough: Error {}

    private(set) var results = 0
    private(set) var counts: [String: Int] = [:]

    func note(_ progress: HuntProgress) {
        results = progress.results
        counts = progress.counts
    }
}

extension LeaseCounter {
    static func view(_ standing: LeaseBook.Standing, checkedAt: Timestamp?) -> LeaseView {
        let lease = standing.lease
        var (phase, problem, proof, because, isProven) = ("", standing.trouble, nil as String?, nil as String?, false)
        switch standing.phase {
        case .requested: phase = "requested"
        case .refused(let reason): (phase, problem) = ("refused", reason)
        case .approved: phase = "approved"
        case .applied: phase = "applied"
        case .inForce(let achieved): (phase, proof) = ("in_force", achieved.rawValue)
        case .notInForce(let reason): (phase, problem) = ("not_in_force", reason)
        case .lifting(let reason): (phase, because) = ("lifting", reason.rawValue)
        case .lifted(let reason, let isShown): (phase, because, isProven) = ("lifted", reason.rawValue, isShown)
        }
        return LeaseView(
            id: lease.id, verb: lease.verb.rawValue, target: lease.target, scope: lease.scope, reason: lease.reason,
            incident: lease.incident, enforcer: lease.enforcer, parameters: lease.parameters, requestedBy: lease.requestedBy,
            requestedAt: lease.requestedAt, approvedBy: standing.approvedBy, expiresAt: lease.expiresAt, phase: phase,
            problem: problem, proof: proof, provenAt: standing.provenAt, isDelivered: standing.isDelivered,
            probedBy: standing.probe?.by, probedAt: standing.probe?.at,
            probeWasRefused: standing.probe?.wasRefused,
            isLiftProven: isProven,
            liftedBecause: because, undoneBy: standing.undoneBy, undoReason: standing.undoReason, since: standing.since,
            checkedAt: checkedAt, role: role(for: lease.verb))
    }
}

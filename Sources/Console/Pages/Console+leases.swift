import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import Incidents

extension Console {
    func addLeaseRoutes(to routes: ConsoleRoutes) {
        routes.get("leases", .viewer) { request, context in try await leaseList(request, context: context) }
        routes.get("leases/new", .responder) { request, context in
            try await leaseForm(LeaseOrder(FormFields(query: request.uri.query)), request, context: context)
        }
        routes.post("leases/preview", .responder) { request, context in
            let order = try await leaseOrder(request)
            return try await leaseForm(order, request, context: context, wantsPreview: true)
        }
        routes.post("leases", .responder) { request, context in
            let order = try await leaseOrder(request)
            do {
                let lease = try await place(order, context: context)
                return HTTPAnswer.redirect(to: "/leases/\(FormFields.encode(lease.id))")
            } catch let refusal as any OrderRefusing {
                return try await leaseForm(order, request, context: context, problem: refusal.sentence)
            }
        }
        // Where a browser comes back to after signing in again.
        routes.get("leases/preview", .responder) { _, _ in HTTPAnswer.redirect(to: "/leases/new") }
        routes.get("leases/:id", .viewer) { request, context in try await leasePage(request, context: context) }
        routes.get("leases/:id/undo", .responder) { request, context in
            try await leasePage(request, context: context, isUndoing: true)
        }
        routes.post("leases/:id/undo", .responder) { request, context in
            try await leaseChange(request, context: context, change: undoLease)
        }
        routes.post("leases/:id/approve", .commander) { request, context in
            try await leaseChange(request, context: context, change: approveLease)
        }
        routes.post("leases/:id/proof", .responder) { request, context in
            try await leaseChange(request, context: context, change: proveLease)
        }
        routes.post("leases/:id/probed", .responder) { request, context in
            try await leaseChange(request, context: context, change: probedLease)
        }
        for what in ["approve", "proof", "probed"] {
            routes.get("leases/:id/\(what)", .responder) { _, context in
                HTTPAnswer.redirect(to: "/leases/\(FormFields.encode(context.parameters.get("id") ?? ""))")
            }
        }
    }

    func addLeaseAPI(to routes: ConsoleRoutes) {
        routes.get("leases", .viewer) { request, context in
            let fields = FormFields(query: request.uri.query)
            let leases = try await visibleLeases(of: fields["incident"], includesOver: fields["all"] == "1", context: context)
            return try HTTPAnswer.json(APILeaseList(leases))
        }
        routes.post("leases", .responder) { request, context in
            let order = try await leaseOrder(request)
            return try HTTPAnswer.json(APILease(try await place(order, context: context)), status: .created)
        }
        routes.post("leases/preview", .responder) { request, context in
            let order = try await leaseOrder(request)
            try await check(order, context: context)
            return try HTTPAnswer.json(APILeasePreview(try await keeping().preview(order)))
        }
        routes.get("leases/:id", .viewer) { _, context in try HTTPAnswer.json(APILease(try await lease(context))) }
        routes.post("leases/:id/undo", .responder) { request, context in
            try HTTPAnswer.json(APILease(try await undoLease(try await lease(context), try await fields(request), context)))
        }
        routes.post("leases/:id/approve", .commander) { request, context in
            try HTTPAnswer.json(APILease(try await approveLease(try await lease(context), try await fields(request), context)))
        }
        routes.post("leases/:id/proof", .responder) { request, context in
            try HTTPAnswer.json(APILease(try await proveLease(try await lease(context), try await fields(request), context)))
        }
        routes.post("leases/:id/probed", .responder) { request, context in
            try HTTPAnswer.json(APILease(try await probedLease(try await lease(context), try await fields(request), context)))
        }
    }

    // MARK: What both do

    private func keeping() throws -> any LeaseKeeping {
        guard let leases = dependencies.leases else { throw ConsoleFailure.notFound }
        return leases
    }

    private func fields(_ request: Request) async throws -> FormFields { try await FormFields(bodyOf: request) }

    private func leaseOrder(_ request: Request) async throws -> LeaseOrder { LeaseOrder(try await fields(request)) }

    /// Need-to-know holds for the leases of an incident, too.
    func visibleLeases(of incident: String?, includesOver: Bool, context: ConsoleContext) async throws -> [LeaseView] {
        guard let keeping = dependencies.leases else { return [] }
        var hidden: [String: Bool] = [:]
        var visible: [LeaseView] = []
        for lease in await keeping.leases(of: incident, includesOver: includesOver) {
            let isHidden =
                if let known = hidden[lease.incident] { known } else { try await isHidden(lease.incident, from: context) }
            hidden[lease.incident] = isHidden
            if !isHidden { visible.append(lease) }
        }
        return visible
    }

    private func lease(_ context: ConsoleContext) async throws -> LeaseView {
        let id = context.parameters.get("id") ?? ""
        guard let lease = try await keeping().lease(id), try await !isHidden(lease.incident, from: context) else {
            throw ConsoleFailure(
                status: .notFound, code: "no_such_lease", title: "There is no lease \(id.prefix(40))",
                advice: "Look for it in the list.")
        }
        return lease
    }

    /// - Throws: 403 without the role that the verb needs, 404 for an incident that this person may not know of.
    private func check(_ order: LeaseOrder, context: ConsoleContext) async throws {
        guard let signedIn = context.signedIn, let reader = context.reader else { throw ConsoleFailure.signInNeeded }
        // A verb that nobody can carry out is refused by the desk, in better words.
        let role = try await keeping().verbs().first { $0.name == order.verb }?.role ?? .responder
        guard signedIn.role >= role else { throw ConsoleFailure.roleNeeded(role) }
        guard try await dependencies.incidents.summary(ofIncident: order.incident, reader: reader) != nil else {
            throw ConsoleFailure.noIncident(order.incident)
        }
    }

    private func place(_ order: LeaseOrder, context: ConsoleContext) async throws -> LeaseView {
        try await check(order, context: context)
        return try await keeping().order(order, by: context.signedIn?.accountName ?? "", from: context.address)
    }

    private func undoLease(_ lease: LeaseView, _ fields: FormFields, _ context: ConsoleContext) async throws -> LeaseView {
        try need(lease.role, context)
        return try await keeping().undo(lease.id, reason: fields["reason"] ?? "", by: context.signedIn?.accountName ?? "")
    }

    /// Consent is a commander's, whatever is consented to: nobody approves their own order by it.
    private func approveLease(_ lease: LeaseView, _ fields: FormFields, _ context: ConsoleContext) async throws -> LeaseView {
        try need(.commander, context)
        return try await keeping().approve(lease.id, by: context.signedIn?.accountName ?? "")
    }

    private func proveLease(_ lease: LeaseView, _ fields: FormFields, _ context: ConsoleContext) async throws -> LeaseView {
        try need(.responder, context)
        return try await keeping().prove(lease.id)
    }

    private func probedLease(_ lease: LeaseView, _ fields: FormFields, _ context: ConsoleContext) async throws -> LeaseView {
        try need(.responder, context)
        return try await keeping().probed(
            lease.id, outcome: fields["outcome"] ?? "", by: context.signedIn?.accountName ?? "")
    }

    private func need(_ role: Role, _ context: ConsoleContext) throws {
        guard let signedIn = context.signedIn else { throw ConsoleFailure.signInNeeded }
        guard signedIn.role >= role else { throw ConsoleFailure.roleNeeded(role) }
    }

    private func leaseChange(
        _ request: Request, context: ConsoleContext,
        change: (LeaseView, FormFields, ConsoleContext) async throws -> LeaseView
    ) async throws -> Response {
        let changed = try await change(try await lease(context), try await fields(request), context)
        return HTTPAnswer.redirect(to: "/leases/\(FormFields.encode(changed.id))")
    }

    // MARK: Pages

    private func leaseList(_ request: Request, context: ConsoleContext) async throws -> Response {
        _ = try keeping()
        let sequence = dependencies.updates.sequence
        let includesOver = FormFields(query: request.uri.query)["all"] == "1"
        let now = dependencies.now()
        let leases = try await visibleLeases(of: nil, includesOver: includesOver, context: context)
        let troubled = leases.count { $0.phase == "not_in_force" || ($0.phase == "lifting" && $0.problem != nil) }
        let model: PageModel = [
            "leases": leases.map { LeaseModels.row($0, now: now, signedIn: context.signedIn) }, "isEmpty": leases.isEmpty,
            "includesOver": includesOver, "count": NumberText.grouped(leases.count), "troubled": troubled,
            "isTroubled": troubled > 0, "canOrder": (context.signedIn?.role ?? .viewer) >= .responder,
        ]
        return answer("leases", model, title: "Leases", section: "leases", sequence: sequence, request: request, context: context)
    }

    /// The leases of an incident, and what of its entities can be blocked at once; `nil` where nothing is contained.
    func leaseModel(of detail: IncidentDetail, context: ConsoleContext, now: Timestamp) async throws -> PageModel? {
        guard let keeping = dependencies.leases else { return nil }
        let leases = await keeping.leases(of: detail.summary.id, includesOver: true).prefix(20)
        let verbs = await keeping.verbs()
        let canBlock =
            detail.summary.phase != .closed && detail.summary.mergedInto == nil
            && (context.signedIn?.role ?? .viewer) >= .responder
            && verbs.contains { $0.name == "block_address" }
        let blocked = Set(leases.filter { $0.isOpen && $0.verb == "block_address" }.map(\.target))
        let addresses =
            !canBlock
            ? []
            : detail.summary.entities.compactMap { entity -> PageModel? in
                guard entity.kind == .address, let value = entity.value, !blocked.contains(value) else { return nil }
                return [
                    "value": value, "incidentID": detail.summary.id, "formToken": formToken(context),
                    "reason": "\(detail.summary.id) \(detail.summary.title)",
                ]
            }
        guard !leases.isEmpty || !addresses.isEmpty else { return nil }
        return [
            "rows": leases.map { LeaseModels.row($0, now: now, signedIn: context.signedIn) }, "hasRows": !leases.isEmpty,
            "addresses": Array(addresses.prefix(5)), "newPath": "/leases/new?incident=\(FormFields.encode(detail.summary.id))",
            "canOrder": canBlock,
        ]
    }

    private func leasePage(_ request: Request, context: ConsoleContext, isUndoing: Bool = false) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let lease = try await lease(context)
        let now = dependencies.now()
        var model = LeaseModels.row(lease, now: now, signedIn: context.signedIn)
        model["formToken"] = formToken(context)
        model["isUndoing"] = isUndoing && lease.canBeUndone
        model["canApprove"] = lease.phase == "requested" && (context.signedIn?.role ?? .viewer) >= .commander
        model["canProve"] = lease.isOpen && (context.signedIn?.role ?? .viewer) >= .responder
        // Nobody can try as the attacker of an incident that is real.
        if ["applied", "in_force", "not_in_force"].contains(lease.phase), (context.signedIn?.role ?? .viewer) >= .responder,
            let reader = context.reader,
            let incident = try await dependencies.incidents.summary(ofIncident: lease.incident, reader: reader)
        {
            model["canBeProbed"] = incident.kind == .test || incident.kind == .drill
        }
        return answer(
            "lease", model, title: "\(lease.verbWords) \(lease.target)", section: "leases", sequence: sequence, request: request,
            context: context)
    }

    private func leaseForm(
        _ order: LeaseOrder, _ request: Request, context: ConsoleContext, wantsPreview: Bool = false, problem: String? = nil
    ) async throws -> Response {
        try need(.responder, context)
        let now = dependencies.now()
        var problem = problem
        var model: PageModel = [
            "formToken": formToken(context), "target": order.target, "reason": order.reason, "incidentID": order.incident,
            "duration": order.duration, "scope": order.scope, "enforcer": order.enforcer,
            "verbs": try await keeping().verbs().filter { $0.role <= (context.signedIn?.role ?? .viewer) }.map {
                verb -> PageModel in
                [
                    "name": verb.name, "label": "\(verb.words) (\(verb.enforcers.joined(separator: ", ")))",
                    "isChosen": verb.name == order.verb,
                ]
            },
        ]
        model["hasVerbs"] = try await !keeping().verbs().isEmpty
        if wantsPreview {
            try await check(order, context: context)
            do {
                model["preview"] = LeaseModels.preview(try await keeping().preview(order), order, now: now)
            } catch let refusal as any OrderRefusing {
                problem = refusal.sentence
            }
        }
        if let problem { model["problem"] = problem }
        var response = answer(
            "lease-new", model, title: "New lease", section: "leases", sequence: dependencies.updates.sequence, request: request,
            context: context)
        if problem != nil { response.status = .unprocessableContent }
        return response
    }
}

extension LeaseOrder {
    /// As forms and queries have it.
    init(_ fields: FormFields) {
        var parameters: [String: String] = [:]
        for name in ["requests", "seconds", "retry_after", "method", "before"] {
            if let value = fields[name], !value.isEmpty { parameters[name] = value }
        }
        let scope = fields["scope"] ?? ""
        self.init(
            verb: fields["verb"] ?? "block_address", target: fields["target"] ?? "", scope: scope.isEmpty ? "platform" : scope,
            reason: fields["reason"] ?? "", incident: (fields["incident"] ?? "").uppercased(),
            duration: fields["duration"] ?? "1h",
            enforcer: fields["enforcer"] ?? "", parameters: parameters)
    }
}

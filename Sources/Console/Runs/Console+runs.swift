import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import NIOCore

extension Console {
    func addRunRoutes(to routes: ConsoleRoutes) {
        routes.get("runs", .viewer) { request, context in try await runsPage(request, context: context) }
        routes.get("runs/:id", .viewer) { request, context in try await runPage(request, context: context) }
        // Starting and trusting name no run.
        routes.post("runs", .responder) { request, context in
            let (order, result) = try await carryOutRun(request, run: nil, context: context)
            if case .start = order { return HTTPAnswer.redirect(to: "/runs/\(FormFields.encode(result))") }
            return HTTPAnswer.redirect(to: "/runs")
        }
        routes.post("runs/:id/orders", .responder) { request, context in
            let id = try context.parameters.require("id")
            let (_, result) = try await carryOutRun(request, run: id, context: context)
            return HTTPAnswer.redirect(to: "/runs/\(FormFields.encode(result))")
        }
        // Where a browser comes back to after signing in again.
        routes.get("runs/:id/orders", .viewer) { _, context in
            HTTPAnswer.redirect(to: "/runs/\(FormFields.encode(context.parameters.get("id") ?? ""))")
        }
    }

    /// The pages' twins for programs; orders are forms there, too.
    func addRunAPIRoutes(to routes: ConsoleRoutes) {
        routes.get("runs", .viewer) { request, context in
            let incident = FormFields(query: request.uri.query)["incident"]
            let runs = try await readable(try directing().views(of: incident), context: context)
            return try HTTPAnswer.json(APIRunList(runs: runs.map { APIRun($0, withSteps: false) }))
        }
        routes.get("runs/:id", .viewer) { _, context in
            try HTTPAnswer.json(APIRun(try await readableRun(try context.parameters.require("id"), context: context)))
        }
        routes.get("playbooks", .viewer) { _, _ in
            try HTTPAnswer.json(APIPlaybookList(playbooks: await directing().playbooks().map(APIPlaybook.init)))
        }
        routes.post("runs", .responder) { request, context in
            try await answered(try await carryOutRun(request, run: nil, verb: "start", context: context).result, context)
        }
        routes.post("runs/:id/approve", .responder) { request, context in
            let id = try context.parameters.require("id")
            return try await answered(try await carryOutRun(request, run: id, verb: "approve", context: context).result, context)
        }
        routes.post("runs/:id/steps/:step/done", .responder) { request, context in
            let id = try context.parameters.require("id")
            let step = try context.parameters.require("step")
            return try await answered(
                try await carryOutRun(request, run: id, verb: "done", step: step, context: context).result, context)
        }
        routes.post("runs/:id/orders", .responder) { request, context in
            let id = try context.parameters.require("id")
            return try await answered(try await carryOutRun(request, run: id, context: context).result, context)
        }
    }

    private func answered(_ run: String, _ context: ConsoleContext) async throws -> Response {
        try HTTPAnswer.json(APIRun(try await readableRun(run, context: context)))
    }

    private func directing() throws -> any RunDirecting {
        guard let runs = dependencies.runs else { throw ConsoleFailure.notFound }
        return runs
    }

    /// Need-to-know holds for the runs of an incident, too.
    private func readable(_ runs: [RunView], context: ConsoleContext) async throws -> [RunView] {
        var shown: [RunView] = []
        for run in runs where try await !isHidden(run.incident, from: context) { shown.append(run) }
        return shown
    }

    private func readableRun(_ id: String, context: ConsoleContext) async throws -> RunView {
        guard let run = await (try directing()).view(id), try await !isHidden(run.incident, from: context) else {
            throw ConsoleFailure(
                status: .notFound, code: "no_such_run", title: "There is no run \(id.prefix(60))",
                advice: "Look for it in the list.")
        }
        return run
    }

    /// An order as a form sends it: `verb`, `step`, `text`, `incident`, `playbook`, `hash`, and variables by name.
    private func carryOutRun(
        _ request: Request, run: String?, verb: String? = nil, step: String? = nil, context: ConsoleContext
    ) async throws -> (order: RunOrder, result: String) {
        guard let signedIn = context.signedIn else { throw ConsoleFailure.signInNeeded }
        guard signedIn.role >= .responder else { throw ConsoleFailure.roleNeeded(.responder) }
        let fields = try await FormFields(bodyOf: request)
        var arguments: [String: String] = [:]
        for name in ["playbook", "step", "ending", "hash"] { arguments[name] = fields[name] }
        for name in fields.names where name.hasPrefix("__") { arguments[name] = fields[name] }
        if let step { arguments["step"] = step }
        if let run {
            // Also where it is hidden: then there is no such run.
            _ = try await readableRun(run, context: context)
            arguments["run"] = run
        }
        let incident = fields["incident"] ?? ""
        if !incident.isEmpty, try await isHidden(incident, from: context) { throw ConsoleFailure.noIncident(incident) }
        let order = try RunOrder(verb: verb ?? fields["verb"] ?? "", arguments, incident: incident, text: fields["text"])
        let result = try await (try directing()).carryOut(order, by: RunPerson(id: signedIn.accountID, role: signedIn.role))
        return (order, result)
    }

    // MARK: Pages

    private func runsPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let now = dependencies.now()
        let runs = try await readable(await dependencies.runs?.views(of: nil) ?? [], context: context)
        let playbooks = await dependencies.runs?.playbooks() ?? []
        let model: PageModel = [
            "runs": runs.prefix(500).map { RunModels.row($0, now: now) }, "isEmpty": runs.isEmpty,
            "playbooks": playbooks.map { RunModels.playbook($0, csrf: formToken(context), signedIn: context.signedIn) },
        ]
        return answer(
            "runs", model, title: "Runs", section: "runs", sequence: sequence, request: request, context: context)
    }

    private func runPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let run = try await readableRun(try context.parameters.require("id"), context: context)
        let model = RunModels.run(run, csrf: formToken(context), signedIn: context.signedIn, now: dependencies.now())
        return answer(
            "run", model, title: "\(run.id) \(run.playbook)", section: "runs", sequence: sequence, request: request,
            context: context)
    }

    /// The checklist of an incident's page.
    func runModels(of incident: String, context: ConsoleContext) async throws -> [PageModel] {
        let now = dependencies.now()
        return (await dependencies.runs?.views(of: incident) ?? []).map {
            RunModels.run($0, csrf: formToken(context), signedIn: context.signedIn, now: now)
        }
    }

    func notStarted(for incident: String) async -> [PageModel] {
        (await dependencies.runs?.notStarted(for: incident) ?? []).map { ["playbook": $0.playbook, "reason": $0.reason] }
    }

    /// A form for each playbook that may run; none for those who only look.
    func startForms(for incident: String, context: ConsoleContext) async -> [PageModel] {
        guard let signedIn = context.signedIn, signedIn.role >= .responder else { return [] }
        return (await dependencies.runs?.playbooks() ?? []).filter(\.problems.isEmpty).map { playbook in
            [
                "id": playbook.id, "name": playbook.name, "incident": incident, "csrf": formToken(context),
                // What the incident says is put in by the server; here only what it may not know.
                "variables": playbook.variables.filter { $0.name != "__incident__" }.map { variable -> PageModel in
                    ["name": variable.name, "about": variable.about, "value": variable.value ?? ""]
                },
            ]
        }
    }
}

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import Incidents

extension Console {
    /// Rows on one page of the list.
    static let rowsPerPage = 50
    /// Findings on an incident page; `?findings=all` shows up to ``allFindings``.
    static let someFindings = 25
    static let allFindings = 1000

    func addIncidentRoutes(to routes: ConsoleRoutes) {
        routes.get("incidents", .viewer) { request, context in try await incidentList(request, context: context) }
        routes.get("incidents/:id", .viewer) { request, context in try await incidentPage(request, context: context) }
        routes.post("incidents/:id/orders", .responder) { request, context in
            HTTPAnswer.redirect(to: "/incidents/\(FormFields.encode(try await carryOut(request, context: context)))")
        }
    }

    private func incidentList(_ request: Request, context: ConsoleContext) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let filter = IncidentFilter(FormFields(query: request.uri.query))
        let page = try await dependencies.incidents.incidents(
            matching: filter.query(rows: Self.rowsPerPage, reader: context.reader))
        let now = dependencies.now()
        var model: PageModel = [
            "search": filter.search,
            "includesClosed": filter.includesClosed,
            "rows": page.incidents.map { IncidentModels.row($0, now: now) },
            "total": NumberText.grouped(page.total),
            "isOne": page.total == 1,
            "isEmpty": page.incidents.isEmpty,
            "isFiltered": filter.isFiltered,
        ]
        model["quiet"] = await silencesInForce()
        model["views"] = try await viewModel(of: filter, context: context)
        var choices: [PageModel] = []
        for severity in Severity.allCases.sorted(by: >) {
            let count = page.counts[severity] ?? 0
            var choice = IncidentModels.severity(severity)
            choice["isChosen"] = filter.severities.contains(severity)
            choice["count"] = NumberText.grouped(count)
            choice["isNone"] = count == 0
            choices.append(choice)
        }
        model["severities"] = choices
        if filter.page > 1 { model["newerPath"] = filter.path(page: filter.page - 1) }
        if filter.page * Self.rowsPerPage < page.total { model["olderPath"] = filter.path(page: filter.page + 1) }
        if let first = page.incidents.indices.first {
            let offset = (filter.page - 1) * Self.rowsPerPage
            model["range"] = "\(offset + first + 1)–\(offset + page.incidents.count)"
        }
        return answer(
            "incidents", model, title: "Incidents", section: "incidents", sequence: sequence, request: request, context: context)
    }

    /// Of its entities, the worst first, as the reader may know of it.
    func risks(of detail: IncidentDetail, context: ConsoleContext) async -> [RiskView] {
        await dependencies.states.risks(of: detail.summary.entities, for: context.reader, at: dependencies.now())
            .sorted { $0.risk.score > $1.risk.score }
    }

    private func incidentPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let id = try context.parameters.require("id")
        let fields = FormFields(query: request.uri.query)
        let (wantsAll, wantsTimeline) = (fields["findings"] == "all", fields["timeline"] == "all")
        guard
            let detail = try await dependencies.incidents.incident(
                id: id, maximumFindings: wantsAll ? Self.allFindings : Self.someFindings,
                maximumTimeline: wantsTimeline ? IncidentDetail.allTimeline : IncidentDetail.someTimeline, reader: context.reader)
        else { throw ConsoleFailure.noIncident(id) }
        let now = dependencies.now()
        var model = IncidentModels.detail(
            detail, silences: await silences(of: detail.findings),
            maySilence: dependencies.silences != nil && (context.signedIn?.role ?? .viewer) >= .responder, now: now)
        model = model.merging(RiskModels.model(detail, await risks(of: detail, context: context)))
        let items = try await dependencies.ledger.evidence(of: detail.summary.id)
        model["evidence"] = items.map { LedgerModels.evidence($0, now: now) }
        model["hasEvidence"] = !items.isEmpty
        model["evidenceCount"] = items.count
        model["formToken"] = formToken(context)
        if let state = await dependencies.states.state(of: detail.summary.id) {
            let policies = await dependencies.states.policies
            model = model.merging(ClockModels.model(policies.clocks.statuses(of: state), now: now))
            model = model.merging(PagingModels.model(state, policies, now: now))
            model["room"] = RoomModels.model(state, policies, signedIn: context.signedIn, now: now)
        }
        model["leases"] = try await leaseModel(of: detail, context: context, now: now)
        let runs = try await runModels(of: detail.summary.id, context: context)
        model["runs"] = runs
        model["hasRuns"] = !runs.isEmpty
        model["notStarted"] = await notStarted(for: detail.summary.id)
        let starts = detail.summary.phase == .closed ? [] : await startForms(for: detail.summary.id, context: context)
        model["starts"] = starts
        model["canStart"] = !starts.isEmpty
        model["orders"] = OrderForms.model(detail.summary, signedIn: context.signedIn)
        let path = "/incidents/\(FormFields.encode(detail.summary.id))"
        if !wantsAll { model["allPath"] = "\(path)?findings=all\(wantsTimeline ? "&timeline=all" : "")" }
        if !wantsTimeline { model["allTimelinePath"] = "\(path)?timeline=all\(wantsAll ? "&findings=all" : "")#timeline-title" }
        return answer(
            "incident", model, title: "\(detail.summary.id) \(detail.summary.title)", section: "incidents", sequence: sequence,
            request: request, context: context)
    }
}

/// What the list is narrowed to, as its address says it: `?q=…&severity=P0&severity=P1&closed=1&page=2`.
struct IncidentFilter: Equatable {
    private static let maximumSearch = 200
    /// Keeps the offset far from overflow.
    private static let maximumPage = 100_000

    var search: String
    /// Empty for all.
    var severities: Set<Severity>
    var includesClosed: Bool
    /// From 1.
    var page: Int

    init(_ fields: FormFields, includesClosedByDefault: Bool = false) {
        search = String((fields["q"] ?? "").prefix(Self.maximumSearch))
        severities = Set(fields.all("severity").compactMap { Severity($0) })
        includesClosed = fields["closed"].map { $0 == "1" } ?? includesClosedByDefault
        page = min(max(fields["page"].flatMap { Int($0) } ?? 1, 1), Self.maximumPage)
    }

    var isFiltered: Bool { !search.isEmpty || !severities.isEmpty || page > 1 }

    func query(rows: Int, reader: IncidentReader? = nil) -> IncidentQuery {
        IncidentQuery(
            search: search, severities: severities.isEmpty ? Set(Severity.allCases) : severities, includesClosed: includesClosed,
            limit: rows, offset: (page - 1) * rows, reader: reader)
    }

    func path(page: Int) -> String {
        var parts: [String] = []
        if !search.isEmpty { parts.append("q=\(FormFields.encode(search))") }
        for severity in severities.sorted(by: >) { parts.append("severity=\(severity.code)") }
        if includesClosed { parts.append("closed=1") }
        if page > 1 { parts.append("page=\(page)") }
        return parts.isEmpty ? "/incidents" : "/incidents?" + parts.joined(separator: "&")
    }
}

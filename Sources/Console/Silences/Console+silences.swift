import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import Incidents

extension Console {
    /// Findings that a silence's page shows.
    static let shownSilenced = 50
    /// Silences on one page of the list, of those that are over. Few are in force, and all of them stand on the first page.
    static let shownOver = 100

    func addSilenceRoutes(to routes: ConsoleRoutes) {
        routes.get("silences", .viewer) { request, context in try await silenceList(request, context: context) }
        routes.get("silences/new", .responder) { request, context in
            try await silenceForm(FormFields(query: request.uri.query), request, context: context)
        }
        routes.post("silences/preview", .responder) { request, context in
            try await silenceForm(try await FormFields(bodyOf: request), request, context: context, isAsked: true)
        }
        // Where a browser comes back to after signing in again.
        routes.get("silences/preview", .responder) { _, _ in HTTPAnswer.redirect(to: "/silences/new") }
        routes.post("silences", .responder) { request, context in
            let fields = try await FormFields(bodyOf: request)
            do {
                return HTTPAnswer.redirect(to: SilenceModels.path(try await create(fields, context: context).silence.id))
            } catch let refusal as SilenceRefusal where refusal.code != .forbidden {
                return try await silenceForm(fields, request, context: context, problem: refusal)
            }
        }
        routes.get("silences/:id", .viewer) { request, context in try await silencePage(request, context: context) }
        routes.get("silences/:id/end", .responder) { request, context in
            try await silencePage(request, context: context, isEnding: true)
        }
        routes.post("silences/:id/end", .responder) { request, context in
            let ended = try await endSilence(try await FormFields(bodyOf: request), context: context)
            return HTTPAnswer.redirect(to: SilenceModels.path(ended.silence.id))
        }
    }

    func addSilenceAPI(to routes: ConsoleRoutes) {
        routes.get("silences", .viewer) { request, context in
            let (includesOver, now) = (FormFields(query: request.uri.query)["all"] == "1", dependencies.now())
            let silences = try await keepingSilences().silences().filter { includesOver || $0.state(at: now) == .active }
            return try HTTPAnswer.json(APISilenceList(try await silenceViews(of: silences, context: context), at: now))
        }
        routes.post("silences", .responder) { request, context in
            let made = try await create(try await FormFields(bodyOf: request), context: context)
            return try HTTPAnswer.json(APISilence(made, at: dependencies.now()), status: .created)
        }
        routes.post("silences/preview", .responder) { request, context in
            let fields = try await FormFields(bodyOf: request)
            return try HTTPAnswer.json(APISilencePreview(try await preview(fields, context: context)))
        }
        routes.get("silences/:id", .viewer) { _, context in
            try HTTPAnswer.json(APISilence(try await silence(context), at: dependencies.now()))
        }
        routes.post("silences/:id/end", .responder) { request, context in
            let ended = try await endSilence(try await FormFields(bodyOf: request), context: context)
            return try HTTPAnswer.json(APISilence(ended, at: dependencies.now()))
        }
    }

    // MARK: What both do

    private func keepingSilences() throws -> any SilenceKeeping {
        guard let silences = dependencies.silences else { throw ConsoleFailure.notFound }
        return silences
    }

    private func silenceViews(of silences: [Silence], context: ConsoleContext) async throws -> [SilenceView] {
        let tallies = try await keepingSilences().tallies(for: context.reader)
        var views: [SilenceView] = []
        for silence in silences { views.append(try await view(silence, tallies[silence.id], context)) }
        return views
    }

    private func view(_ silence: Silence, _ tally: SilenceTally?, _ context: ConsoleContext) async throws -> SilenceView {
        SilenceView(
            silence, tally: tally ?? SilenceTally(), isWithheld: try await isHidden(silence.incident, from: context))
    }

    private func silence(_ context: ConsoleContext) async throws -> SilenceView {
        let id = context.parameters.get("id") ?? ""
        let keeping = try keepingSilences()
        guard let silence = await keeping.silences().first(where: { $0.id == id }) else {
            throw SilenceRefusal(.unknown, "there is no silence \(id.prefix(40))", "the list has those that there are")
        }
        return try await view(silence, try await keeping.tallies(for: context.reader)[id], context)
    }

    /// - Throws: 404 for an incident that this person may not know of, and what the fields are refused for.
    private func order(_ fields: FormFields, context: ConsoleContext) async throws -> SilenceOrder {
        let person = try signedIn(context)
        let draft = try SilenceDraft(SilenceModels.texts(fields))
        if let incident = draft.incident,
            try await dependencies.incidents.summary(ofIncident: incident, reader: context.reader) == nil
        {
            throw ConsoleFailure.noIncident(incident)
        }
        return SilenceOrder(
            .create(draft), by: Author(id: person.accountID, name: person.accountName), isCommander: person.role >= .commander)
    }

    private func preview(_ fields: FormFields, context: ConsoleContext) async throws -> SilencePreview {
        try await keepingSilences().preview(try await order(fields, context: context), for: context.reader)
    }

    private func create(_ fields: FormFields, context: ConsoleContext) async throws -> SilenceView {
        let made = try await keepingSilences().carryOut(try await order(fields, context: context))
        return try await view(made, nil, context)
    }

    /// Whoever may make one may end any: the safe side is open to all of them.
    private func endSilence(_ fields: FormFields, context: ConsoleContext) async throws -> SilenceView {
        let person = try signedIn(context)
        let id = context.parameters.get("id") ?? ""
        _ = try await keepingSilences().carryOut(
            SilenceOrder(
                .end(id: id, reason: fields["reason"] ?? ""), by: Author(id: person.accountID, name: person.accountName),
                isCommander: person.role >= .commander))
        return try await silence(context)
    }

    // MARK: Pages

    private func silenceList(_ request: Request, context: ConsoleContext) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let now = dependencies.now()
        let titles = try await ruleTitles()
        let silences = try await keepingSilences().silences()
        let active = silences.filter { $0.state(at: now) == .active }
        let over = silences.filter { $0.state(at: now) != .active }
        let pages = max(1, (over.count + Self.shownOver - 1) / Self.shownOver)
        let page = min(max(FormFields(query: request.uri.query)["page"].flatMap { Int($0) } ?? 1, 1), pages)
        let shown = (page == 1 ? active : []) + over.dropFirst((page - 1) * Self.shownOver).prefix(Self.shownOver)
        let views = try await silenceViews(of: shown, context: context)
        let rows = { (isActive: Bool) -> [PageModel] in
            views.filter { ($0.silence.state(at: now) == .active) == isActive }.map {
                SilenceModels.row($0, titles: titles, now: now, signedIn: context.signedIn)
            }
        }
        let (activeRows, overRows) = (rows(true), rows(false))
        var model: PageModel = [
            "active": activeRows, "hasActive": !activeRows.isEmpty, "over": overRows, "hasOver": !overRows.isEmpty,
            "isQuiet": active.isEmpty, "activeCount": NumberText.grouped(active.count),
            "canMake": (context.signedIn?.role ?? .viewer) >= .responder,
        ]
        if page > 1 { model["newerPath"] = page == 2 ? "/silences" : "/silences?page=\(page - 1)" }
        if page < pages { model["olderPath"] = "/silences?page=\(page + 1)" }
        return answer(
            "silences", model, title: "Silences", section: "silences", sequence: sequence, request: request, context: context)
    }

    private func silencePage(_ request: Request, context: ConsoleContext, isEnding: Bool = false) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let view = try await silence(context)
        let now = dependencies.now()
        var model = SilenceModels.row(view, titles: try await ruleTitles(), now: now, signedIn: context.signedIn)
        model["formToken"] = formToken(context)
        model["isEnding"] = isEnding && model["canEnd"] as? Bool == true
        let findings =
            view.isWithheld
            ? []
            : try await keepingSilences().findings(
                takenBy: view.silence.id, limit: Self.shownSilenced, for: context.reader)
        model["findings"] = findings.map { finding -> PageModel in
            var row = IncidentModels.finding(finding, now: now)
            row["home"] = finding.incident.map { ["label": $0, "path": "/incidents/\(FormFields.encode($0))"] as PageModel }
            return row
        }
        model["isCut"] = findings.count < view.tally.findings
        model["shown"] = NumberText.grouped(findings.count)
        return answer(
            "silence", model, title: "\(view.silence.id)", section: "silences", sequence: sequence, request: request,
            context: context)
    }

    private func silenceForm(
        _ fields: FormFields, _ request: Request, context: ConsoleContext, isAsked: Bool = false, problem: SilenceRefusal? = nil
    ) async throws -> Response {
        _ = try keepingSilences()
        var problem = problem
        var model = SilenceModels.form(fields, rules: await dependencies.rules())
        model["formToken"] = formToken(context)
        model["isResponder"] = (context.signedIn?.role ?? .viewer) < .commander
        if isAsked {
            do {
                let preview = try await preview(fields, context: context)
                model["preview"] = SilenceModels.preview(preview, fields, now: dependencies.now())
            } catch let refusal as SilenceRefusal where refusal.code != .forbidden {
                problem = refusal
            }
        }
        if let problem { model["problem"] = problem.sentence }
        var response = answer(
            "silence-new", model, title: "New silence", section: "silences", sequence: dependencies.updates.sequence,
            request: request, context: context)
        if problem != nil { response.status = .unprocessableContent }
        return response
    }

    private func ruleTitles() async throws -> [String: String] {
        await dependencies.rules().reduce(into: [:]) { $0[$1.id] = $1.title }
    }

    // MARK: What other pages show

    /// Those that findings of an incident name.
    func silences(of findings: [FindingView]) async -> [String: Silence] {
        guard findings.contains(where: { $0.silence != nil }), let keeping = dependencies.silences else { return [:] }
        let named = Set(findings.compactMap(\.silence))
        return await keeping.silences().reduce(into: [:]) { if named.contains($1.id) { $0[$1.id] = $1 } }
    }

    /// Whoever looks at a quiet list is told what keeps it quiet; `nil` where nothing does.
    func silencesInForce() async -> String? {
        guard let keeping = dependencies.silences else { return nil }
        let now = dependencies.now()
        let active = await keeping.silences().filter { $0.state(at: now) == .active }
        let counts = Silence.Kind.allCases.map { kind in (kind, active.count { $0.kind == kind }) }.filter { $0.1 > 0 }
        guard !counts.isEmpty else { return nil }
        let words = counts.map { "\($1) \($0.rawValue)\($1 == 1 ? "" : "s")" }.joined(separator: " and ")
        return "\(words) in force"
    }
}

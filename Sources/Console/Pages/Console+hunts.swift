import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import NIOCore

extension Console {
    /// Lines of logs are more than incidents show: viewers do not hunt.
    func addHuntRoutes(to routes: ConsoleRoutes) {
        routes.get("hunts", .responder) { request, context in try await huntsPage(request, context: context) }
        routes.post("hunts", .responder) { request, context in try await startHunt(request, context: context) }
        routes.get("hunts/:id", .responder) { request, context in try await huntPage(request, context: context) }
        routes.post("hunts/:id/cancel", .responder) { request, context in
            let hunts = try hunting()
            let id = context.parameters.get("id") ?? ""
            try await hunts.cancel(id, by: context.signedIn?.accountName ?? "")
            return HTTPAnswer.redirect(to: "/hunts/\(FormFields.encode(id))")
        }
        // Where a browser comes back to after signing in again.
        routes.get("hunts/:id/cancel", .responder) { _, context in
            HTTPAnswer.redirect(to: "/hunts/\(FormFields.encode(context.parameters.get("id") ?? ""))")
        }
    }

    private func hunting() throws -> any HuntRunning {
        guard let hunts = dependencies.hunts else {
            throw ConsoleFailure(
                status: .notFound, code: "no_archive", title: "There is no archive to hunt in",
                advice: "Set archive.enabled in the configuration.")
        }
        return hunts
    }

    private func huntsPage(
        _ request: Request, context: ConsoleContext, entered: FormFields? = nil, problem: String? = nil
    ) async throws -> Response {
        let hunts = try hunting()
        let now = dependencies.now()
        // Whole seconds: the present is inside.
        let second = Timestamp(seconds: now.seconds + 1)
        let list = await hunts.hunts()
        var model: PageModel = [
            "formToken": formToken(context), "rule": entered?["rule"] ?? "", "filter": entered?["filter"] ?? "",
            "countBy": entered?["count_by"] ?? "",
            "since": entered?["since"] ?? second.advanced(bySeconds: -86_400).rfc3339,
            "until": entered?["until"] ?? second.rfc3339,
            "hunts": list.map { HuntModels.row($0, now: now) }, "isEmpty": list.isEmpty,
        ]
        model["problem"] = problem
        var response = answer(
            "hunts", model, title: "Hunts", section: "hunts", sequence: dependencies.updates.sequence, request: request,
            context: context)
        if problem != nil { response.status = .unprocessableContent }
        return response
    }

    private func startHunt(_ request: Request, context: ConsoleContext) async throws -> Response {
        let hunts = try hunting()
        let fields = try await FormFields(bodyOf: request)
        guard let since = Timestamp(rfc3339: fields["since"] ?? ""), let until = Timestamp(rfc3339: fields["until"] ?? ""),
            since < until
        else {
            return try await huntsPage(
                request, context: context, entered: fields,
                problem: "Two times are needed, such as 2026-03-01T12:00:00Z, the first before the second.")
        }
        let question = HuntQuestion(
            rule: fields["rule"] ?? "", filter: fields["filter"] ?? "", countBy: fields["count_by"] ?? "", since: since,
            until: until)
        do {
            let id = try await hunts.start(question, by: context.signedIn?.accountName ?? "")
            return HTTPAnswer.redirect(to: "/hunts/\(id)")
        } catch let refusal as HuntRefusal {
            return try await huntsPage(request, context: context, entered: fields, problem: refusal.reason)
        }
    }

    private func huntPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        guard let hunt = await (try hunting()).hunt(context.parameters.get("id") ?? "") else {
            throw ConsoleFailure.notFound
        }
        var model = HuntModels.page(hunt, now: dependencies.now())
        model["formToken"] = formToken(context)
        var response = answer(
            "hunt", model, title: "Hunt", section: "hunts", sequence: dependencies.updates.sequence, request: request,
            context: context)
        // Without JavaScript the page asks again by itself; with it, only the inside is fetched, and this changes nothing.
        if hunt.state == .running { response.headers[named: "refresh"] = "3" }
        return response
    }
}

/// Turns hunts into what their templates show.
enum HuntModels {
    static func row(_ hunt: HuntView, now: Timestamp) -> PageModel {
        [
            "id": hunt.id, "account": hunt.account, "state": hunt.state.rawValue,
            "started": TimeText.model(hunt.started, now: now),
            "results": NumberText.grouped(hunt.results),
            "question": hunt.question.filter.isEmpty ? String(hunt.question.rule.prefix(80)) : hunt.question.filter,
        ]
    }

    static func page(_ hunt: HuntView, now: Timestamp) -> PageModel {
        row(hunt, now: now).merging([
            "percent": Int(hunt.fraction * 100), "isRunning": hunt.state == .running, "lines": NumberText.grouped(hunt.lines),
            "since": hunt.question.since.rfc3339, "until": hunt.question.until.rfc3339, "rule": hunt.question.rule,
            "hasRule": !hunt.question.rule.isEmpty, "filter": hunt.question.filter, "hasFilter": !hunt.question.filter.isEmpty,
            "rows": hunt.rows.map { row -> PageModel in
                [
                    "time": TimeText.model(row.time, now: now), "title": row.title, "hasTitle": !row.title.isEmpty,
                    "source": row.source, "line": row.line, "text": row.text,
                ]
            },
            "shown": hunt.rows.count, "isCut": hunt.results > hunt.rows.count, "problems": hunt.problems,
            "hasCounts": !hunt.question.countBy.isEmpty, "countBy": hunt.question.countBy,
            "distinct": NumberText.grouped(hunt.distinct),
            "counts": hunt.counts.map { ["value": $0.value, "count": NumberText.grouped($0.count)] as PageModel },
        ])
    }
}

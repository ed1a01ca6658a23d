import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import Incidents

extension Console {
    /// Filters of the incident list that people keep.
    func addViewRoutes(to routes: ConsoleRoutes) {
        routes.get("views", .viewer) { request, context in try await viewsPage(request, context: context) }
        routes.post("views", .viewer) { request, context in
            let view = try await save(try await FormFields(bodyOf: request), context: context)
            return HTTPAnswer.redirect(to: IncidentFilter(view.filter).path(page: 1))
        }
        routes.post("views/:id", .viewer) { request, context in
            let fields = try await FormFields(bodyOf: request)
            let action = try ViewModels.action(fields, on: try context.parameters.require("id"))
            _ = try await carryOut(action, context: context)
            return HTTPAnswer.redirect(to: "/views")
        }
        // Where a browser comes back to after signing in again.
        routes.get("views/:id", .viewer) { _, _ in HTTPAnswer.redirect(to: "/views") }
    }

    func addViewAPI(to routes: ConsoleRoutes) {
        routes.get("views", .viewer) { _, context in
            let account = try signedIn(context).accountID
            let views = await dependencies.views?.views(for: account) ?? []
            return try HTTPAnswer.json(APIViewList(views: views.map { APIView($0, account: account) }))
        }
        routes.post("views", .viewer) { request, context in
            let view = try await save(try await FormFields(bodyOf: request), context: context)
            return try HTTPAnswer.json(APIView(view, account: view.owner.id), status: .created)
        }
        routes.post("views/:id", .viewer) { request, context in
            let fields = try await FormFields(bodyOf: request)
            let action = SavedViewOrder.Action.change(
                id: try context.parameters.require("id"), name: fields["name"], isShared: fields["shared"].map { $0 == "1" },
                isPinned: fields["pinned"].map { $0 == "1" })
            guard let view = try await carryOut(action, context: context) else { throw ConsoleFailure.internalError }
            return try HTTPAnswer.json(APIView(view, account: view.owner.id))
        }
        routes.delete("views/:id", .viewer) { _, context in
            _ = try await carryOut(.delete(id: try context.parameters.require("id")), context: context)
            return Response(status: .noContent)
        }
    }

    private func save(_ fields: FormFields, context: ConsoleContext) async throws -> SavedView {
        let person = try signedIn(context)
        // As the list itself reads its address.
        let filter = IncidentFilter(fields)
        let view = SavedView(
            id: SecretToken(bits: 64, from: .system).text, name: fields["name"] ?? "", filter: filter.saved,
            owner: Author(id: person.accountID, name: person.accountName), isShared: fields["shared"] == "1",
            isPinned: fields["pinned"] != "0")
        guard let saved = try await carryOut(.save(view), context: context) else { throw ConsoleFailure.internalError }
        return saved
    }

    private func carryOut(_ action: SavedViewOrder.Action, context: ConsoleContext) async throws -> SavedView? {
        let person = try signedIn(context)
        guard let views = dependencies.views else { throw ConsoleFailure.notFound }
        return try await views.carryOut(
            SavedViewOrder(
                action, by: Author(id: person.accountID, name: person.accountName), mayShare: person.role >= .responder,
                mayTidy: person.role >= .admin))
    }

    private func viewsPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        let person = try signedIn(context)
        let views = await dependencies.views?.views(for: person.accountID) ?? []
        let model: PageModel = [
            "isEmpty": views.isEmpty, "formToken": formToken(context),
            "rows": views.map { view -> PageModel in
                let isOwn = view.owner.id == person.accountID
                var row = ViewModels.tab(view)
                row["id"] = view.id
                row["filter"] = ViewModels.words(view.filter)
                row["owner"] = isOwn ? "you" : view.owner.label
                row["isShared"] = view.isShared
                row["isPinned"] = view.isPinned
                row["isOwn"] = isOwn
                row["mayShare"] = person.role >= .responder
                row["mayDelete"] = isOwn || person.role >= .admin
                row["formToken"] = formToken(context)
                return row
            },
        ]
        return answer(
            "views", model, title: "Saved views", section: "incidents", sequence: dependencies.updates.sequence, request: request,
            context: context)
    }

    /// What the list shows of views: tabs, and a form to keep the present filter.
    func viewModel(of filter: IncidentFilter, context: ConsoleContext) async throws -> PageModel? {
        guard let views = dependencies.views else { return nil }
        let person = try signedIn(context)
        let mine = await views.views(for: person.accountID)
        let tabs = mine.filter(\.isPinned).map { view -> PageModel in
            var tab = ViewModels.tab(view)
            tab["isCurrent"] = filter.saved == view.filter
            return tab
        }
        let everything = IncidentFilter(SavedView.Filter())
        return [
            "tabs": tabs, "hasTabs": !tabs.isEmpty, "isAll": filter.saved == everything.saved, "hasAny": !mine.isEmpty,
            "canSave": !mine.contains { $0.filter == filter.saved } && filter.saved != everything.saved,
            "words": ViewModels.words(filter.saved), "search": filter.search, "includesClosed": filter.includesClosed,
            "severities": filter.severities.sorted(by: >).map(\.code), "mayShare": person.role >= .responder,
            "formToken": formToken(context),
        ]
    }
}

enum ViewModels {
    /// What a button of the page asks for.
    static func action(_ fields: FormFields, on id: String) throws(SavedViewRefusal) -> SavedViewOrder.Action {
        switch fields["verb"] {
        case "delete": .delete(id: id)
        case "rename": .change(id: id, name: fields["name"] ?? "", isShared: nil, isPinned: nil)
        case "share": .change(id: id, name: nil, isShared: true, isPinned: nil)
        case "unshare": .change(id: id, name: nil, isShared: false, isPinned: nil)
        case "pin": .change(id: id, name: nil, isShared: nil, isPinned: true)
        case "unpin": .change(id: id, name: nil, isShared: nil, isPinned: false)
        default:
            throw SavedViewRefusal(
                .invalid, "there is no such change", "known are rename, share, unshare, pin, unpin and delete")
        }
    }

    static func tab(_ view: SavedView) -> PageModel {
        ["name": view.name, "path": IncidentFilter(view.filter).path(page: 1), "isShared": view.isShared]
    }

    /// A filter as people say it.
    static func words(_ filter: SavedView.Filter) -> String {
        var words = filter.severities.isEmpty ? [] : [filter.severities.sorted(by: >).map(\.code).joined(separator: ", ")]
        if !filter.search.isEmpty { words.append("“\(filter.search)”") }
        words.append(filter.includesClosed ? "closed too" : "open")
        return words.joined(separator: ", ")
    }
}

extension IncidentFilter {
    /// What is kept of it: everything but the page.
    var saved: SavedView.Filter {
        SavedView.Filter(search: search, severities: severities, includesClosed: includesClosed)
    }

    init(_ filter: SavedView.Filter) {
        self.init(FormFields([]))
        search = filter.search
        severities = filter.severities
        includesClosed = filter.includesClosed
    }
}

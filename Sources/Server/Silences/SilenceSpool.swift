import Console
import Events
import Incidents
import Journal
import Logging

/// Orders about silences from commands that run beside a server, by files as `OrderSpool` has them.
package struct SilenceSpool: OrderSpooling {
    package let folder: OrderFolder

    package init(_ data: DataFolder) { folder = OrderFolder(data.path + "/orders/silences") }

    /// Carries out what waits, oldest first.
    func serve(_ desk: SilenceDesk, logger: Logger) async throws {
        try await folder.serve(logger: logger) { id, order in try await SilenceSpool.carryOut(order, id: id, desk) }
    }

    private static func carryOut(_ document: JSONValue, id: String, _ desk: SilenceDesk) async throws -> JSONValue {
        let text = { (name: String) in document[name]?.stringValue ?? "" }
        let texts = SilenceDraft.fields.reduce(into: [String: String]()) { $0[$1] = document[$1]?.stringValue }
        // Whoever may write into the data folder may do what Vigie can: the user is named, not asked for a role.
        let author = Author(id: text("by"), name: nil)
        let order = { (action: SilenceOrder.Action) in
            SilenceOrder(action, by: author, isCommander: true, request: "order/\(id)")
        }
        switch text("order") {
        case "list":
            let (tallies, now) = (try await desk.tallies(for: nil), desk.now())
            let views = await desk.silences().filter { text("all") == "true" || $0.state(at: now) == .active }.map {
                SilenceView($0, tally: tallies[$0.id] ?? SilenceTally())
            }
            return try JSONValue(parsing: try JSONBytes.encode(APISilenceList(views, at: now)))
        case "preview":
            let preview = try await desk.preview(order(.create(try SilenceDraft(texts))), for: nil)
            return try JSONValue(parsing: try JSONBytes.encode(APISilencePreview(preview)))
        case "add":
            let draft = try SilenceDraft(texts)
            if let incident = draft.incident, await desk.recorder.incident(incident) == nil {
                throw SilenceRefusal(.invalid, "there is no incident \(incident.prefix(40))", "see `vigie incidents list`")
            }
            return try await json(try await desk.carryOut(order(.create(draft))), desk)
        case "end":
            return try await json(
                try await desk.carryOut(order(.end(id: text("silence"), reason: texts["reason"] ?? ""))), desk)
        default: throw SilenceRefusal(.invalid, "that is no order", "use the `vigie` of the same version")
        }
    }

    private static func json(_ silence: Silence, _ desk: SilenceDesk) async throws -> JSONValue {
        let tally = try await desk.tallies(for: nil)[silence.id] ?? SilenceTally()
        return try JSONValue(parsing: try JSONBytes.encode(APISilence(SilenceView(silence, tally: tally), at: desk.now())))
    }
}

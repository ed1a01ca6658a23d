import Hummingbird
import HummingbirdCore
import Identity
import Incidents
import NIOCore

extension Console {
    /// What somebody wants done to an incident: `verb`, its arguments, and `text`, as a form sends them.
    ///
    /// - Returns: the incident's id.
    /// - Throws: 403 without the role that it needs, 404 for an incident that this person may not know of, and what the incident refuses.
    func carryOut(_ request: Request, context: ConsoleContext) async throws -> String {
        guard let signedIn = context.signedIn, let reader = context.reader else { throw ConsoleFailure.signInNeeded }
        let id = try context.parameters.require("id")
        let fields = try await FormFields(bodyOf: request)
        let verb = fields["verb"] ?? ""
        let role = OrderForms.role(for: verb)
        guard signedIn.role >= role else { throw ConsoleFailure.roleNeeded(role) }
        guard try await dependencies.incidents.summary(ofIncident: id, reader: reader) != nil else {
            throw ConsoleFailure.noIncident(id)
        }
        var arguments: [String: String] = [:]
        for name in OrderForms.arguments { arguments[name] = fields[name] }
        let text = fields["text"].flatMap { $0.isEmpty ? nil : $0 }
        try await dependencies.order(
            IncidentOrder(
                incident: id, verb: try IncidentOrder.Verb(verb, arguments),
                author: Author(id: signedIn.accountID, name: signedIn.accountName), at: dependencies.now(), text: text))
        return id
    }
}

extension Console {
    /// Need-to-know holds for the entries and the evidence of an incident, too.
    func isHidden(_ incident: String?, from context: ConsoleContext) async throws -> Bool {
        guard let incident, let reader = context.reader else { return false }
        return try await dependencies.incidents.isHidden(id: incident, from: reader)
    }
}

/// What can be done on an incident's page, and by whom.
enum OrderForms {
    static let arguments = [
        "to", "as", "role", "person", "kind", "value", "users", "data", "readers", "into", "reached", "clock",
        "title", "findings",
    ]

    /// The least role that may give such an order.
    static func role(for verb: String) -> Role {
        switch verb {
        case "severity", "close", "reopen", "merge", "split", "tlp", "restrict", "unrestrict": .commander
        default: .responder
        }
    }

    /// `nil` for those who only look.
    static func model(_ incident: IncidentSummary, signedIn: SignedIn?) -> PageModel? {
        guard let signedIn, signedIn.role >= .responder, incident.mergedInto == nil else { return nil }
        let path = "/incidents/\(FormFields.encode(incident.id))/orders"
        let csrf = signedIn.token?.proof(of: ForgeryProtection.purpose) ?? ""
        var forms: [PageModel] = []
        func add(
            _ verb: String, _ label: String, choices: [(name: String, label: String, options: [String])] = [],
            text: String? = nil, needsText: Bool = false
        ) {
            guard signedIn.role >= role(for: verb) else { return }
            var form: PageModel = ["path": path, "csrf": csrf, "verb": verb, "label": label, "needsText": needsText]
            form["choices"] = choices.map { choice -> PageModel in
                ["name": choice.name, "label": choice.label, "options": choice.options]
            }
            form["asksText"] = text != nil
            form["textLabel"] = text
            forms.append(form)
        }
        let isOpen = incident.phase != .closed
        if isOpen, incident.acknowledgedAt == nil { add("ack", "Acknowledge") }
        add("note", "Add note", text: "Note", needsText: true)
        if isOpen {
            add("update", "Send update", text: "Status update", needsText: true)
            if !incident.phase.successors.isEmpty {
                add(
                    "phase", "Change phase", choices: [("to", "Phase", incident.phase.successors.map(\.rawValue))],
                    text: "Reason")
            }
            let others = Severity.allCases.filter { $0 != incident.severity }.map(\.code)
            add("severity", "Change severity", choices: [("to", "Severity", others)], text: "Reason", needsText: true)
            let endings = Resolution.allCases.filter { $0.closable.contains(incident.phase) }.map(\.rawValue)
            if !endings.isEmpty { add("close", "Close", choices: [("as", "As", endings)], text: "Reason", needsText: true) }
        } else {
            add("reopen", "Open again", text: "Reason", needsText: true)
        }
        let next =
            !isOpen
            ? "Closed" : incident.acknowledgedAt == nil ? "Next: acknowledge it" : "Work on it: \(incident.phase.rawValue)"
        return ["forms": forms, "next": next]
    }
}

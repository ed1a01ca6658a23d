package import Console
import Events
import Incidents

extension RunOrder {
    /// Verbs of orders about runs, as they stand in the spool.
    package static let verbs = [
        "run.start", "run.approve", "run.refuse", "run.done", "run.cancel", "run.undo", "run.trust", "run.distrust",
    ]

    /// `nil` for an order about something else.
    init?(_ request: OrderSpool.Request) throws(RunRefusal) {
        guard request.verb.hasPrefix("run.") else { return nil }
        try self.init(verb: String(request.verb.dropFirst(4)), request.arguments, incident: request.incident, text: request.text)
    }
}

extension IncidentRefusal {
    /// As the spool carries it.
    init(_ refusal: RunRefusal) {
        let code: Code =
            switch refusal.code {
            case .unknown, .invalid: .invalid
            case .notAllowed: .notAllowed
            case .alreadyDone: .alreadyDone
            case .forbidden: .forbidden
            }
        self.init(code, refusal.reason, refusal.advice)
    }
}

import Events
import Incidents
import Journal

/// An incident's life as people give the orders: every accepted order is journalled and read again, so that what a test sees is
/// what a replay sees.
struct Desk {
    static let start = Timestamp(rfc3339: "2026-03-02T10:00:00Z") ?? Timestamp(seconds: 0)
    static let ana = Author(id: "0a", name: "ana")

    var ledger = IncidentLedger()
    var policies = Policies()
    /// Everything recorded, in order.
    var events: [IncidentEvent] = []

    init(policies: Policies = Policies()) { self.policies = policies }

    @discardableResult
    mutating func open(
        _ severity: Severity = .high, kind: IncidentKind = .real, at time: Timestamp = Desk.start
    ) throws -> String {
        let opening = try ledger.open(
            title: "Guessing", severity: severity, kind: kind, author: Desk.ana, request: nil, now: time)
        apply(opening, at: time)
        return opening[0].incident ?? ""
    }

    mutating func order(
        _ verb: IncidentOrder.Verb, _ incident: String = "SEC-2026-0001", minutes: Int64 = 0, text: String? = "because",
        request: String? = nil, by author: Author = Desk.ana
    ) throws {
        let time = Desk.start.advanced(bySeconds: minutes * 60)
        let order = IncidentOrder(incident: incident, verb: verb, author: author, at: time, text: text, request: request)
        apply(try ledger.decide(order, policies: policies, now: time), at: time)
    }

    mutating func apply(_ new: [IncidentEvent], at time: Timestamp) {
        for event in new { ledger.apply(event, recordedAt: time) }
        events += new
    }

    func state(_ id: String = "SEC-2026-0001") -> IncidentState? { ledger[id] }
}

extension Timestamp {
    static func minutes(_ minutes: Int64) -> Timestamp { Desk.start.advanced(bySeconds: minutes * 60) }
}

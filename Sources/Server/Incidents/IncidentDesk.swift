import Events
package import Incidents
import Storage

/// Where people's orders are carried out: from the console, the API, and commands.
package struct IncidentDesk: Sendable {
    let recorder: Recorder
    let projections: Projections
    package let policies: Policies
    let now: @Sendable () -> Timestamp

    /// - Returns: the incident afterwards.
    /// - Throws: `IncidentRefusal` when it cannot be done; nothing was then.
    @discardableResult
    package func carryOut(_ order: IncidentOrder) async throws -> IncidentState? {
        let (policies, time) = (policies, now())
        try await recorder.decide(at: time) { try $0.decide(order, policies: policies, now: time) }
        return await recorder.incident(order.incident)
    }

    /// Opens an incident on somebody's word.
    ///
    /// - Returns: its id; `nil` when the same request has opened one before.
    package func open(
        title: String, severity: Severity, kind: IncidentKind, author: Author, request: String?
    ) async throws -> String? {
        let time = now()
        let events = try await recorder.decide(at: time) {
            try $0.open(title: title, severity: severity, kind: kind, author: author, request: request, now: time)
        }
        return events.first?.incident
    }
}

extension IncidentDesk: IncidentStateReading {
    package func state(of incident: String) async -> IncidentState? { await recorder.incident(incident) }

    package func states() async -> [IncidentState] { await recorder.incidents() }
}

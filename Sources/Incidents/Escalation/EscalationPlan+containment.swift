package import Events

/// Pages about containment that does not hold. They go to whom the incident's route names first, also when somebody has acknowledged the
/// incident: what that person relies on is not there.
extension EscalationPlan {
    /// - Parameter key: of the outage; the same key pages once.
    package static func containment(
        of incident: IncidentState, key: String, text: String, _ policies: Policies, at time: Timestamp
    ) -> [PageEvent] {
        guard let route = policies.escalation.routes[incident.severity],
            let step = policies.escalation.policies[route]?.first, incident.kind == .real || incident.kind == .drill
        else { return [] }
        return step.targets.flatMap { target in
            intents(
                for: target, prefix: "\(incident.id)/\(incident.cycle)/\(key)/\(target.text)", incident, purpose: .containment,
                step: text, policies, at: time)
        }.filter { incident.pages[$0.key] == nil }.map {
            PageEvent(incident: incident.id, key: $0.key, at: time, what: .intended($0))
        }
    }

    /// What still waits to be told of an outage is not needed any more.
    package static func containmentIsBack(of incident: IncidentState, key: String, at time: Timestamp) -> [PageEvent] {
        incident.pages.values.sorted { $0.intent.key < $1.intent.key }.filter { page in
            page.intent.purpose == .containment && page.status == .waiting && page.intent.key.contains("/\(key)/")
        }.map {
            PageEvent(incident: incident.id, key: $0.intent.key, at: time, what: .cancelled(reason: "it is in force again"))
        }
    }
}

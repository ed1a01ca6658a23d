import Events
import Incidents
import Journal
import Response

/// `POST /api/v1/notices`: puts a notice on the incident's timeline. Responders read it there, and are paged by escalation.yml.
/// Others are told by a person: no channel of theirs is known here.
struct NoticeTarget: InProcessTarget {
    let paths: Set<String> = ["/api/v1/notices"]
    let desk: IncidentDesk

    func carryOut(_ request: InProcessRequest) async -> InProcessAnswer {
        guard let incident = request.incident, request.body["incident"]?.stringValue ?? incident == incident else {
            return .failed("a run tells of its own incident only")
        }
        guard let text = request.body["text"]?.stringValue, !text.isEmpty else { return .failed("the notice has no text") }
        let whom = request.body["to"]?.stringValue ?? "responders"
        let note = IncidentOrder(
            incident: incident, verb: .note, author: .system, at: desk.now(), text: "Notice to \(whom): \(text)",
            request: request.key)
        do {
            try await desk.carryOut(note)
        } catch {
            return .failed("\(error)")
        }
        guard whom == "responders" else {
            return .handedOver("the notice stands on the timeline; no channel to \(whom) is known: tell them yourself")
        }
        return .done(detail: "on the incident's timeline; pages go by escalation.yml")
    }
}

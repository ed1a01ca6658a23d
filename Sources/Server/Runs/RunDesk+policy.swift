import Console
import Events
import Incidents
import Journal
import Response
import Storage

/// What starts by itself.
extension RunDesk {
    /// Starts what policy says for an incident, each playbook once. What cannot start is written down, with the reason.
    func startByPolicy(_ incident: String) async throws {
        guard !policies.response.starts.isEmpty, let state = await recorder.incident(incident), state.kind == .real,
            !state.isClosed, state.mergedInto == nil
        else { return }
        // Most news is about incidents that everything was started for: the tables are not asked then.
        let rules = policies.response.starts.filter { rule in
            guard rule.severities.contains(state.severity), let playbook = playbookFiles.find(rule.playbook)?.playbook else {
                return false
            }
            return !ledger.hasTried(playbook.id, of: incident)
        }
        guard !rules.isEmpty else { return }
        let levels = try await projections.ruleLevels(ofIncident: incident)
        let fitting = rules.filter { $0.fits(state.severity, levels) }
        guard !fitting.isEmpty, let summary = try await projections.summary(ofIncident: incident) else { return }
        for rule in fitting {
            guard let file = playbookFiles.find(rule.playbook), let playbook = file.playbook,
                !ledger.hasTried(playbook.id, of: incident)
            else { continue }
            let values = RunVariables.values(of: playbook, for: summary, given: [:])
            let missing = RunVariables.missing(values, in: playbook)
            guard missing.isEmpty else {
                try await leave(
                    playbook, incident, "it needs \(missing.joined(separator: ", ")), which the incident does not say")
                continue
            }
            do {
                _ = try await begin(
                    playbook, from: file.origin, incident: incident, variables: values,
                    subjects: RunVariables.subjects(of: summary, values), by: RunStart.byPolicy)
            } catch let refusal as RunRefusal {
                try await leave(playbook, incident, refusal.reason)
            }
        }
    }

    private func leave(_ playbook: Playbook, _ incident: String, _ reason: String) async throws {
        let time = now()
        try await inTurn { desk in
            try await desk.record(
                EntryDraft(
                    type: RunLedger.notStartedType, occurredAt: time, actor: "system",
                    data: [
                        "incident": .string(incident), "playbook": .string(playbook.id.text), "reason": .string(reason),
                    ]))
        }
    }
}

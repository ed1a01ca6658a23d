import Console
import Events
import Foundation
import Incidents
import Journal
import Logging
import Response
import Storage

/// Puts together what runs playbooks.
enum RunWiring {
    /// Which playbooks are there, by hash; written at a start that finds others than the start before.
    static let loadedType = "playbooks.loaded"

    /// What the journal says.
    struct Journalled {
        var runs: RunLedger
        var playbooks: JSONValue?
    }

    static func make(
        _ options: ServerOptions, _ folder: DataFolder, _ journalled: Journalled, recorder: Recorder, projections: Projections,
        desk: IncidentDesk, collector: EvidenceCollector, evidence: EvidenceWatch, changes: RunDesk.Changes,
        updates: ConsoleUpdates, targets: [any InProcessTarget] = [], logger: Logger, now: @escaping @Sendable () -> Timestamp
    ) async throws -> RunDesk {
        let playbooks = try PlaybookFolder(own: options.playbooks, outside: options.outsidePlaybooks, now: now())
        for file in playbooks.files where file.hasErrors {
            logger.warning("\(file.path) is refused; `vigie respond lint` says why")
        }
        for warning in warnings(desk.policies, playbooks, options) { logger.warning("\(warning)") }
        if playbooks.record != journalled.playbooks ?? .array([]) {
            try await recorder.record(
                EntryDraft(type: loadedType, occurredAt: now(), actor: "system", data: ["playbooks": playbooks.record]), at: now()
            )
        }
        let own: [any InProcessTarget] = [
            EvidenceTarget(recorder: recorder, projections: projections, collector: collector, watch: evidence, now: now),
            NoticeTarget(desk: desk),
        ]
        let runners = CommandRunners(
            ssh: SSHRunner(keyFolder: folder.path + "/keys/ssh"),
            sigma: SigmaRunner(rulePaths: options.rules, sources: options.sources), inProcess: own + targets)
        return RunDesk(
            recorder: recorder, projections: projections, ledger: journalled.runs, playbooks: playbooks,
            store: PlaybookStore(folder), policies: desk.inForce, runners: runners, changes: changes, logger: logger, now: now
        ) { incident in updates.publish(sequence: Int(await recorder.count), incidentID: incident) }
    }

    /// What policies want to start, and is not there.
    static func warnings(_ policies: Policies, _ playbooks: PlaybookFolder, _ options: ServerOptions) -> [String] {
        policies.response.starts.filter { playbooks.find($0.playbook) == nil }.map { rule in
            "\(options.policies ?? PolicyFolder.standard)/response.yml:\(rule.line): there is no playbook '\(rule.playbook)'; nothing starts"
        }
    }
}

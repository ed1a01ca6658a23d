import ArgumentParser
import Events
import Foundation
import Journal
import Response
import Server

struct RespondShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show runs as the journal has them: all, those of an incident, or one with its steps.")

    @Argument(help: "A run (SEC-2026-0001-R1) or an incident (SEC-2026-0001). Default: all runs.")
    var id: String?

    @Option(help: "The data folder.")
    var data = "data"

    @Flag(help: "Print one JSON object per run, or per step.")
    var json = false

    func run() async throws {
        let ledger = try await RunOffice.ledger(of: DataFolder(path: data))
        let id = id?.uppercased()
        if let id, let run = ledger.runs[id] { return show(run) }
        let runs = ledger.runs.values.filter { id == nil || $0.start.incident == id }.sorted { $0.id < $1.id }
        if let id, runs.isEmpty { throw CommandFailure(.failed, "there is no run \(id) in \(data), nor one of such an incident") }
        for run in runs {
            if json {
                Output.line(FindingJSON.text(value(run)))
            } else {
                Output.line(
                    "\(run.id)  \(run.start.playbook)  \(run.state.startedAt?.rfc3339 ?? "")  by \(run.start.startedBy)  \(ending(run))"
                )
            }
        }
    }

    private func ending(_ run: RunLedger.Run) -> String { run.state.outcome?.rawValue ?? "going on" }

    private func value(_ run: RunLedger.Run) -> JSONValue {
        [
            "id": .string(run.id), "incident": run.start.incident.map { .string($0) } ?? .null,
            "playbook": .string(run.start.playbook.text), "hash": .string(run.start.contentHash),
            "started_by": .string(run.start.startedBy), "started_at": run.state.startedAt.map { .string($0.rfc3339) } ?? .null,
            "finished_at": run.state.finishedAt.map { .string($0.rfc3339) } ?? .null,
            "outcome": run.state.outcome.map { .string($0.rawValue) } ?? .null,
        ]
    }

    private func show(_ run: RunLedger.Run) {
        if !json { Output.line("\(run.id)  \(run.start.playbook)  by \(run.start.startedBy)  \(ending(run))") }
        for (index, execution) in run.state.executions.enumerated() {
            let (status, notes) = describe(execution, isOver: run.state.isFinished)
            if json {
                Output.line(
                    FindingJSON.text([
                        "execution": .integer(Int64(index)), "step": .string(execution.entry.step.text),
                        "status": .string(status), "entered_at": .string(execution.enteredAt.rfc3339),
                        "finished_at": execution.finishedAt.map { .string($0.rfc3339) } ?? .null,
                        "notes": .array(notes.map { .string($0) }),
                    ]))
            } else {
                let text = "  \(index)  \(execution.enteredAt.rfc3339)  \(execution.entry.step)  \(status)"
                Output.line(IncidentText.printable(([text] + notes).joined(separator: "  ")))
            }
        }
    }

    private func describe(_ execution: RunState.Execution, isOver: Bool) -> (status: String, notes: [String]) {
        var notes: [String] = []
        var status = isOver ? "not ended" : "going on"
        if let request = execution.approval, execution.approvedAt == nil, execution.outcome == nil {
            status = "waiting for approval"
            notes.append("\(request.people) × \(request.role), impact \(request.impact)")
        }
        for (_, state) in execution.commands.sorted(by: { $0.key.command < $1.key.command }) {
            switch state {
            case .started: continue
            case .unknown: status = "outcome unknown"
            case .handedOver(_, let reason):
                status = "waiting for a person"
                notes.append(reason)
            case .finished(let result):
                notes.append((result.by.map { "\($0): " } ?? "") + "\(result.ending.rawValue) \(result.detail)")
            }
        }
        switch execution.outcome {
        case .succeeded: status = "done"
        case .failed(let failure): (status, notes) = ("failed", notes + ["\(failure.code.rawValue): \(failure.detail)"])
        case nil: break
        }
        return (status, notes)
    }
}

import Console
import Events
import Foundation
import Journal
import Response

/// Runs as people see them.
extension RunDesk: RunDirecting {
    func views(of incident: String?) async -> [RunView] {
        let ids = incident.map { ledger.byIncident[$0] ?? [] } ?? Array(ledger.runs.keys)
        return ids.compactMap { ledger.runs[$0] }.sorted {
            ($0.state.startedAt ?? $0.state.finishedAt ?? .init(seconds: 0), $0.number)
                > ($1.state.startedAt ?? $1.state.finishedAt ?? .init(seconds: 0), $1.number)
        }.map(view)
    }

    func view(_ run: String) async -> RunView? { ledger.runs[run].map(view) }

    func notStarted(for incident: String) async -> [(playbook: String, reason: String)] {
        (ledger.notStarted[incident] ?? []).filter { skipped in
            // Somebody has started it since.
            !(ledger.byIncident[incident] ?? []).contains { ledger.runs[$0]?.start.playbook == skipped.playbook }
        }.map { (playbookFiles.library.find($0.playbook)?.name ?? $0.playbook.text, $0.reason) }
    }

    func playbooks() async -> [PlaybookView] {
        playbookFiles.files.compactMap { file in
            guard let playbook = file.playbook else { return nil }
            let variables = playbook.variables.filter(\.value.isExternal).sorted { $0.key < $1.key }.map { name, variable in
                PlaybookView.Variable(name: name, about: variable.text ?? "", value: variable.value.variableText)
            }
            return PlaybookView(
                id: playbook.id.text, name: playbook.name, about: playbook.about ?? "", hash: playbook.contentHash,
                impact: Int(playbook.impact ?? 0), labels: playbook.labels, variables: variables,
                isOutside: file.origin == .outside, isTrusted: ledger.trusted[playbook.contentHash] != nil,
                problems: file.problems.filter { $0.severity == .error }.map(\.description))
        }
    }

    private func view(_ run: RunLedger.Run) -> RunView {
        let engine = (try? engine(for: run.id)) ?? RunEngine(library: playbookFiles.library, policy: policy)
        let playbook = engine.library.find(run.start.playbook, version: run.start.version)
        let intents = run.state.isFinished ? [] : engine.next(run.state, now: now(), inHand: inHand(run.id))
        var waits: [Int: RunWait] = [:]
        for case .wait(let wait) in intents {
            switch wait.reason {
            case .delay: continue
            default: waits[wait.execution] = wait
            }
        }
        var steps: [RunStepView] = []
        for index in run.state.executions.indices {
            guard let owner = engine.playbook(of: index, in: run.state, run.start),
                let step = owner.steps[run.state.executions[index].entry.step], case .action(let action) = step.kind
            else { continue }
            steps.append(entered(index, step, action, owner, run, waits[index], engine))
        }
        if let playbook, !run.state.isFinished {
            let reached = Set(run.state.executions.map(\.entry.step))
            for step in RunDesk.ahead(in: playbook, from: run.start.entry ?? playbook.start) where !reached.contains(step.id) {
                steps.append(ahead(step, playbook))
            }
        }
        let isWaiting = steps.contains { [.approval, .person, .unknown].contains($0.status) }
        let status: RunView.Status =
            switch run.state.outcome {
            case .succeeded: .succeeded
            case .succeededWithFailures: .succeededWithFailures
            case .failed: .failed
            case .cancelled: .cancelled
            case nil: isWaiting ? .waiting : .running
            }
        return RunView(
            id: run.id, incident: run.start.incident ?? "", playbook: playbook?.name ?? run.start.playbook.text,
            playbookID: run.start.playbook.text, hash: run.start.contentHash, startedBy: run.start.startedBy,
            startedAt: run.state.startedAt ?? Timestamp(seconds: 0), finishedAt: run.state.finishedAt, status: status,
            isUndo: run.start.entry != nil, steps: steps,
            canUndo: run.start.entry == nil && ((try? undoable(run.id))?.isEmpty == false))
    }

    private func entered(
        _ index: Int, _ step: WorkflowStep, _ action: WorkflowStep.Action, _ playbook: Playbook, _ run: RunLedger.Run,
        _ wait: RunWait?, _ engine: RunEngine
    ) -> RunStepView {
        let execution = run.state.executions[index]
        var view = ahead(step, playbook)
        view.execution = index
        view.startedAt = execution.begunAt ?? execution.enteredAt
        view.finishedAt = execution.finishedAt
        view.deadline = wait?.until
        view.approvalRole = execution.approval?.role
        view.approvalsNeeded = execution.approval?.people ?? 0
        view.approvedBy = execution.approvedBy
        switch execution.outcome {
        case .succeeded: view.status = .done
        case .failed(let failure):
            view.status = .failed
            view.notes.append("\(failure.code.rawValue): \(failure.detail)")
        case nil:
            switch wait?.reason {
            case .approval: view.status = .approval
            case .person(let request):
                view.status = .person
                view.tool = RunDesk.tool(request)
                view.outputs = request.results
            case .unknownOutcome: view.status = .unknown
            case .command, .delay, nil: view.status = run.state.isFinished ? .ahead : .running
            }
        }
        for (_, state) in execution.commands.sorted(by: { ($0.key.command, $0.key.target) < ($1.key.command, $1.key.target) }) {
            switch state {
            case .started: continue
            case .unknown: view.notes.append("It was begun, and nobody knows how it ended: look, and say so.")
            case .handedOver(_, let reason): view.notes.append("By hand: \(reason)")
            case .finished(let result):
                let who = result.by.map { "\($0): " } ?? ""
                if !result.detail.isEmpty || result.by != nil {
                    view.notes.append(who + (result.detail.isEmpty ? result.ending.rawValue : result.detail))
                }
            }
        }
        if let refusal = execution.refusal { view.notes.append("Refused by \(refusal)") }
        return view
    }

    /// A step before anything of it has happened.
    private func ahead(_ step: WorkflowStep, _ playbook: Playbook) -> RunStepView {
        guard case .action(let action) = step.kind else {
            return RunStepView(
                execution: nil, step: step.id.text, title: step.title, phase: RunDesk.phase(step.response.effect), owner: "",
                tool: "playbook", verification: "", status: .ahead)
        }
        let agent = playbook.agents[action.agent]
        let tool = action.commands.map { $0.kind == .manual ? $0.text : "\($0.type): \($0.text)" }.joined(separator: "\n")
        return RunStepView(
            execution: nil, step: step.id.text, title: step.title, phase: RunDesk.phase(step.response.effect),
            owner: step.response.role ?? agent?.name ?? "", tool: tool, verification: step.response.verification ?? "",
            status: .ahead)
    }

    /// What is done, with the values put in.
    private static func tool(_ request: CommandRequest) -> String {
        let body = request.content.map { "\n" + String(decoding: $0, as: UTF8.self) } ?? ""
        return request.kind == .manual ? request.text : "\(request.kind.rawValue): \(request.text)\(body)"
    }

    private static func phase(_ effect: ResponseExtension.Effect?) -> String {
        switch effect {
        case .observe: "triage"
        case .capture: "triage"
        case .notify: "detection"
        case .contain, .undo: "containment"
        case .destroy: "eradication"
        case .restore: "recovery"
        case nil: ""
        }
    }

    /// Action steps and calls in the order in which a run that does not fail comes to them.
    private static func ahead(in playbook: Playbook, from first: Identifier) -> [WorkflowStep] {
        var seen: Set<Identifier> = []
        var order: [WorkflowStep] = []
        func walk(_ id: Identifier?) {
            guard let id, seen.insert(id).inserted, let step = playbook.steps[id] else { return }
            switch step.kind {
            case .action, .playbook: order.append(step)
            default: break
            }
            for branch in step.branches { walk(branch) }
            walk(step.onSuccess ?? step.onCompletion)
        }
        walk(first)
        return order
    }
}

import Events
import Journal

/// Action steps: approval, then commands in their order, each on each target.
extension RunPass {
    mutating func action(_ action: WorkflowStep.Action, _ index: Int, _ step: WorkflowStep, _ playbook: Playbook) -> Progress {
        if let progress = approval(action, index, step, playbook) { return progress }
        let execution = state.executions[index]
        let isManual = action.commands.contains { $0.kind == .manual }
        let timeout = step.timeout ?? (isManual ? engine.policy.manualTimeout : engine.policy.commandTimeout)
        let deadline = (execution.begunAt ?? now).advanced(byMilliseconds: timeout)
        for (number, command) in action.commands.enumerated() {
            for target in 0..<max(1, action.targets.count) {
                let run = CommandRun(execution: index, command: number, target: target)
                switch execution.commands[run] {
                case nil:
                    if execution.begunAt != nil, now >= deadline { return timedOut(index, step) }
                    do {
                        _ = try request(run, command, action, step, playbook, deadline)
                    } catch let failure as StepFailure {
                        return finish(index, .failed(failure))
                    } catch {
                        return finish(index, .failed(StepFailure(.commandFailed, step.id, "\(error)")))
                    }
                    return .record(.commandStarted(run))
                case .started:
                    return working(run, command, action, step, playbook, deadline)
                case .unknown:
                    // Whether it happened is for a person to find out: no deadline decides it.
                    intents.append(.wait(RunWait(execution: index, step: step.id, reason: .unknownOutcome(run), until: nil)))
                    return .busy
                case .handedOver(let at, _):
                    return byHand(run, command, action, step, playbook, at.advanced(byMilliseconds: engine.policy.manualTimeout))
                case .finished(let result):
                    switch result.ending {
                    case .succeeded, .simulated: continue
                    case .timedOut: return timedOut(index, step)
                    case .failed:
                        return finish(index, .failed(StepFailure(result.code ?? .commandFailed, step.id, result.detail)))
                    }
                }
            }
        }
        return finish(index, .succeeded)
    }

    /// §4.1: the failure says ACTION_TIMEOUT and which step it was.
    private func timedOut(_ index: Int, _ step: WorkflowStep) -> Progress {
        finish(index, .failed(StepFailure(.actionTimeout, step.id, "step \(step.id) timed out")))
    }

    private mutating func working(
        _ run: CommandRun, _ command: Command, _ action: WorkflowStep.Action, _ step: WorkflowStep, _ playbook: Playbook,
        _ deadline: Timestamp
    ) -> Progress {
        guard let request = try? request(run, command, action, step, playbook, deadline) else {
            return .record(.commandFinished(run, CommandResult(.failed, detail: "the command can no longer be formed")))
        }
        let isOurs = inHand.running.contains(run) || inHand.fresh.contains(run)
        // Begun before a crash, at a target that cannot be asked twice: neither a deadline nor a guess says how it ended.
        if !isOurs, !request.isRepeatable { return .record(.outcomeUnknown(run)) }
        if now >= deadline {
            return .record(.commandFinished(run, CommandResult(.timedOut, detail: "no result by \(deadline.rfc3339)")))
        }
        if command.kind == .manual, !start.isDryRun {
            intents.append(.wait(RunWait(execution: run.execution, step: step.id, reason: .person(request), until: deadline)))
        } else if inHand.running.contains(run) {
            intents.append(.wait(RunWait(execution: run.execution, step: step.id, reason: .command(run), until: deadline)))
        } else {
            intents.append(.perform(request))
        }
        return .busy
    }

    /// What a person does in a machine's place, within the time that manual steps have.
    private mutating func byHand(
        _ run: CommandRun, _ command: Command, _ action: WorkflowStep.Action, _ step: WorkflowStep, _ playbook: Playbook,
        _ deadline: Timestamp
    ) -> Progress {
        guard now < deadline, let request = try? request(run, command, action, step, playbook, deadline) else {
            return .record(.commandFinished(run, CommandResult(.timedOut, detail: "nobody did it by \(deadline.rfc3339)")))
        }
        intents.append(.wait(RunWait(execution: run.execution, step: step.id, reason: .person(request), until: deadline)))
        return .busy
    }

    /// `nil` once the step may go on.
    private mutating func approval(
        _ action: WorkflowStep.Action, _ index: Int, _ step: WorkflowStep, _ playbook: Playbook
    ) -> Progress? {
        guard !start.isDryRun, action.commands.contains(where: { $0.kind != .manual }) else { return nil }
        let impact = Self.impact(of: step, playbook)
        guard let rule = engine.policy.approval(for: impact) else { return nil }
        let execution = state.executions[index]
        guard let request = execution.approval, let asked = execution.approvalRequestedAt else {
            return .record(
                .approvalRequested(
                    execution: index,
                    request: ApprovalRequest(role: rule.role, people: rule.people, impact: impact, reason: step.title)))
        }
        if execution.approvedAt != nil { return nil }
        if let refusal = execution.refusal { return finish(index, .failed(StepFailure(.refused, step.id, refusal))) }
        let deadline = asked.advanced(byMilliseconds: engine.policy.approvalTimeout)
        if now >= deadline {
            return finish(index, .failed(StepFailure(.approvalTimeout, step.id, "nobody approved by \(deadline.rfc3339)")))
        }
        intents.append(.wait(RunWait(execution: index, step: step.id, reason: .approval(request), until: deadline)))
        return .busy
    }

    /// A step's own impact; else none for what only looks, keeps or tells; else the playbook's.
    static func impact(of step: WorkflowStep, _ playbook: Playbook) -> Int64 {
        if let impact = step.response.impact { return impact }
        switch step.response.effect {
        case .observe, .capture, .notify: return 0
        case .contain, .undo, .destroy, .restore, nil: return playbook.impact ?? 0
        }
    }

    func request(
        _ run: CommandRun, _ command: Command, _ action: WorkflowStep.Action, _ step: WorkflowStep, _ playbook: Playbook,
        _ deadline: Timestamp
    ) throws -> CommandRequest {
        guard let kind = command.kind, engine.policy.commands.contains(kind) else {
            throw StepFailure(.unsupportedCommand, step.id, "\(command.type) commands are not carried out here")
        }
        let lookUp = { (name: String) throws -> String in
            guard let text = value(name, run.execution, playbook)?.variableText else {
                throw StepFailure(.variableUnset, step.id, "\(name) has no value")
            }
            return text
        }
        let party = { (id: Identifier) throws -> AgentTarget in
            guard var found = playbook.agents[id] ?? playbook.targets[id] else {
                throw StepFailure(.commandFailed, step.id, "\(id) is not defined")
            }
            found.addresses = try found.addresses.mapValues { try $0.map { try VariableUse.substitute(in: $0, lookUp) ?? $0 } }
            return found
        }
        let agent = try party(action.agent)
        let target = run.target < action.targets.count ? try party(action.targets[run.target]) : nil
        let form = CommandForm(kind: kind)
        let authentication = agent.authentication.flatMap { playbook.authentications[$0] }
        return CommandRequest(
            command: run, key: "\(start.run)/\(run.execution)/\(run.command)/\(run.target)", kind: kind, step: step.id,
            title: step.title, text: try form.text(command.text, lookUp), headers: try form.headers(command.headers, lookUp),
            content: try command.content.map { try form.content($0, lookUp) }, agent: agent, target: target,
            authentication: authentication, results: action.results, deadline: deadline, isDryRun: start.isDryRun,
            isRepeatable: kind == .manual || kind == .sigma || step.response.honoursKey == true || start.isDryRun)
    }
}

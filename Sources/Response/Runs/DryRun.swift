package import Events
package import Journal

/// What running a playbook would do, step by step, without doing it.
package struct DryRun: Sendable {
    package struct Line: Sendable, Hashable {
        package var step: Identifier
        package var title: String
        /// How deep in branches and called playbooks.
        package var depth: Int
        package var text: String
    }

    /// Walks one way through: conditions are decided by the variables as they are, commands are taken to succeed and to set
    /// nothing. Ends after as many entries as any run may have.
    package static func trace(
        _ playbook: Playbook, engine: RunEngine, variables: [String: JSONValue], now: Timestamp
    ) throws -> (lines: [Line], outcome: RunOutcome?) {
        let start = RunStart(
            run: "dry-run", playbook: playbook.id, version: playbook.version, contentHash: playbook.contentHash,
            startedBy: "dry-run", isDryRun: true, variables: variables)
        var state = RunState(replaying: [RunEntry(at: now, event: .started(start))])
        var time = now
        var lines: [Line] = []
        for _ in 0..<engine.policy.stepLimit * 8 where !state.isFinished {
            var hands = CommandsInHand()
            let intents = engine.next(state, now: time, inHand: hands)
            guard let first = intents.first else { break }
            switch first {
            case .record(let event):
                if case .stepEntered(let entry) = event { describe(entry, in: state, engine, &lines, start) }
                if case .branched(let branching) = event, !branching.branches.isEmpty, let last = lines.last {
                    lines.append(
                        Line(step: last.step, title: "", depth: last.depth + 1, text: "goes on with: \(branching.choice)"))
                }
                if case .stepFinished(let execution, .failed(let failure), _) = event {
                    lines.append(
                        Line(
                            step: failure.step, title: "", depth: depth(execution, state) + 1,
                            text: "would fail: \(failure.code.rawValue) \(failure.detail)"))
                }
                state.apply(RunEntry(at: time, event: event))
            case .perform(let request):
                hands.running.insert(request.command)
                lines.append(
                    Line(
                        step: request.step, title: request.title, depth: depth(request.command.execution, state) + 1,
                        text: "would \(verb(request.kind)) \(request.agent.name): \(request.text)"))
                state.apply(
                    RunEntry(at: time, event: engine.finishing(request.command, with: CommandResult(.simulated), in: state)))
            case .wait(let wait):
                guard let until = intents.compactMap({ if case .wait(let wait) = $0 { wait.until } else { nil } }).min(),
                    until > time
                else {
                    throw StepFailure(.commandFailed, wait.step, "the dry run cannot go on from here")
                }
                time = until
            }
        }
        return (lines, state.outcome)
    }

    private static func verb(_ kind: Command.Kind) -> String {
        switch kind {
        case .manual: "ask"
        case .httpAPI, .openC2: "send to"
        default: "run on"
        }
    }

    private static func depth(_ execution: Int, _ state: RunState) -> Int {
        var depth = 0
        var parent = state.executions[execution].entry.place.parent
        while parent >= 0 {
            depth += 1
            parent = state.executions[parent].entry.place.parent
        }
        return depth
    }

    private static func describe(
        _ entry: StepEntry, in state: RunState, _ engine: RunEngine, _ lines: inout [Line], _ start: RunStart
    ) {
        let parent = entry.place.parent
        let playbook =
            parent >= 0 && state.executions[parent].entry.step.type != "playbook-action"
            ? engine.playbook(of: parent, in: state, start)
            : parent >= 0 ? called(by: parent, state, engine, start) : engine.library.find(start.playbook, version: start.version)
        guard let playbook, let step = playbook.steps[entry.step] else { return }
        var text = step.type
        let impact = RunPass.impact(of: step, playbook)
        if case .action(let action) = step.kind, action.commands.contains(where: { $0.kind != .manual }),
            let rule = engine.policy.approval(for: impact)
        {
            text += "; would first ask \(rule.people) \(rule.role) (impact \(impact))"
        }
        if let expiry = step.response.expiry { text += "; ends after \(expiry) s" }
        lines.append(Line(step: step.id, title: step.title, depth: parent < 0 ? 0 : depth(parent, state) + 1, text: text))
    }

    private static func called(by execution: Int, _ state: RunState, _ engine: RunEngine, _ start: RunStart) -> Playbook? {
        guard let caller = engine.playbook(of: execution, in: state, start),
            case .playbook(let call)? = caller.steps[state.executions[execution].entry.step]?.kind
        else { return nil }
        return engine.library.find(call.playbook, version: state.executions[execution].choice)
    }
}

package import Events
import Journal

/// Executes playbooks: from a run's state and the time, what to do next. Pure: it reads no clock, keeps nothing, does nothing.
///
/// Whoever drives it appends what it says to the journal, applies it to the state, carries commands out, and asks again. A failure
/// goes to the step's `on_failure`; else to `workflow_exception` of its playbook; else, where there is only `on_completion`, past
/// the step, which the run's outcome then says (the specification leaves that open). A failure that a branch does not
/// handle fails the step that began the branch, once its other branches have ended.
package struct RunEngine: Sendable {
    package var library: PlaybookLibrary
    package var policy: ExecutionPolicy

    package init(library: PlaybookLibrary, policy: ExecutionPolicy = ExecutionPolicy()) {
        self.library = library
        self.policy = policy
    }

    /// What to do next: one entry to record, or else everything that can be carried out now and all that is waited for.
    /// Empty where the run has ended or has not begun.
    package func next(_ state: RunState, now: Timestamp, inHand: CommandsInHand = CommandsInHand()) -> [RunIntent] {
        guard let start = state.start, !state.isFinished else { return [] }
        guard let playbook = library.find(start.playbook, version: start.version),
            playbook.contentHash == start.contentHash
        else { return [.record(.finished(.failed))] }
        var pass = RunPass(engine: self, state: state, start: start, now: now, inHand: inHand)
        switch pass.playbook(playbook, frame: -1) {
        case .record(let event): return [.record(event)]
        case .busy: return pass.intents
        case .done(.succeeded): return [.record(.finished(hasPassedFailure(state, start) ? .succeededWithFailures : .succeeded))]
        case .done(.failed): return [.record(.finished(.failed))]
        }
    }

    /// Whether `on_completion` passed over a failure anywhere.
    private func hasPassedFailure(_ state: RunState, _ start: RunStart) -> Bool {
        state.executions.indices.contains { index in
            guard case .failed? = state.executions[index].outcome, let playbook = playbook(of: index, in: state, start),
                let step = playbook.steps[state.executions[index].entry.step]
            else { return false }
            return step.onFailure == nil && step.onCompletion != nil && playbook.exceptionHandler == nil
        }
    }

    /// The entry for a command's result, its variables put where they are declared. Constants and names that the step does not
    /// return make it a failure.
    package func finishing(_ command: CommandRun, with result: CommandResult, in state: RunState) -> RunEvent {
        guard let start = state.start, state.executions.indices.contains(command.execution),
            let playbook = playbook(of: command.execution, in: state, start),
            let step = playbook.steps[state.executions[command.execution].entry.step]
        else { return .commandFinished(command, result) }
        var placed: [String: JSONValue] = [:]
        for (name, value) in result.outputs {
            guard case .action(let action) = step.kind, action.results.contains(name),
                let owner = owner(of: name, execution: command.execution, in: state, playbook)
            else { continue }
            if owner.variable.isConstant {
                let failure = CommandResult(.failed, detail: "\(name) is a constant", code: .constantChanged, by: result.by)
                return .commandFinished(command, failure)
            }
            placed[owner.execution.map { "\($0)/\(name)" } ?? name] = value
        }
        var recorded = result
        recorded.outputs = placed
        return .commandFinished(command, recorded)
    }

    /// The playbook in which an execution runs.
    package func playbook(of execution: Int, in state: RunState, _ start: RunStart) -> Playbook? {
        let frame = state.frame(of: execution)
        guard frame >= 0 else { return library.find(start.playbook, version: start.version) }
        guard let caller = playbook(of: frame, in: state, start),
            case .playbook(let call)? = caller.steps[state.executions[frame].entry.step]?.kind
        else { return nil }
        return library.find(call.playbook, version: state.executions[frame].choice)
    }

    /// Where a name is declared nearest to an execution: in the step, in a step around it, or in the playbook (§10.18.1).
    func owner(of name: String, execution: Int, in state: RunState, _ playbook: Playbook) -> (
        execution: Int?, variable: Variable
    )? {
        var index = execution
        let frame = state.frame(of: execution)
        while index >= 0, index != frame {
            if let variable = playbook.steps[state.executions[index].entry.step]?.variables[name] { return (index, variable) }
            index = state.executions[index].entry.place.parent
        }
        return playbook.variables[name].map { (nil, $0) }
    }

    /// A variable's value as an execution sees it; `nil` where it is not declared.
    func value(of name: String, execution: Int, in state: RunState, _ playbook: Playbook) -> JSONValue? {
        guard let owner = owner(of: name, execution: execution, in: state, playbook) else { return nil }
        let set =
            owner.execution.map { state.executions[$0].variables[name] } ?? state.variables[state.frame(of: execution)]?[name]
        if owner.variable.isConstant { return owner.variable.value }
        return set ?? owner.variable.value
    }
}

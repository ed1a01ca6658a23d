import Journal

/// Steps that begin branches.
extension RunPass {
    mutating func container(_ index: Int, _ step: WorkflowStep, _ playbook: Playbook) -> Progress {
        let execution = state.executions[index]
        switch step.kind {
        case .parallel(let heads):
            if execution.branches.isEmpty { return branch(index, "all", heads) }
            return join(index, step, playbook)
        case .conditional(let text, let onTrue, let onFalse):
            guard execution.begunAt == nil else { return join(index, step, playbook) }
            guard let condition = try? Condition(parsing: text) else {
                return finish(index, .failed(StepFailure(.condition, step.id)))
            }
            let isTrue = condition.holds { value($0, index, playbook) }
            return branch(index, isTrue ? "true" : "false", isTrue ? [onTrue] : onFalse.map { [$0] } ?? [])
        case .loop(let text, let onTrue): return loop(text, onTrue, index, step, playbook)
        case .choice(let over, let cases):
            guard execution.begunAt == nil else { return join(index, step, playbook) }
            let found = VariableUse.all(in: over).first.flatMap { value($0.name, index, playbook)?.variableText }
            let chosen = found.flatMap { cases[$0] != nil ? $0 : nil } ?? "default"
            return branch(index, cases[chosen] == nil ? "none" : chosen, cases[chosen].map { [$0] } ?? [])
        case .playbook(let call): return self.call(call, index, step, playbook)
        case .start, .end, .action: return finish(index, .succeeded)
        }
    }

    private func branch(_ index: Int, _ choice: String, _ heads: [Identifier], isLast: Bool = true) -> Progress {
        .record(.branched(Branching(execution: index, choice: choice, branches: heads, isLast: isLast)))
    }

    /// §4.7: waits for all branches, whatever becomes of one of them.
    private mutating func join(_ index: Int, _ step: WorkflowStep, _ playbook: Playbook) -> Progress {
        var failures: [StepFailure] = []
        var isBusy = false
        for (branch, head) in state.executions[index].branches.enumerated() {
            switch thread(from: head, at: BranchPlace(parent: index, branch: branch), playbook) {
            case .record(let event): return .record(event)
            case .busy: isBusy = true
            case .done(.succeeded): break
            case .done(.failed(let failure)): failures.append(failure)
            }
        }
        if isBusy { return .busy }
        guard let first = failures.first else { return finish(index, .succeeded) }
        return finish(index, .failed(StepFailure(.branchFailed, step.id, "\(first.code.rawValue) in \(first.step)")))
    }

    private mutating func loop(_ text: String, _ head: Identifier, _ index: Int, _ step: WorkflowStep, _ playbook: Playbook)
        -> Progress
    {
        let execution = state.executions[index]
        if let last = execution.branches.indices.last {
            switch thread(from: head, at: BranchPlace(parent: index, branch: last), playbook) {
            case .done(.succeeded): break
            case .done(.failed(let failure)):
                return finish(index, .failed(StepFailure(.branchFailed, step.id, "\(failure.code.rawValue) in \(failure.step)")))
            case let progress: return progress
            }
        }
        if execution.isLastBranching { return finish(index, .succeeded) }
        guard execution.branches.count < engine.policy.iterationLimit else {
            return finish(index, .failed(StepFailure(.tooManyIterations, step.id, "\(engine.policy.iterationLimit) iterations")))
        }
        guard let condition = try? Condition(parsing: text) else {
            return finish(index, .failed(StepFailure(.condition, step.id)))
        }
        let isTrue = condition.holds { value($0, index, playbook) }
        return branch(index, isTrue ? "true" : "false", isTrue ? [head] : [], isLast: !isTrue)
    }

    /// §4.6: the playbook that the step names, in variables of its own.
    private mutating func call(_ call: WorkflowStep.PlaybookCall, _ index: Int, _ step: WorkflowStep, _ playbook: Playbook)
        -> Progress
    {
        let execution = state.executions[index]
        if execution.begunAt == nil {
            var depth = 0
            var frame = state.frame(of: index)
            while frame >= 0 {
                depth += 1
                frame = state.frame(of: frame)
            }
            guard depth < engine.policy.depthLimit else { return finish(index, .failed(StepFailure(.playbookTooDeep, step.id))) }
            guard let called = engine.library.find(call.playbook, version: call.version), called.validity(at: now) == .valid
            else {
                return finish(index, .failed(StepFailure(.playbookUnavailable, step.id, call.playbook.text)))
            }
            var given: [String: JSONValue] = [:]
            for name in call.arguments { given[name] = value(name, index, playbook) }
            let branching = Branching(execution: index, choice: called.version, branches: [called.start], variables: given)
            return .record(.branched(branching))
        }
        guard let called = engine.library.find(call.playbook, version: execution.choice) else {
            return finish(index, .failed(StepFailure(.playbookUnavailable, step.id, call.playbook.text)))
        }
        switch self.playbook(called, frame: index) {
        case .done(.succeeded):
            var outputs: [String: JSONValue] = [:]
            for name in call.results {
                guard let owner = engine.owner(of: name, execution: index, in: state, playbook),
                    let value = state.variables[index]?[name] ?? called.variables[name]?.value
                else { continue }
                if owner.variable.isConstant { return finish(index, .failed(StepFailure(.constantChanged, step.id, name))) }
                outputs[owner.execution.map { "\($0)/\(name)" } ?? name] = value
            }
            return finish(index, .succeeded, outputs: outputs)
        case .done(.failed(let failure)):
            return finish(index, .failed(StepFailure(.branchFailed, step.id, "\(failure.code.rawValue) in \(failure.step)")))
        case let progress: return progress
        }
    }
}

/// The way through the steps.
extension PlaybookLinter {
    mutating func checkFlow() {
        let reachable = graph.reachable
        for step in playbook.orderedSteps where !reachable.contains(step.id) {
            warning(.unreachableStep, step.id, "", "no step leads here: \(step.title) is never run")
        }
        for thread in graph.threads {
            for id in thread.steps {
                guard let step = playbook.steps[id] else { continue }
                if case .end = step.kind { continue }
                // §4.4: what ends calls an end step. on_failure alone leaves success without a way.
                if step.onCompletion == nil, step.onSuccess == nil {
                    error(.branchWithoutEnd, id, "", "\(step.title) ends here without an end step")
                }
            }
            if let container = thread.container, thread.steps.contains(container) {
                error(.endlessLoop, container, "", "a branch of this step leads back to it instead of to an end step")
            }
        }
        checkEnds()
    }

    /// §4.7–§4.10: each branch has an end step of its own, or nobody could tell which branch has ended.
    private mutating func checkEnds() {
        var owners: [Identifier: WorkflowGraph.Thread] = [:]
        for thread in graph.threads {
            for id in thread.steps {
                guard case .end? = playbook.steps[id]?.kind else { continue }
                // The main thread, the exception handler and undo steps are no branches: they may end together.
                if let other = owners[id], other.head != thread.head || other.container != thread.container,
                    other.container != nil || thread.container != nil
                {
                    error(.sharedEnd, id, "", "two branches end here; each needs an end step of its own")
                }
                owners[id] = thread
            }
        }
    }

    mutating func checkLoops() {
        var reported: Set<Identifier> = []
        for thread in graph.threads {
            let stuck = graph.withoutEnd(thread)
            // Of steps that never end, those that lead to nothing at all are `branch-without-end` already.
            for id in thread.steps where stuck.contains(id) && !reported.contains(id) {
                guard let step = playbook.steps[id], !step.successors.isEmpty, isOnCycle(id) else { continue }
                reported.insert(id)
                error(.endlessLoop, id, "", "\(step.title) is in a loop that nothing leaves")
            }
        }
        for step in playbook.orderedSteps {
            guard case .loop(let condition, _) = step.kind, let read = try? Condition(parsing: condition) else { continue }
            let isSet = graph.body(of: step.id).contains { id in !read.variables.isDisjoint(with: results(of: id)) }
            if !isSet {
                error(
                    .endlessLoop, step.id, "condition",
                    "nothing in the loop sets \(read.variables.sorted().joined(separator: ", ")): once begun it never ends")
            }
        }
    }

    private func isOnCycle(_ id: Identifier) -> Bool {
        var seen: Set<Identifier> = []
        var waiting = playbook.steps[id]?.successors ?? []
        while let next = waiting.popLast() {
            if next == id { return true }
            guard seen.insert(next).inserted else { continue }
            waiting += playbook.steps[next]?.successors ?? []
        }
        return false
    }

    func results(of id: Identifier) -> Set<String> {
        switch playbook.steps[id]?.kind {
        case .action(let action): Set(action.results)
        case .playbook(let call): Set(call.results)
        default: []
        }
    }

    /// The hole of the specification (its issue 10): what follows a failure where there is only on_completion.
    mutating func checkFailures() {
        let reachable = graph.reachable
        for step in playbook.orderedSteps where reachable.contains(step.id) {
            switch step.kind {
            case .start, .end: continue
            case .action, .playbook, .parallel, .conditional, .loop, .choice: break
            }
            guard step.onFailure == nil, playbook.exceptionHandler == nil else { continue }
            if step.onCompletion != nil {
                if let effect = step.response.effect, [.capture, .contain, .destroy, .restore].contains(effect) {
                    warning(
                        .failureIgnored, step.id, "on_completion",
                        "if \(step.title) fails, the run goes on as if it had not; give on_success and on_failure, or workflow_exception"
                    )
                }
            } else {
                warning(
                    .failureUnhandled, step.id, "", "if \(step.title) fails, the run ends; give on_failure or workflow_exception")
            }
        }
    }
}

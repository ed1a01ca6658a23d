/// Evidence and containment.
extension PlaybookLinter {
    /// "Settled" 10: on every way to a step that destroys, something was captured.
    ///
    /// A forward analysis: a step has its evidence where all steps that lead to it have. Parallel branches count together once
    /// they have joined, never for one another; the failure of a capture captures nothing; a loop may run no times.
    mutating func checkEvidence() {
        let captured = CaptureAnalysis(graph)
        for step in playbook.orderedSteps {
            let effect = effect(of: step)
            guard effect == .destroy || effect == .restore, graph.reachable.contains(step.id) else { continue }
            if let override = step.response.captureOverride {
                if override.name.allSatisfy(\.isWhitespace) || override.reason.allSatisfy(\.isWhitespace) {
                    error(
                        .destructiveBeforeCapture, step.id, "step_extensions",
                        "an override names the person who answers for it, and the reason")
                }
                continue
            }
            guard !captured.before(step.id) else { continue }
            error(
                .destructiveBeforeCapture, step.id, "",
                "\(step.title) destroys or overwrites, and there is a way to it on which no evidence was captured; put a capture step "
                    + "before it, or an override with a name and a reason")
        }
    }

    /// Calls: the playbook is there, and one that is said to capture does so on every way.
    mutating func checkCalls() {
        guard let library else { return }
        for step in playbook.orderedSteps {
            guard case .playbook(let call) = step.kind else { continue }
            guard let called = library.find(call.playbook, version: call.version) else {
                error(.missingDefinition, step.id, "playbook_id", "\(call.playbook) is not among the playbooks here")
                continue
            }
            if step.response.effect == .capture, !CaptureAnalysis.isCertain(called) {
                error(
                    .destructiveBeforeCapture, step.id, "step_extensions",
                    "the step is said to capture, and there is a way through \(called.name) on which nothing is captured")
            }
        }
    }

    /// What the step says of itself, else what its commands look like: playbooks of others say nothing.
    func effect(of step: WorkflowStep) -> ResponseExtension.Effect? {
        if let effect = step.response.effect { return effect }
        guard case .action(let action) = step.kind else { return nil }
        for command in action.commands {
            if command.kind == .bash || command.kind == .ssh, Self.looksDestructive(command.text) { return .destroy }
            if command.kind != .manual, command.activity == "eliminate-risk" { return .destroy }
        }
        return nil
    }

    private static func looksDestructive(_ text: String) -> Bool {
        let words = text.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }.map(String.init)
        let lone: Set<String> = ["rm", "shred", "mkfs", "wipefs", "truncate", "dd", "unlink"]
        let pairs: Set<String> = [
            "docker rm", "docker stop", "compose down", "compose stop", "compose rm", "podman rm", "docker kill",
        ]
        return words.contains(where: lone.contains)
            || zip(words, words.dropFirst()).contains { pairs.contains("\($0) \($1)") }
    }

    mutating func checkContainment() {
        for step in playbook.orderedSteps where step.response.effect == .contain {
            if step.response.expiry == nil {
                error(
                    .containmentWithoutExpiry, step.id, "step_extensions",
                    "\(step.title) contains without an end; give expiry_seconds")
            }
            if step.response.undo == nil, step.response.irreversible == nil {
                error(
                    .containmentWithoutUndo, step.id, "step_extensions",
                    "nothing says how \(step.title) is undone; give undo_step, or irreversible_because")
            }
            guard let undo = step.response.undo else { continue }
            guard let target = playbook.steps[undo] else {
                error(.missingStep, step.id, "step_extensions", "the undo step \(undo) is not in the workflow")
                continue
            }
            if target.response.effect != .undo {
                error(
                    .containmentWithoutUndo, undo, "step_extensions",
                    "\(target.title) is named as undo; its effect has to be undo")
            }
        }
    }
}

/// On which steps' entry evidence is certain.
struct CaptureAnalysis {
    private var entry: [Identifier: Bool] = [:]

    init(_ graph: WorkflowGraph) {
        let playbook = graph.playbook
        // Undo steps take back what a run has done before: evidence is that run's.
        let undoHeads = Set(playbook.steps.values.compactMap(\.response.undo))
        var isCapturedAt: [Identifier: Bool] = Dictionary(uniqueKeysWithValues: playbook.steps.keys.map { ($0, true) })
        // Nothing is captured at the beginning, nor when the exception handler begins.
        var fixed: Set<Identifier> = [playbook.start]
        if let handler = playbook.exceptionHandler { fixed.insert(handler) }
        for id in fixed where !undoHeads.contains(id) || id == playbook.start { isCapturedAt[id] = false }

        func ends(_ head: Identifier) -> Bool {
            let thread = graph.threads.first { $0.head == head }?.steps ?? []
            let ends = thread.filter { if case .end? = playbook.steps[$0]?.kind { true } else { false } }
            return !ends.isEmpty && ends.allSatisfy { isCapturedAt[$0] ?? false }
        }
        func after(_ step: WorkflowStep) -> Bool {
            let before = isCapturedAt[step.id] ?? false
            if before || step.response.effect == .capture { return true }
            switch step.kind {
            case .parallel(let heads): return heads.contains(where: ends)
            case .conditional(_, let onTrue, let onFalse): return ends(onTrue) && (onFalse.map(ends) ?? false)
            case .choice(_, let cases): return cases["default"] != nil && cases.values.allSatisfy(ends)
            case .start, .end, .action, .playbook, .loop: return false
            }
        }
        var changed = true
        while changed {
            changed = false
            func lower(_ id: Identifier, _ isCaptured: Bool) {
                guard !isCaptured, isCapturedAt[id] == true else { return }
                isCapturedAt[id] = false
                changed = true
            }
            for step in playbook.orderedSteps where graph.reachable.contains(step.id) {
                let before = isCapturedAt[step.id] ?? false
                for head in step.branches { lower(head, before) }
                for next in [step.onCompletion, step.onSuccess].compactMap({ $0 }) { lower(next, after(step)) }
                if let next = step.onFailure { lower(next, before) }
            }
        }
        entry = isCapturedAt
    }

    func before(_ id: Identifier) -> Bool { entry[id] ?? false }

    /// Whether evidence is certain wherever the playbook ends without an exception.
    static func isCertain(_ playbook: Playbook) -> Bool {
        let graph = WorkflowGraph(playbook)
        let analysis = CaptureAnalysis(graph)
        let ends = (graph.threads.first?.steps ?? []).filter { if case .end? = playbook.steps[$0]?.kind { true } else { false } }
        return !ends.isEmpty && ends.allSatisfy(analysis.before)
    }
}

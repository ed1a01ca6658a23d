/// The ways through a playbook's workflow.
///
/// A *thread* is what runs one step after another: the main one from `workflow_start`, the exception handler's, one per branch of
/// a parallel, if, while or switch step, and one per undo step, which is called on its own. A branch ends in its own end step and
/// control returns to the step that began it, so threads are trees, and successors never lead from one into another.
struct WorkflowGraph {
    struct Thread: Hashable {
        /// Its first step.
        var head: Identifier
        /// The step that began it; `nil` for the main thread, the exception handler and undo steps.
        var container: Identifier?
        /// In the order in which they are met.
        var steps: [Identifier]
    }

    let playbook: Playbook
    let threads: [Thread]

    init(_ playbook: Playbook) {
        self.playbook = playbook
        var threads: [Thread] = []
        var roots = [playbook.start] + (playbook.exceptionHandler.map { [$0] } ?? [])
        for step in playbook.orderedSteps {
            if let undo = step.response.undo, playbook.steps[undo] != nil, !roots.contains(undo) { roots.append(undo) }
        }
        var begun: Set<Identifier> = []
        var waiting = roots.map { Thread(head: $0, container: nil, steps: []) }
        while !waiting.isEmpty {
            var thread = waiting.removeFirst()
            thread.steps = Self.walk(from: thread.head, playbook)
            threads.append(thread)
            for id in thread.steps where begun.insert(id).inserted {
                guard let step = playbook.steps[id] else { continue }
                waiting += step.branches.filter { playbook.steps[$0] != nil }
                    .map { Thread(head: $0, container: id, steps: []) }
            }
        }
        self.threads = threads
    }

    private static func walk(from head: Identifier, _ playbook: Playbook) -> [Identifier] {
        var seen: [Identifier] = []
        var known: Set<Identifier> = []
        var waiting = [head]
        while !waiting.isEmpty {
            let id = waiting.removeFirst()
            guard let step = playbook.steps[id], known.insert(id).inserted else { continue }
            seen.append(id)
            waiting += step.successors
        }
        return seen
    }

    var reachable: Set<Identifier> { Set(threads.flatMap(\.steps)) }

    /// Steps from which no end step can be reached within their thread.
    func withoutEnd(_ thread: Thread) -> Set<Identifier> {
        var ending = Set(thread.steps.filter { if case .end? = playbook.steps[$0]?.kind { true } else { false } })
        var grew = true
        while grew {
            grew = false
            for id in thread.steps where !ending.contains(id) {
                guard let step = playbook.steps[id], step.successors.contains(where: ending.contains) else { continue }
                ending.insert(id)
                grew = true
            }
        }
        return Set(thread.steps).subtracting(ending)
    }

    /// Everything a step's branches run, nested ones included.
    func body(of container: Identifier) -> Set<Identifier> {
        var found: Set<Identifier> = []
        var waiting = threads.filter { $0.container == container }.flatMap(\.steps)
        while let id = waiting.popLast() {
            guard found.insert(id).inserted else { continue }
            waiting += threads.filter { $0.container == id }.flatMap(\.steps)
        }
        return found
    }
}

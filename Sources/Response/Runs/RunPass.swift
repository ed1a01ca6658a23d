import Events
import Journal

/// One look at a run: walks from the first step to wherever something is to be done.
struct RunPass {
    let engine: RunEngine
    let state: RunState
    let start: RunStart
    let now: Timestamp
    let inHand: CommandsInHand
    /// What can be done and what is waited for, where nothing is to be recorded.
    var intents: [RunIntent] = []

    enum Progress {
        /// Recorded before anything else is looked at, so that entries have one order.
        case record(RunEvent)
        case busy
        case done(StepOutcome)
    }

    init(engine: RunEngine, state: RunState, start: RunStart, now: Timestamp, inHand: CommandsInHand) {
        self.engine = engine
        self.state = state
        self.start = start
        self.now = now
        self.inHand = inHand
    }

    /// A playbook's workflow, then its exception handler where a failure went unhandled.
    mutating func playbook(_ playbook: Playbook, frame: Int) -> Progress {
        let first = frame < 0 ? start.entry ?? playbook.start : playbook.start
        switch thread(from: first, at: BranchPlace(parent: frame, branch: 0), playbook) {
        case .done(.failed(let failure)):
            guard let handler = playbook.exceptionHandler else { return .done(.failed(failure)) }
            switch thread(from: handler, at: BranchPlace(parent: frame, branch: 1), playbook) {
            case .done: return .done(.failed(failure))
            case let progress: return progress
            }
        case let progress: return progress
        }
    }

    /// The steps of one branch, one after another.
    mutating func thread(from first: Identifier, at place: BranchPlace, _ playbook: Playbook) -> Progress {
        guard let index = state.head(of: place) else { return enter(first, place, playbook) }
        let execution = state.executions[index]
        guard let step = playbook.steps[execution.entry.step] else {
            return .done(.failed(StepFailure(.noNextStep, execution.entry.step)))
        }
        guard let outcome = execution.outcome else { return work(index, step, playbook) }
        if case .end = step.kind { return .done(.succeeded) }
        switch outcome {
        case .succeeded:
            guard let next = step.onSuccess ?? step.onCompletion else {
                return .done(.failed(StepFailure(.noNextStep, step.id, "the step leads nowhere after success")))
            }
            return enter(next, place, playbook)
        case .failed:
            if let next = step.onFailure { return enter(next, place, playbook) }
            guard let next = step.onCompletion, playbook.exceptionHandler == nil else { return .done(outcome) }
            return enter(next, place, playbook)
        }
    }

    private func enter(_ step: Identifier, _ place: BranchPlace, _ playbook: Playbook) -> Progress {
        guard state.executions.count < engine.policy.stepLimit else {
            return .done(.failed(StepFailure(.tooManySteps, step, "the run has executed \(engine.policy.stepLimit) steps")))
        }
        return .record(.stepEntered(StepEntry(execution: state.executions.count, step: step, place: place)))
    }

    private mutating func work(_ index: Int, _ step: WorkflowStep, _ playbook: Playbook) -> Progress {
        let execution = state.executions[index]
        let ready = execution.enteredAt.advanced(byMilliseconds: step.delay)
        if now < ready {
            intents.append(.wait(RunWait(execution: index, step: step.id, reason: .delay, until: ready)))
            return .busy
        }
        switch step.kind {
        case .start, .end: return finish(index, .succeeded)
        case .action(let action): return self.action(action, index, step, playbook)
        case .parallel, .conditional, .loop, .choice, .playbook:
            if let timeout = step.timeout, let begun = execution.begunAt {
                let deadline = begun.advanced(byMilliseconds: timeout)
                if now >= deadline { return finish(index, .failed(StepFailure(.actionTimeout, step.id))) }
                intents.append(.wait(RunWait(execution: index, step: step.id, reason: .delay, until: deadline)))
            }
            return container(index, step, playbook)
        }
    }

    func finish(_ index: Int, _ outcome: StepOutcome, outputs: [String: JSONValue] = [:]) -> Progress {
        .record(.stepFinished(execution: index, outcome: outcome, outputs: outputs))
    }

    func value(_ name: String, _ index: Int, _ playbook: Playbook) -> JSONValue? {
        engine.value(of: name, execution: index, in: state, playbook)
    }
}

extension Timestamp {
    /// Held at the ends of the range, as `advanced(bySeconds:)` is.
    func advanced(byMilliseconds interval: Int64) -> Timestamp {
        let (product, overflow) = interval.multipliedReportingOverflow(by: 1_000_000)
        return advanced(byNanoseconds: overflow ? (interval < 0 ? .min : .max) : product)
    }
}

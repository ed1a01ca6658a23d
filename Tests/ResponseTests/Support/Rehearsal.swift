import Events
import Journal
import Response
import Testing

/// Drives runs as a server does, with targets that only remember, and dies wherever it is told to.
final class Rehearsal {
    enum Death {
        case never
        /// Before the entry of that number is written.
        case before(entry: Int)
        /// After a command has reached its target, before its result is written; the number counts deliveries.
        case afterDelivery(Int)
    }

    let engine: RunEngine
    /// The answer to a command; succeeds where it says nothing.
    var answer: (CommandRequest) -> CommandResult = { _ in CommandResult(.succeeded) }
    var approves = true

    // What the world outside saw; it survives every crash.
    private(set) var entries: [RunEntry] = []
    private(set) var arrivals: [CommandRequest] = []
    /// What came of the arrivals: a target that honours keys acts once per key.
    private(set) var effects: [String] = []
    private(set) var questions: [CommandRun] = []
    private(set) var time = Timestamp(seconds: 1_795_000_000)

    private var state = RunState()
    private var hands = CommandsInHand()

    init(_ engine: RunEngine) { self.engine = engine }

    /// Runs to the end, through one death at the most.
    @discardableResult
    func run(_ start: RunStart, death: Death = .never) throws -> RunState {
        append(.started(start))
        if try live(death) {
            // A new process has the journal and nothing else.
            state = RunState(replaying: entries)
            hands = CommandsInHand()
            #expect(try !live(.never))
        }
        #expect(state == RunState(replaying: entries), "replay equals live")
        return state
    }

    private func append(_ event: RunEvent) {
        let entry = RunEntry(at: time, event: event)
        entries.append(entry)
        state.apply(entry)
        if case .commandStarted(let command) = event { hands.fresh.insert(command) }
    }

    /// Whether the process died.
    private func live(_ death: Death) throws -> Bool {
        for _ in 0..<20_000 {
            if state.isFinished { return false }
            let intents = engine.next(state, now: time, inHand: hands)
            switch try #require(intents.first) {
            case .record(let event):
                if case .before(entries.count) = death { return true }
                append(event)
            case .perform(let request):
                if case .before(entries.count) = death { return true }
                deliver(request)
                if case .afterDelivery(arrivals.count) = death { return true }
                hands.fresh.remove(request.command)
                append(engine.finishing(request.command, with: answer(request), in: state))
            case .wait:
                if case .before(entries.count) = death { return true }
                try wait(intents)
            }
        }
        Issue.record("the run does not end")
        return false
    }

    private func deliver(_ request: CommandRequest) {
        arrivals.append(request)
        if !request.isRepeatable || !effects.contains(request.key) { effects.append(request.key) }
    }

    /// People do what they are asked; where nobody can do anything, time passes.
    private func wait(_ intents: [RunIntent]) throws {
        for case .wait(let wait) in intents {
            switch wait.reason {
            case .approval(let request):
                guard approves else { continue }
                for person in 0..<request.people {
                    append(.approved(execution: wait.execution, by: "person-\(person)", role: request.role))
                }
                return
            case .person(let request):
                let result = answer(request)
                guard result.ending != .timedOut else { continue }
                deliver(request)
                append(engine.finishing(request.command, with: result, in: state))
                return
            case .unknownOutcome(let command):
                questions.append(command)
                append(.commandFinished(command, CommandResult(.succeeded, by: "person-0")))
                return
            case .delay, .command: continue
            }
        }
        let moments = intents.compactMap { if case .wait(let wait) = $0 { wait.until } else { nil } }
        time = max(try #require(moments.min()), time.advanced(byNanoseconds: 1))
    }

    /// The titles of the steps that were entered, ends left out.
    func titles(_ playbook: Playbook) -> [String] {
        entries.compactMap {
            guard case .stepEntered(let entry) = $0.event, let step = playbook.steps[entry.step], step.type != "end",
                step.type != "start"
            else { return nil }
            return step.title
        }
    }
}

extension RunStart {
    init(_ playbook: Playbook, variables: [String: JSONValue] = [:], subjects: [Subject] = []) {
        self.init(
            run: "run-1", playbook: playbook.id, version: playbook.version, contentHash: playbook.contentHash,
            incident: "SEC-2026-0001", startedBy: "person-0", variables: variables, subjects: subjects)
    }
}

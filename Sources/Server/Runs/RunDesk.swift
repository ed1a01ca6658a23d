import Console
import Events
import Incidents
import Journal
import Logging
import Response
import Storage
import Synchronization

/// Drives runs: asks the engine what comes next, writes it down, carries it out, asks again.
///
/// Nothing of a run is kept in memory alone. Each step's boundary is in the journal before anything follows from it, the intent of a
/// command before the command. What a killed process began is asked for again under the same key where the target honours it; where
/// not, its outcome is unknown and waits for a person.
actor RunDesk {
    /// How often times that have come are looked for. What follows from a command, an order or an incident's news is looked at at once.
    static let interval = Duration.milliseconds(100)
    /// News of incidents are looked at no more often than that, however many findings come in.
    static let leastInterval = Duration.milliseconds(20)
    /// A machine has this much longer than its deadline to say itself that it was missed.
    static let reportingSeconds: Int64 = 2

    /// Incidents that something happened to, told by whoever records it.
    final class Changes: Sendable {
        private let incidents = Mutex<Set<String>>([])
        fileprivate let bell = Bell()

        func add(_ incident: String) {
            incidents.withLock { _ = $0.insert(incident) }
            bell.ring()
        }

        func take() -> Set<String> {
            incidents.withLock { set in
                defer { set.removeAll() }
                return set
            }
        }
    }

    let recorder: Recorder
    let projections: Projections
    let playbookFiles: PlaybookFolder
    let store: PlaybookStore
    let inForce: PoliciesInForce
    let runners: CommandRunners
    let logger: Logger
    let now: @Sendable () -> Timestamp
    private let changes: Changes
    /// Called with an incident once a run of it has news.
    private let published: @Sendable (_ incident: String) async -> Void

    private(set) var ledger: RunLedger
    private var engines: [String: RunEngine] = [:]
    /// Of the policies that the engines were made with.
    private var generation: Int
    private var hands: [String: CommandsInHand] = [:]
    private var tasks: [String: Task<Void, Never>] = [:]
    private var wake: [String: Timestamp] = [:]
    private var turn: Task<Void, Never>?
    private var isStopping = false

    init(
        recorder: Recorder, projections: Projections, ledger: RunLedger, playbooks: PlaybookFolder, store: PlaybookStore,
        policies: PoliciesInForce, runners: CommandRunners, changes: Changes, logger: Logger,
        now: @escaping @Sendable () -> Timestamp, published: @escaping @Sendable (_ incident: String) async -> Void
    ) {
        self.recorder = recorder
        self.projections = projections
        self.ledger = ledger
        playbookFiles = playbooks
        self.store = store
        inForce = policies
        generation = policies.generation
        self.runners = runners
        self.changes = changes
        self.logger = logger
        self.now = now
        self.published = published
    }

    /// Runs until cancelled: takes up what an earlier process left, then whatever comes.
    func run() async {
        for run in ledger.open { wake[run] = Timestamp(nanoseconds: .min) }
        var news = Set(await recorder.incidents().map(\.id))
        while !Task.isCancelled {
            let began = ContinuousClock.now
            do {
                if followPolicies() { news.formUnion(await recorder.incidents().map(\.id)) }
                news.formUnion(changes.take())
                for incident in news.sorted() { try await startByPolicy(incident) }
                news.removeAll()
                let time = now()
                for (run, due) in wake.sorted(by: { $0.key < $1.key }) where due <= time {
                    do {
                        try await advance(run)
                    } catch let error as ServerError {
                        // Of this run alone: its playbook is gone.
                        logger.error("\(run) cannot go on: \(error)")
                        wake[run] = time.advanced(bySeconds: 60)
                    }
                }
                await changes.bell.wait(atMost: RunDesk.interval)
                try await Task.sleep(until: began + RunDesk.leastInterval)
            } catch is CancellationError {
                break
            } catch {
                logger.error("runs cannot be written down: \(error); trying again")
                try? await Task.sleep(for: .seconds(1))
            }
        }
        isStopping = true
        for task in tasks.values { task.cancel() }
        for task in tasks.values { await task.value }
    }

    var policies: Policies { inForce.current }
    var policy: ExecutionPolicy { ExecutionPolicy(policies.response) }

    /// After a change of policies: as after a restart, what begins from now on asks for what is in force by now.
    private func followPolicies() -> Bool {
        let newest = inForce.generation
        guard newest != generation else { return false }
        generation = newest
        engines.removeAll()
        for run in ledger.open { wake[run] = Timestamp(nanoseconds: .min) }
        return true
    }

    // MARK: One run

    /// Goes as far as it can be gone now.
    func advance(_ run: String) async throws {
        while !isStopping {
            let intents = try await inTurn { desk in try await desk.next(run) }
            guard !intents.isEmpty else {
                wake[run] = nil
                return
            }
            if case .record = intents[0] { continue }
            var due: Timestamp?
            for intent in intents {
                switch intent {
                case .record: continue
                case .perform(let request): begin(request, of: run)
                case .wait(let wait):
                    guard var until = wait.until else { continue }
                    if case .command = wait.reason { until = until.advanced(bySeconds: RunDesk.reportingSeconds) }
                    due = min(due ?? until, until)
                }
            }
            // A command that begins now has a deadline of its own, which the next look finds.
            if intents.contains(where: { if case .perform = $0 { true } else { false } }) { due = now() }
            wake[run] = due
            return
        }
    }

    /// In turn: records one entry, or marks what is to be carried out.
    private func next(_ run: String) async throws -> [RunIntent] {
        guard let state = ledger.runs[run]?.state, !state.isFinished else { return [] }
        let intents = try engine(for: run).next(state, now: now(), inHand: hands[run] ?? CommandsInHand())
        if case .record(let event)? = intents.first { try await append(event, to: run, actor: "system") }
        for case .perform(let request) in intents {
            hands[run, default: CommandsInHand()].fresh.remove(request.command)
            hands[run, default: CommandsInHand()].running.insert(request.command)
        }
        return intents
    }

    /// In turn. What is appended is durable before anything follows from it.
    func append(_ event: RunEvent, to run: String, actor: String) async throws {
        let time = now()
        let known = ledger.runs[run]?.start
        var start = known
        if case .started(let new) = event { start = new }
        let draft = event.draft(
            run: run, incident: start?.incident, at: time, actor: actor, subjects: start?.subjects ?? [])
        try await recorder.record(draft, at: time)
        ledger.apply(event, to: run, at: time)
        switch event {
        case .commandStarted(let command): hands[run, default: CommandsInHand()].fresh.insert(command)
        case .commandFinished(let command, _), .handedOver(let command, _), .outcomeUnknown(let command):
            hands[run]?.fresh.remove(command)
            hands[run]?.running.remove(command)
        case .finished, .cancelled:
            hands[run] = nil
            engines[run] = nil
            wake[run] = nil
        default: break
        }
        if let incident = start?.incident { await published(incident) }
    }

    /// Records something that is about no run.
    func record(_ draft: EntryDraft) async throws {
        try await recorder.record(draft, at: draft.occurredAt)
        ledger.apply(type: draft.type, data: draft.data, personal: [:], at: draft.occurredAt, actor: draft.actor)
    }

    /// Each run goes on with the playbooks that it began with, whatever has become of the files.
    func engine(for run: String) throws -> RunEngine {
        if let engine = engines[run] { return engine }
        guard let start = ledger.runs[run]?.start else { return RunEngine(library: PlaybookLibrary(), policy: policy) }
        let playbooks = try ([start.contentHash] + start.calls).map { try store.read($0) }
        let engine = RunEngine(library: PlaybookLibrary(playbooks), policy: policy)
        engines[run] = engine
        return engine
    }

    // MARK: Commands

    private func begin(_ request: CommandRequest, of run: String) {
        guard let start = ledger.runs[run]?.start else { return }
        let execution = ledger.runs[run]?.state.executions[request.command.execution]
        let context = CommandContext(
            run: run, incident: start.incident, startedBy: start.startedBy, approvedBy: execution?.approvedBy ?? [])
        tasks[request.key] = Task {
            let ending = await runners.carryOut(request, context, now: now)
            await self.finish(request, of: run, with: ending)
        }
    }

    private func finish(_ request: CommandRequest, of run: String, with ending: CommandEnding) async {
        defer { tasks[request.key] = nil }
        // Broken off because the server stops: whether it happened is for the next start to find out.
        if isStopping { return }
        while true {
            do {
                try await inTurn { desk in try await desk.settle(request, of: run, ending) }
                try await advance(run)
                return
            } catch {
                logger.error("what came of \(request.key) cannot be written down: \(error); trying again")
                wake[run] = nil
                try? await Task.sleep(for: .seconds(1))
                if isStopping { return }
            }
        }
    }

    /// In turn.
    private func settle(_ request: CommandRequest, of run: String, _ ending: CommandEnding) async throws {
        guard let state = ledger.runs[run]?.state, !state.isFinished else { return }
        let event: RunEvent =
            switch ending {
            case .finished(let result): try engine(for: run).finishing(request.command, with: result, in: state)
            case .handedOver(let reason): .handedOver(request.command, reason: reason)
            case .unknown: .outcomeUnknown(request.command)
            }
        try await append(event, to: run, actor: "system")
    }

    func inHand(_ run: String) -> CommandsInHand { hands[run] ?? CommandsInHand() }

    /// A run that was cancelled: its commands are broken off.
    func breakOff(_ run: String) {
        for (key, task) in tasks where key.hasPrefix("\(run)/") { task.cancel() }
    }

    /// One decision after the other: an actor may be entered again while it waits for the disk.
    func inTurn<Outcome: Sendable>(
        _ body: @escaping @Sendable (isolated RunDesk) async throws -> Outcome
    ) async throws -> Outcome {
        let previous = turn
        let task = Task {
            await previous?.value
            return try await body(self)
        }
        turn = Task { _ = await task.result }
        return try await task.value
    }
}

extension ExecutionPolicy {
    init(_ policy: ResponsePolicy) {
        self.init()
        if let approvals = policy.approvals {
            self.approvals = approvals.map { ApprovalRule(impact: $0.impact, role: $0.role, people: $0.people) }
        }
        if let seconds = policy.approvalTime { approvalTimeout = seconds * 1000 }
        if let seconds = policy.manualTime { manualTimeout = seconds * 1000 }
        demandsSignature = policy.demandsSignature
    }
}

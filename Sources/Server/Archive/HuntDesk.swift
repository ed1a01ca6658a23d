import Archive
import Console
import Detection
import Events
import Foundation
import Hunting
import Journal

/// Runs the console's hunts: one at a time, with one worker, so that detection has the machine. Remembers the newest few.
actor HuntDesk: HuntRunning {
    static let maximumRunning = 1
    static let maximumKept = 20
    static let maximumRows = 200
    static let maximumCounts = 200
    /// Of a line, so that rows are bounded whatever the lines are.
    static let maximumText = 2_000

    private let reader: ArchiveReader
    private let rulePaths: [String]
    private let recorder: Recorder
    private let now: @Sendable () -> Timestamp
    private var views: [HuntView] = []
    private var running: [String: Task<Void, Never>] = [:]
    /// What the journal says of those that run.
    private var records: [String: HuntRecord] = [:]

    init(folder: DataFolder, rulePaths: [String], recorder: Recorder, now: @escaping @Sendable () -> Timestamp) {
        reader = ArchiveReader(folder: folder.archive)
        self.rulePaths = rulePaths
        self.recorder = recorder
        self.now = now
    }

    func hunts() -> [HuntView] { views.reversed() }

    func hunt(_ id: String) -> HuntView? { views.first { $0.id == id } }

    func start(_ question: HuntQuestion, by account: String) async throws -> String {
        guard running.count < HuntDesk.maximumRunning else {
            throw HuntRefusal("Another hunt is running. Wait for it, or cancel it.")
        }
        let id = UUID().uuidString.lowercased()
        // The place is taken before anything is waited for.
        running[id] = Task {}
        let hunt: Hunt
        do {
            hunt = try await prepare(question)
            var asked = HuntRecord.Question()
            (asked.rule, asked.filter, asked.countBy) = (question.rule, question.filter, question.countBy)
            let record = HuntRecord(
                id: id, through: .console, person: account, question: asked, since: question.since, until: question.until,
                rulesHash: hunt.rulesHash)
            try await recorder.record(record.draft(.started, at: now()), at: now())
            records[id] = record
        } catch {
            running[id] = nil
            throw error
        }
        views.append(HuntView(id: id, question: question, account: account, started: now()))
        if views.count > HuntDesk.maximumKept { views.removeFirst() }
        running[id] = Task { await run(hunt, id) }
        return id
    }

    /// Anybody may cancel anybody's hunt, since only one runs at a time: so the journal says who it was.
    func cancel(_ id: String, by account: String) async throws {
        guard let task = running[id], !task.isCancelled, let record = records[id] else { return }
        task.cancel()
        try await recorder.record(record.draft(.cancelled, by: account, at: now()), at: now())
    }

    private nonisolated func prepare(_ question: HuntQuestion) async throws -> Hunt {
        let (paths, rule) = (rulePaths, question.rule.trimmingCharacters(in: .whitespacesAndNewlines))
        // Compiling takes a while: this actor does not wait for it with its own thread.
        let made = await Task.detached { () -> Result<Hunt, HuntError> in
            Result { () throws(HuntError) in
                let filter = try HuntFilter(parsing: question.filter)
                guard !rule.isEmpty || !question.filter.isEmpty else {
                    throw HuntError("there is nothing to hunt for", "give a rule, or conditions")
                }
                let hunt = try Hunt(
                    rules: rule.isEmpty ? [] : [RuleSource(path: "hunt", text: rule)], base: paths, filter: filter,
                    countBy: question.countBy.isEmpty ? nil : question.countBy, since: question.since, until: question.until)
                if let problem = hunt.problems.first(where: { $0.file == "hunt" }) {
                    throw HuntError("the rule is refused: line \(problem.line): \(problem.reason)", "put it right")
                }
                return hunt
            }
        }.value
        switch made {
        case .success(let hunt): return hunt
        case .failure(let error): throw HuntRefusal(error.description)
        }
    }

    private func run(_ hunt: Hunt, _ id: String) async {
        var state = HuntView.State.done
        do {
            let progress = try await hunt.run(
                reader, workers: 1, report: { add($0, to: id) },
                progress: { progress in
                    note(progress, of: id)
                    // Between two blocks somebody else may have a turn.
                    await Task.yield()
                })
            note(progress, of: id)
            change(id) { $0.problems += hunt.doubts(about: progress) }
        } catch is CancellationError {
            state = .cancelled
        } catch {
            state = .failed
            change(id) { $0.problems.append("\(error)") }
        }
        change(id) { $0.state = state }
        running[id] = nil
        guard let view = views.first(where: { $0.id == id }), let record = records.removeValue(forKey: id) else { return }
        let outcome = HuntRecord.Outcome(state: state.rawValue, results: view.results, lines: view.lines)
        do {
            try await recorder.record(record.draft(.ended, outcome: outcome, at: now()), at: now())
        } catch {
            change(id) { $0.problems.append("the journal does not say that the hunt ended: \(error)") }
        }
    }

    private func add(_ result: HuntResult, to id: String) {
        change(id) { view in
            guard view.rows.count < HuntDesk.maximumRows else { return }
            view.rows.append(
                HuntView.Row(
                    time: result.time, title: result.finding?.rule.title ?? "", source: result.origin.source, line: result.line,
                    text: String(result.text.prefix(HuntDesk.maximumText))))
        }
    }

    private func note(_ progress: HuntProgress, of id: String) {
        change(id) { view in
            view.fraction = progress.fraction
            view.lines = progress.lines
            view.results = progress.results
            view.distinct = progress.counts.count
            view.problems = progress.damages.prefix(20).map { "damaged: \($0)" }
            let sorted = progress.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            view.counts = sorted.prefix(HuntDesk.maximumCounts).map { (value: $0.key, count: $0.value) }
        }
    }

    private func change(_ id: String, _ body: (inout HuntView) -> Void) {
        guard let index = views.firstIndex(where: { $0.id == id }) else { return }
        body(&views[index])
    }
}

import Console
package import Detection
import Events
import Ingest
import Logging
import Storage

/// Keeps the rules in force in step with their files: all of a change, or nothing of it.
///
/// Files are asked for, as logs are: no watcher that can die, and it works on every file system. What has changed is read and
/// compiled aside; when anything in it is refused, the set in force stays, and console, log and journal say why.
package actor RuleReloader {
    /// How often the files are looked at.
    static let pollInterval = Duration.seconds(1)

    /// What came of a reload.
    package enum Outcome: Sendable, Equatable {
        case applied(RuleSetChange)
        /// The files say what is in force already.
        case unchanged
        case refused([RuleProblem])
    }

    private let paths: [String]
    private let cachePath: String
    private let watch: Watch
    private let recorder: Recorder
    private let projections: Projections
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private var detector: RuleChangeDetector
    private var inForce: LoadedRules {
        didSet { described = nil }
    }
    /// What is in force, made when it is first asked for: rules change seldom, and every piece of evidence asks.
    private var described: [RuleSummary]?
    /// The last reload that was asked for: each waits for the one before it, so that files are compared with what is in force by then.
    private var turn: Task<Void, Never>?
    /// Why the files as they are now are not in force.
    private var refusal: (problems: [RuleProblem], at: Timestamp)?

    init(
        paths: [String], cachePath: String, loaded: LoadedRules, watch: Watch, recorder: Recorder, projections: Projections,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.paths = paths
        self.cachePath = cachePath
        self.watch = watch
        self.recorder = recorder
        self.projections = projections
        self.logger = logger
        self.now = now
        inForce = loaded
        detector = RuleChangeDetector(known: loaded.fingerprint)
    }

    /// Follows the files until cancelled.
    ///
    /// - Throws: when the journal cannot be written.
    func follow() async throws {
        while true {
            do {
                try await Task.sleep(for: RuleReloader.pollInterval)
            } catch {
                return
            }
            guard detector.observe(RuleFilesFingerprint(paths: paths), at: now()) else { continue }
            do {
                _ = try await reload()
            } catch is CancellationError {
                return
            }
        }
    }

    /// Reads the files and puts them in force if nothing in them is refused.
    ///
    /// - Throws: when the journal cannot be written, or the watch has ended.
    package func reload() async throws -> Outcome {
        let previous = turn
        let task = Task {
            await previous?.value
            return try await reloadNow()
        }
        turn = Task { _ = await task.result }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func reloadNow() async throws -> Outcome {
        let (paths, cachePath) = (paths, cachePath)
        // Compiling takes a while: neither this actor nor the watch waits for it.
        let loaded = await Task.detached { LoadedRules(paths: paths, cachePath: cachePath) }.value
        detector.note(loaded.fingerprint)
        let problems = loaded.complaints
        guard problems.isEmpty else {
            refusal = (problems, now())
            for problem in problems.prefix(RuleEntries.maximumProblems) { logger.error("rules not reloaded: \(problem)") }
            try await recorder.record(RuleEntries.refused(problems, kept: inForce.ruleSet.hash, at: now()), at: now())
            return .refused(problems)
        }
        refusal = nil
        guard loaded.ruleSet.hash != inForce.ruleSet.hash || loaded.formatTexts != inForce.formatTexts else {
            inForce = loaded
            return .unchanged
        }
        let change = try await watch.use(loaded.ruleSet, loaded.formats)
        inForce = loaded
        logger.notice(
            "rules reloaded: \(loaded.ruleSet.count) in force, \(change.added.count) added, \(change.changed.count) changed, \(change.removed.count) removed"
        )
        return .applied(change)
    }

    /// Of the set in force.
    var hash: String { inForce.ruleSet.hash }

    /// What is refused first, then what is in force.
    var summaries: [RuleSummary] {
        let refused = (refusal?.problems ?? inForce.problems).map { RuleSummary(problem: $0, isKeptOut: refusal != nil) }
        let accepted = described ?? inForce.summaries
        described = accepted
        return refused + accepted
    }

    /// The rules page: `summaries`, with what each has found so far.
    func summariesWithActivity() async -> [RuleSummary] {
        // Without the tables the rules can still be shown.
        let activity = (try? await projections.ruleActivity()) ?? [:]
        var summaries = self.summaries
        for index in summaries.indices {
            guard summaries[index].problem == nil, let found = activity[summaries[index].id] else { continue }
            summaries[index].matches = found.count
            summaries[index].lastMatch = found.last
        }
        return summaries
    }
}

/// Rule files as they were read, and what was made of them.
package struct LoadedRules: Sendable {
    let fingerprint: RuleFilesFingerprint
    let folder: RuleFolder
    package let ruleSet: RuleSet
    let formats: FormatSet
    /// The formats as they were written, in their order.
    let formatTexts: [String]
    package let problems: [RuleProblem]

    /// - Parameters:
    ///   - cachePath: where what was parsed is kept for the next time.
    ///   - warn: is told when what was kept cannot be used.
    package init(paths: [String], cachePath: String, warn: (String) -> Void = { _ in }) {
        // Before reading: what changes while it is read is seen as a change later.
        fingerprint = RuleFilesFingerprint(paths: paths)
        folder = RuleFolder(paths: paths)
        let formatFolder = FormatFolder(paths: paths)
        var logSources = LogSourceTable()
        formatFolder.intern(into: &logSources)
        let compiled = folder.compile(cachePath: cachePath, logSources: logSources, cacheRefused: warn)
        ruleSet = compiled.ruleSet
        // A log format that is refused is shown and kept out of force like a rule.
        problems =
            compiled.problems
            + formatFolder.problems.map { RuleProblem(file: $0.file, line: $0.line, reason: $0.reason) }
        formatTexts = formatFolder.definitions.map(\.text)
        formats = FormatSet(
            formatFolder, fields: ruleSet.fields, logSources: ruleSet.logSources, taxonomy: ruleSet.taxonomy)
    }

    /// Why it cannot take the place of a set that runs.
    var complaints: [RuleProblem] {
        if problems.isEmpty, ruleSet.count == 0 {
            return [RuleProblem(file: "", line: 0, reason: "there is no rule in the folders of rules; nothing would be detected")]
        }
        return problems
    }

    /// Each rule of the set, without what it has found.
    fileprivate var summaries: [RuleSummary] {
        let sources = Dictionary(folder.rules.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        return ruleSet.headers.map { header, isReported in
            var summary = RuleSummary(
                id: header.id, title: header.title, level: header.level.rawValue, category: header.category.rawValue,
                file: "\(header.file):\(header.line)")
            summary.hash = header.hash
            summary.techniques = header.techniques
            summary.requirements = header.requirements
            summary.isReported = isReported
            summary.logSource = ruleSet.logSource(of: header.id)?.words ?? "correlation"
            summary.text = sources[header.file]?.text(ofDocumentAt: header.line) ?? ""
            return summary
        }
    }
}

extension RuleSummary {
    /// - Parameter isKeptOut: the whole reload was refused for it; otherwise only the rule itself is.
    fileprivate init(problem: RuleProblem, isKeptOut: Bool) {
        self.init(
            id: "", title: problem.file, level: "", category: "",
            file: problem.line > 0 ? "\(problem.file):\(problem.line)" : problem.file, problem: problem.reason)
        isReloadRefused = isKeptOut
    }
}

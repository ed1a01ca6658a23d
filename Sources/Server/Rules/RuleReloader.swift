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
    private var inForce: LoadedRules
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

    /// The rules page: what is refused first, then what is in force, with what each has found so far.
    func summaries() async -> [RuleSummary] {
        // Without the tables the rules can still be shown.
        let activity = (try? await projections.ruleActivity()) ?? [:]
        var summaries = (refusal?.problems ?? inForce.problems).map {
            RuleSummary(problem: $0, isKeptOut: refusal != nil)
        }
        for (header, isReported) in inForce.ruleSet.headers {
            var summary = RuleSummary(
                id: header.id, title: header.title, level: header.level.rawValue, category: header.category.rawValue,
                file: "\(header.file):\(header.line)")
            summary.hash = header.hash
            summary.techniques = header.techniques
            summary.requirements = header.requirements
            summary.isReported = isReported
            summary.logSource = inForce.ruleSet.logSource(of: header.id)?.words ?? "correlation"
            summary.text = inForce.text(of: header)
            if let found = activity[header.id] {
                summary.matches = found.count
                summary.lastMatch = found.last
            }
            summaries.append(summary)
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

    func text(of header: RuleHeader) -> String {
        folder.rules.first { $0.path == header.file }?.text(ofDocumentAt: header.line) ?? ""
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

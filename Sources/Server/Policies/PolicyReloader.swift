import Console
import Detection
import Events
package import Incidents
import Logging

/// Keeps the policies in force in step with their files: all of a change, or nothing of it.
///
/// The journal says first which policies are in force, then they are. A process that is killed in between starts with the files as they
/// are, and finds the entry there already.
package actor PolicyReloader {
    package enum Outcome: Sendable, Equatable {
        case applied
        /// The files say what is in force already.
        case unchanged
        case refused(PolicyError)
    }

    /// What somebody named; `nil` for the standard folder.
    private let folder: String?
    private let inForce: PoliciesInForce
    private let recorder: Recorder
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    /// What is to be said about policies that come into force, although they are right.
    private let warnings: @Sendable (Policies) -> [String]
    private var detector: RuleChangeDetector
    /// The last reload that was asked for; each waits for the one before it.
    private var turn: Task<Void, Never>?
    /// Why the files as they are now are not in force.
    private(set) var refusal: (problem: PolicyError, at: Timestamp)?

    init(
        folder: String?, inForce: PoliciesInForce, recorder: Recorder, logger: Logger,
        warnings: @escaping @Sendable (Policies) -> [String] = { _ in [] }, now: @escaping @Sendable () -> Timestamp
    ) {
        self.folder = folder
        self.inForce = inForce
        self.recorder = recorder
        self.logger = logger
        self.warnings = warnings
        self.now = now
        detector = RuleChangeDetector(known: PolicyReloader.fingerprint(of: folder))
    }

    private static func fingerprint(of folder: String?) -> RuleFilesFingerprint {
        RuleFilesFingerprint(paths: [folder ?? PolicyFolder.standard])
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
            guard detector.observe(PolicyReloader.fingerprint(of: folder), at: now()) else { continue }
            do {
                _ = try await reload()
            } catch is CancellationError {
                return
            }
        }
    }

    /// Reads the files and puts them in force if nothing in them is refused.
    ///
    /// - Throws: when the journal cannot be written.
    @discardableResult
    package func reload() async throws -> Outcome {
        let previous = turn
        let task = Task {
            await previous?.value
            return try await reloadNow()
        }
        turn = Task { _ = await task.result }
        return try await task.value
    }

    private func reloadNow() async throws -> Outcome {
        // Before reading: what changes while it is read is seen as a change later.
        detector.note(PolicyReloader.fingerprint(of: folder))
        let before = inForce.current
        let policies: Policies
        do throws(PolicyError) {
            policies = try PolicyFolder.load(folder)
            // A folder that is just being replaced must not stop all paging.
            if policies.hash == nil, before.hash != nil {
                throw PolicyError(
                    file: folder ?? PolicyFolder.standard, line: 0,
                    reason: "there is no policy file any more, and nobody would be paged; start Vigie anew if that is meant")
            }
        } catch {
            refusal = (error, now())
            logger.error("policies not reloaded, the old ones stay in force: \(error)")
            try await recorder.record(PolicyEntry.refused(error, kept: before.hash, at: now()), at: now())
            return .refused(error)
        }
        refusal = nil
        guard policies.hash != before.hash else { return .unchanged }
        try await recorder.record(PolicyEntry.loaded(policies, at: now()), at: now())
        inForce.replace(by: policies)
        for warning in warnings(policies) { logger.warning("\(warning)") }
        logger.notice("policies reloaded")
        return .applied
    }

    /// For the console.
    var problem: PolicyProblem? {
        refusal.map { PolicyProblem(text: $0.problem.description, at: $0.at) }
    }
}

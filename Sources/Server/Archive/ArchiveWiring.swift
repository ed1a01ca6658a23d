import Archive
import Detection
import Events
import Hunting
import Ingest
import Journal
import Logging
import ServiceLifecycle

/// Puts the archive between the watch, the journal and the configuration.
enum ArchiveWiring {
    /// - Returns: `nil` where the configuration wants none.
    static func open(
        _ options: ServerOptions, _ folder: DataFolder, _ loaded: LoadedRules, resumingAt position: ArchivePosition?,
        recorder: Recorder, now: @escaping @Sendable () -> Timestamp
    ) async -> Archive? {
        guard options.archive.isEnabled else { return nil }
        let archive = Archive(
            folder: folder.archive, policy: options.archive.policy,
            fingerprint: ArchiveReading.fingerprint(loaded.formats, pipelines: loaded.ruleSet.pipelinesHash),
            trustedProxies: options.trustedProxies.map(\.description), resumingAt: position
        ) { event in try await recorder.record(event.draft(at: now()), at: now()) }
        await archive.recover(at: now())
        return archive
    }

    static func feed(
        _ archive: Archive, _ options: ServerOptions, _ folder: DataFolder, _ loaded: LoadedRules
    ) -> sending ArchiveFeed {
        ArchiveFeed(
            archive, logSources: loaded.ruleSet.logSources, securityNames: SecuritySources.paths(options, folder))
    }
}

/// Carries out retention, and says in the log how the archive is doing.
struct ArchiveService: Service {
    static let interval = Duration.seconds(60)

    let archive: Archive
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var said: String?
            var noticed: [String] = []
            while true {
                await archive.maintain(at: .system)
                let status = await archive.status
                if status.problem != said {
                    if let problem = status.problem {
                        logger.error("nothing is archived at the moment, detection goes on: \(problem)")
                    } else {
                        logger.notice("the archive is written again; \(status.lostLines) lines are missing from it")
                    }
                    said = status.problem
                }
                for notice in status.notices where !noticed.contains(notice) { logger.warning("archive: \(notice)") }
                noticed = status.notices
                try await Task.sleep(for: ArchiveService.interval)
            }
        }
    }
}

import Logging
import ServiceLifecycle
import UnixSignals

/// Puts changed files in force as long as the server runs: rules and policies as they change, and at every SIGHUP whether they look
/// changed or not.
struct ReloadService: Service {
    let rules: RuleReloader
    let policies: PolicyReloader
    let followsFiles: Bool
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                if followsFiles {
                    group.addTask { try await rules.follow() }
                    group.addTask { try await policies.follow() }
                }
                group.addTask { try await followSignals() }
                try await group.waitForAll()
            }
        }
    }

    private func followSignals() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup) {
            logger.notice("SIGHUP: rules and policies are read again")
            do {
                // Policies first: who is paged must not wait for a thousand rules to be compiled.
                _ = try await policies.reload()
                _ = try await rules.reload()
            } catch is CancellationError {
                return
            }
        }
    }
}

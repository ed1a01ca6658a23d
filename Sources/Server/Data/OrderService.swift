import Console
import Identity
import Logging
import ServiceLifecycle

/// Carries out what commands want done to incidents, runs, leases, silences and accounts.
struct OrderService: Service {
    let spool: OrderSpool
    let desk: IncidentDesk
    let runs: RunDesk
    let leases: LeaseOrders
    let counter: LeaseCounter
    let accounts: AccountSpool
    let service: AccountService
    let hunts: HuntSpool
    let silences: SilenceSpool
    let silenceDesk: SilenceDesk
    let recorder: Recorder
    let logger: Logger

    func run() async throws {
        for folder in [spool.folder, leases.folder, hunts.folder, silences.folder] { folder.sweep(now: .system) }
        try? await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Apart: a preview of a lease may take seconds.
                group.addTask { try await repeated { try await spool.serve(desk, runs: runs, logger: logger) } }
                group.addTask { try await repeated { try await leases.serve(counter, logger: logger) } }
                group.addTask { try await repeated { try await accounts.serve(service, logger: logger) } }
                group.addTask { try await repeated { try await hunts.serve(recorder, logger: logger) { .system } } }
                group.addTask { try await repeated { try await silences.serve(silenceDesk, logger: logger) } }
                try await group.waitForAll()
            }
        }
    }

    private func repeated(_ body: () async throws -> Void) async throws {
        while true {
            try await Task.sleep(for: .milliseconds(100))
            do {
                try await body()
            } catch {
                logger.error("an order cannot be carried out: \(error)")
            }
        }
    }
}

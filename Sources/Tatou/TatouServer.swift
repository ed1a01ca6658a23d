import Guard
package import Hummingbird
package import Logging
import NIOCore
import RMAP
import ServiceLifecycle

/// A platform that is served: start, stop by signal.
package struct TatouServer: Sendable {
    package let platform: Platform
    private let lock: DataFolderLock
    private let upkeep: [any Service]
    private let handshake: RMAPHandshake?

    /// Opens the folder for serving, and removes what a crash left.
    ///
    /// - Throws: an error whose description says what to do.
    package init(
        _ options: Platform.Options, processing: any DocumentProcessing, logger: Logger, canary: CanaryOptions? = nil,
        rmap: RMAPOptions? = nil
    ) async throws {
        platform = try Platform(options, processing: processing, logger: logger)
        if let rmap {
            let keys = try await rmap.keys()
            for name in keys.unusable {
                logger.warning("no key of this identity can be encrypted to: it is left out", metadata: ["identity": "\(name)"])
            }
            handshake = RMAPHandshake(
                server: RMAPServer(keys: keys, resultForm: rmap.answersInClear ? .clear : .encrypted), platform: platform,
                document: rmap.document, method: rmap.method)
        } else {
            handshake = nil
        }
        lock = try DataFolderLock(data: options.data)
        let removed = try await platform.sweep()
        if removed > 0 {
            logger.warning(
                "removed files that belong to nothing: the last run ended in between", metadata: ["files": "\(removed)"])
        }
        var upkeep: [any Service] = [SessionUpkeep(accounts: platform.accounts, logger: logger)]
        if let canary {
            upkeep.append(
                CanaryWatch(
                    canary: Canary(options: canary), log: platform.protection.log, metrics: platform.metrics, logger: logger))
        }
        self.upkeep = upkeep
    }

    /// - Parameter onRunning: told the port, which the system chose where 0 was asked for.
    package func application(
        host: String, port: Int, logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        Application(
            router: platform.router(handshake: handshake),
            configuration: .init(address: .hostname(host, port: port), serverName: nil),
            services: [platform.protection] + upkeep,
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: logger)
    }
}

/// Forgets old sessions now and then.
private struct SessionUpkeep: Service {
    let accounts: PlatformAccounts
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while true {
                do { try await Task.sleep(for: .seconds(3600)) } catch { return }
                do {
                    try await accounts.sweep()
                } catch {
                    logger.error("old sessions could not be removed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}

package import Events
import Foundation
package import Logging

extension VigieServer {
    /// What a run tells its surroundings.
    package struct Announcements: Sendable {
        /// A server is ready: the first one, and each that goes on after a full disk.
        package var started: @Sendable (VigieServer) async -> Void
        package var receiving: @Sendable (_ name: String, _ port: Int) async -> Void
        package var listening: @Sendable (_ port: Int) async -> Void
        /// The disk is full: why it was noticed. Nothing runs until there is room.
        package var waiting: @Sendable (any Error) async -> Void

        package init(
            started: @escaping @Sendable (VigieServer) async -> Void = { _ in },
            receiving: @escaping @Sendable (_ name: String, _ port: Int) async -> Void = { _, _ in },
            listening: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
            waiting: @escaping @Sendable (any Error) async -> Void = { _ in }
        ) {
            self.started = started
            self.receiving = receiving
            self.listening = listening
            self.waiting = waiting
        }
    }

    /// Serves until SIGTERM or SIGINT, or until the task is cancelled, through times without room on the disk.
    ///
    /// Whatever cannot be written when the disk is full ends the server, as a crash would, and what was acknowledged is on the disk. So
    /// going on is what follows a crash: a new server, once there is room, that reads on from the last saved position. Until then
    /// senders are not answered, and send again.
    ///
    /// - Parameter pause: between two looks at the disk.
    /// - Throws: what `start` and `run` throw, but for a full disk after the first start.
    package static func serve(
        _ options: ServerOptions, logger: Logger, now: @escaping @Sendable () -> Timestamp = { .system },
        pause: Duration = .seconds(5), announcing announcements: Announcements
    ) async throws {
        let folder = DataFolder(path: options.dataFolder)
        var server: VigieServer? = try await start(options, logger: logger, now: now)
        while true {
            do {
                let running: VigieServer
                if let server { running = server } else { running = try await start(options, logger: logger, now: now) }
                // No other reference: what the server holds is let go of before the next one asks for it.
                server = nil
                await announcements.started(running)
                return try await running.run(receiving: announcements.receiving, listening: announcements.listening)
            } catch {
                guard !Task.isCancelled, !folder.hasRoom || saysDiskIsFull(error) else { throw error }
                await announcements.waiting(error)
            }
            // The server's services have caught them; with nothing open the process may just end.
            signal(SIGTERM, SIG_DFL)
            signal(SIGINT, SIG_DFL)
            repeat { try await Task.sleep(for: pause) } while !folder.hasRoom
        }
    }

    /// Room may have been made by the time that anybody looks.
    private static func saysDiskIsFull(_ error: any Error) -> Bool {
        let text = String(describing: error)
        return [String(cString: strerror(ENOSPC)), String(cString: strerror(EDQUOT)), "disk is full"].contains(
            where: text.contains)
    }
}

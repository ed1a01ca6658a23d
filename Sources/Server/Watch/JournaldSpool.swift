import Foundation
import Logging

/// Brings what journald keeps about sign-ins into a file that is followed like any other log.
///
/// `journalctl` writes JSON lines to the spool, each with its cursor; after a restart it goes on behind the last whole
/// line. So journald's entries have file offsets like all others, and nothing is read twice or lost, whichever of the
/// two programs is killed. The spool is renamed when it has grown; its follower reads the rest of the old one.
package struct JournaldSpool: Sendable {
    /// The spool is renamed past this size; one old one is kept.
    static let rotationBytes = 64 << 20
    static let checkInterval = Duration.seconds(1)
    /// A `journalctl` that ends by itself is started again after this long.
    static let restartDelay = Duration.seconds(5)

    /// What `journalctl` is asked for: the facilities auth (4) and authpriv (10), to which sshd, sudo and PAM log.
    static let query = ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"]

    let path: String
    let logger: Logger
    /// Tests name another program, or another journal.
    var program = ["journalctl"]

    /// Whether this machine has a journal that this user may read.
    package static func isReadable(program: [String] = ["journalctl"]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = program + ["--quiet", "--no-pager", "--lines=1", "--output=cat"] + query
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        let output = (try? pipe.fileHandleForReading.readToEnd()) ?? nil
        process.waitUntilExit()
        return process.terminationStatus == 0 && output?.isEmpty == false
    }

    /// Runs until cancelled.
    func run() async throws {
        while !Task.isCancelled {
            do {
                try await follow()
            } catch is CancellationError {
                return
            } catch {
                logger.error("journald cannot be followed: \(error.localizedDescription); trying again")
            }
            do {
                try await Task.sleep(for: JournaldSpool.restartDelay)
            } catch {
                return
            }
        }
    }

    /// One `journalctl`, until it ends, the spool is full, or the task is cancelled.
    private func follow() async throws {
        let cursor = try prepare()
        let spool = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? spool.close() }
        try spool.seekToEnd()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            program + [
                "--quiet", "--no-pager", "--follow", "--output=json", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_PID,_HOSTNAME",
            ]
            + [cursor.map { "--after-cursor=\($0)" } ?? "--lines=all"] + JournaldSpool.query
        process.standardOutput = spool
        process.standardError = FileHandle.nullDevice
        let (exit, exited) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in exited.finish() }
        try process.run()
        let result: Result<Bool, any Error>
        do {
            result = .success(try await watch(process, spool))
        } catch {
            result = .failure(error)
        }
        // SIGKILL: a child of a pool thread inherits its mask, in which SIGTERM is blocked. What it had not written comes again.
        kill(process.processIdentifier, SIGKILL)
        // Nothing more may be written once the next one has been told where to go on: its end is waited for, in a task of
        // its own, which the cancellation of this one does not reach.
        await Task { for await _ in exit {} }.value
        if try result.get() { try rotate() }
    }

    /// Returns true when the spool is full, false when `journalctl` has ended by itself.
    private func watch(_ process: Process, _ spool: FileHandle) async throws -> Bool {
        while process.isRunning {
            try await Task.sleep(for: JournaldSpool.checkInterval)
            if let size = try? spool.seekToEnd(), size > JournaldSpool.rotationBytes { return true }
        }
        logger.notice("journalctl ended with status \(process.terminationStatus); it is started again")
        return false
    }

    /// Makes the spool, ends an unfinished last line, and says behind which entry to go on.
    ///
    /// The unfinished line is not cut off: its follower may have read it, and a file that shrinks counts as a new one.
    func prepare() throws -> String? {
        let manager = FileManager.default
        if !manager.fileExists(atPath: path) {
            guard manager.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
                throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
            }
        }
        let spool = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? spool.close() }
        let size = try spool.seekToEnd()
        if size > 0 {
            try spool.seek(toOffset: size - 1)
            if try spool.read(upToCount: 1) != Data([0x0A]) { try spool.write(contentsOf: Data([0x0A])) }
        }
        return try JournaldSpool.lastCursor(path) ?? JournaldSpool.lastCursor(path + ".1")
    }

    private func rotate() throws {
        let old = path + ".1"
        if FileManager.default.fileExists(atPath: old) { try FileManager.default.removeItem(atPath: old) }
        try FileManager.default.moveItem(atPath: path, toPath: old)
    }

    private static func lastCursor(_ path: String) throws -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        let size = try file.seekToEnd()
        try file.seek(toOffset: size > 1_048_576 ? size - 1_048_576 : 0)
        let lines = (try file.readToEnd() ?? Data()).split(separator: 0x0A)
        for line in lines.reversed() {
            let entry = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
            if let cursor = entry?["__CURSOR"] as? String { return cursor }
        }
        return nil
    }
}

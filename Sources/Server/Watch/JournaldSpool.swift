import Foundation
import Logging
import Programs

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
    package static func isReadable(program: [String] = ["journalctl"], seconds: Double = 30) async -> Bool {
        let question = journalctl(program, ["--lines=1", "--output=cat"])
        guard let outcome = try? await question.run(seconds: seconds) else { return false }
        return outcome.ending == .exited(0) && !outcome.output.isEmpty
    }

    private static func journalctl(_ program: [String], _ arguments: [String]) -> Subprocess {
        Subprocess(
            "/usr/bin/env", program + ["--quiet", "--no-pager"] + arguments + query,
            environment: ProcessInfo.processInfo.environment)
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
        // Without `--all`, a message of more than 4,096 bytes is left out.
        var journalctl = JournaldSpool.journalctl(
            program,
            ["--follow", "--all", "--output=json", "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_PID,_HOSTNAME"]
                + [cursor.map { "--after-cursor=\($0)" } ?? "--lines=all"])
        journalctl.standardOutput = spool.fileDescriptor
        // It has ended when the group has, whatever ended it: nothing more may be written once the next one has been told where to go
        // on. What it had not written comes again.
        let isFull = try await withThrowingTaskGroup(of: Bool.self) { [journalctl] group in
            group.addTask {
                let ending = try await journalctl.run(seconds: .infinity).ending
                if ending != .cancelled { logger.notice("journalctl ended (\(ending)); it is started again") }
                return false
            }
            group.addTask { [path] in
                while JournaldSpool.size(of: path) <= JournaldSpool.rotationBytes {
                    try await Task.sleep(for: JournaldSpool.checkInterval)
                }
                return true
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
        try Task.checkCancellation()
        if isFull { try rotate() }
    }

    private static func size(of path: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0
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

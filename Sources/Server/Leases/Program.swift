import Foundation
import Synchronization

/// A program that is run to its end: no shell, a deadline, and bounded output.
struct Program: Sendable {
    /// What it was run with has to be found where the system keeps such programs, whatever the server's own environment says.
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// Of standard output; a listing of a hundred thousand blocks is some twenty megabytes.
    private static let maximumBytes: UInt64 = 256 << 20

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// What is known of the process while it runs.
    private final class Child: Sendable {
        let pid = Atomic<pid_t>(0)
        let isLate = Atomic(false)

        /// SIGKILL: a child of a pool thread inherits its mask, in which SIGTERM is blocked.
        func end() {
            let running = pid.load(ordering: .relaxed)
            if running > 0 { kill(running, SIGKILL) }
        }
    }

    var words: [String]
    var seconds: Int = 10

    /// - Returns: its standard output.
    /// - Throws: with what it said on standard error when it did not end well, or in time.
    func run(_ arguments: [String] = [], input: String? = nil) async throws -> String {
        let name = words.first ?? ""
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words + arguments
        process.environment = ["PATH": Program.path, "LC_ALL": "C"]
        let (output, errors) = (try Program.file(), try Program.file())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = try Program.file(input ?? "")
        let child = Child()
        let alarm = Task { [seconds] in
            try await Task.sleep(for: .seconds(seconds))
            child.isLate.store(true, ordering: .relaxed)
            child.end()
        }
        defer { alarm.cancel() }
        let status: Int32? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do {
                    try process.run()
                    child.pid.store(process.processIdentifier, ordering: .relaxed)
                } catch {
                    process.terminationHandler = nil
                    continuation.resume(returning: nil)
                }
            }
        } onCancel: {
            child.end()
        }
        guard !child.isLate.load(ordering: .relaxed) else {
            throw Failure(description: "\(name) did not end within \(seconds) s")
        }
        guard let status else { throw Failure(description: "\(name) cannot be run") }
        guard status == 0 else {
            let said = String(decoding: try Program.read(errors, 4_096), as: UTF8.self)
                .split(separator: "\n").prefix(3).joined(separator: " ")
            throw Failure(
                description: status == 127
                    ? "\(name) is not installed" : "\(words.joined(separator: " ")) ended with \(status): \(said.prefix(400))")
        }
        return String(decoding: try Program.read(output, Program.maximumBytes), as: UTF8.self)
    }

    /// A file that has no name any more: nothing is left behind, and a program never waits for whoever reads it.
    private static func file(_ text: String = "") throws -> FileHandle {
        let path = NSTemporaryDirectory() + "/vigie-\(UUID().uuidString)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(description: "no temporary file can be made in \(NSTemporaryDirectory())") }
        unlink(path)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.seek(toOffset: 0)
        return handle
    }

    private static func read(_ handle: FileHandle, _ limit: UInt64) throws -> Data {
        let size = try handle.seekToEnd()
        guard size <= limit || limit < 1 << 20 else { throw Failure(description: "it wrote more than \(limit >> 20) MiB") }
        try handle.seek(toOffset: 0)
        return try handle.read(upToCount: Int(min(size, limit))) ?? Data()
    }
}

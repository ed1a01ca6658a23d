import Foundation
import Glibc
import Testing

/// The built `vigie`, run as users run it.
final class Program {
    private let process = Process()

    private struct Absent: Error {}

    /// Beside the test bundle. Where it is absent the test is cancelled with the reason; in CI it fails.
    static func path() throws -> String {
        let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let bundles =
            [bundle]
            + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map {
                URL(fileURLWithPath: $0).deletingLastPathComponent()
            }
        let found = bundles.map { $0.appendingPathComponent("vigie").path }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        if let found { return found }
        let reason = "not run: the program vigie is not beside the tests; `swift build` makes it"
        if ProcessInfo.processInfo.environment["CI"] == "true" {
            Issue.record("\(reason); in CI it has to be there")
            throw Absent()
        }
        try Test.cancel("\(reason)")
    }

    init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: try Program.path())
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    /// As a power cut would: nothing is flushed, nothing is told. Returns when it is gone.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// As `systemctl reload` would.
    func hangUp() { Glibc.kill(process.processIdentifier, SIGHUP) }

    /// As systemd would. Returns the exit status.
    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    deinit {
        if process.isRunning { kill() }
    }
}

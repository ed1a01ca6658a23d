import Foundation
import Logging
import Testing

@testable import Server

/// systemd's own programs.
private enum SystemdJournal {
    static let writer = "/lib/systemd/systemd-journal-remote"

    /// In CI absence is a failure, not a reason to look away.
    static let isThere =
        ProcessInfo.processInfo.environment["CI"] == "true"
        || [writer, "/usr/bin/journalctl"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
}

/// journald's entries through a real `journalctl`, from journals that systemd's own writer made.
@Suite(
    .timeLimit(.minutes(20)),
    .enabled(if: SystemdJournal.isThere, "needs Debian's systemd-journal-remote and journalctl; script/test installs them"))
struct JournaldSpoolTests {
    @Test func goesOnBehindTheLastWholeLineAfterARestart() async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let spool = JournaldSpool(
            path: folder + "/spool.jsonl", logger: Logger(label: "test"), program: ["journalctl", "--directory", folder])
        try write(1...3, to: folder + "/first.journal")
        try await follow(spool, untilLines: 3)
        // Killed in the middle of a line: what is there of it stays, ended, and the entry comes again whole.
        try append("{\"MESSAGE\":\"Failed pass", to: spool.path)
        try write(4...5, to: folder + "/second.journal")
        try await follow(spool, untilLines: 6)
        let messages = try lines(spool).compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])?["MESSAGE"] as? String
        }
        #expect(messages == (1...5).map { "Failed password for root from 192.0.2.\($0) port 22 ssh2" })
    }

    @Test func takesUpFromTheRenamedSpoolWhenTheNewOneIsEmpty() async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let spool = JournaldSpool(
            path: folder + "/spool.jsonl", logger: Logger(label: "test"), program: ["journalctl", "--directory", folder])
        try write(1...3, to: folder + "/first.journal")
        try await follow(spool, untilLines: 3)
        try FileManager.default.moveItem(atPath: spool.path, toPath: spool.path + ".1")
        try write(4...4, to: folder + "/second.journal")
        try await follow(spool, untilLines: 1)
        #expect(try lines(spool).first?.contains("192.0.2.4") == true)
    }

    @Test func aLongMessageIsThereInFull() async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let spool = JournaldSpool(
            path: folder + "/spool.jsonl", logger: Logger(label: "test"), program: ["journalctl", "--directory", folder])
        try write(1...1, to: folder + "/first.journal", filling: String(repeating: "x", count: 5_000))
        try await follow(spool, untilLines: 1)
        #expect(try lines(spool).first?.contains("xFailed password for root from 192.0.2.1") == true)
    }

    @Test func aJournalWithoutSignInsIsNotReadable() async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(await !JournaldSpool.isReadable(program: ["journalctl", "--directory", folder], seconds: 600))
        try write(1...1, to: folder + "/first.journal")
        #expect(await JournaldSpool.isReadable(program: ["journalctl", "--directory", folder], seconds: 600))
    }

    private func makeFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vigie-journald-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Entries in the journal export format, through systemd's own writer.
    private func write(_ numbers: ClosedRange<Int>, to path: String, filling: String = "") throws {
        let start = 1_800_000_000_000_000
        let entries = numbers.map { number in
            """
            __REALTIME_TIMESTAMP=\(start + number * 1_000_000)
            __MONOTONIC_TIMESTAMP=\(number * 1_000_000)
            _BOOT_ID=4ee7a0b0c3d147a0a1b2c3d4e5f60718
            SYSLOG_FACILITY=10
            SYSLOG_IDENTIFIER=sshd
            _PID=\(400 + number)
            _HOSTNAME=box
            MESSAGE=\(filling)Failed password for root from 192.0.2.\(number) port 22 ssh2

            """
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: SystemdJournal.writer)
        process.arguments = ["--output=\(path)", "-"]
        let input = Pipe()
        process.standardInput = input
        process.standardError = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data((entries.joined(separator: "\n") + "\n").utf8))
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    /// Runs the spool until it holds so many whole lines.
    private func follow(_ spool: JournaldSpool, untilLines count: Int) async throws {
        let running = Task { try await spool.run() }
        try await eventually("\(count) lines are spooled") { (try? lines(spool).count) ?? 0 >= count }
        running.cancel()
        _ = await running.result
        let found = try lines(spool)
        #expect(found.count == count, "\(found)")
    }

    private func lines(_ spool: JournaldSpool) throws -> [String] {
        let text = try String(contentsOfFile: spool.path, encoding: .utf8)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private func append(_ text: String, to path: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
    }
}

import Events
import Foundation
import Journal
import Logging
import Storage
import Testing

@testable import Server

/// Why a server does not start, or ends: one error that says what, where, and what to do.
@Suite("Refusals")
struct RefusalTests {
    private let world: World

    init() throws { world = try World() }

    private func start(_ options: ServerOptions? = nil) async throws -> VigieServer {
        try await VigieServer.start(options ?? world.options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a second server on the same data folder")
    func secondServer() async throws {
        try await withServer(world) { running in
            let error = await #expect(throws: JournalError.self) { try await start() }
            let text = error?.description ?? ""
            #expect(text.contains(running.world.data.journal))
            #expect(text.contains("in use by process \(ProcessInfo.processInfo.processIdentifier)"))
            let rebuild = await #expect(throws: JournalError.self) { try await JournalRebuilder.run(running.world.data) { _ in } }
            #expect(rebuild?.code == "journal-locked")
        }
        try await withServer(world) { _ in }
    }

    @Test("a port that is taken, and the folder is free again afterwards")
    func busyPort() async throws {
        try await withServer(world) { running in
            let other = try World()
            var options = other.options
            options.port = running.port
            let error = await #expect(throws: ServerError.self) { try await withServer(other, options) { _ in } }
            #expect(error?.code == .address)
            #expect(error?.description.contains("port \(running.port) on 127.0.0.1 is taken by another program") == true)
            #expect(error?.advice.contains("--listen") == true)
            try await withServer(other) { _ in }
        }
    }

    @Test("an address that this machine does not have")
    func foreignAddress() async throws {
        var options = world.options
        options.host = "192.0.2.77"
        let error = await #expect(throws: ServerError.self) { try await withServer(world, options) { _ in } }
        #expect(error?.description.contains("no address 192.0.2.77") == true)
    }

    // Works for root, too, whom permissions do not stop.
    @Test("a data folder that cannot be: a file stands there", arguments: ["/data", "/data/below", "/data/detection"])
    func fileInPlace(place: String) async throws {
        if place == "/data/detection" {
            try FileManager.default.createDirectory(atPath: world.path + "/data", withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: world.path + place))
        } else {
            try Data().write(to: URL(fileURLWithPath: world.path + "/data"))
        }
        var options = world.options
        options.dataFolder = place == "/data/below" ? world.path + place : options.dataFolder
        let error = await #expect(throws: ServerError.self) { try await start(options) }
        #expect(error?.code == .dataFolder)
        #expect(error?.reason.contains(options.dataFolder) == true)
        #expect(error?.advice.contains("--data") == true)
    }

    @Test("a data folder that Vigie's user may not write", .enabled(if: getuid() != 0, "root may write everywhere"))
    func readOnlyFolder() async throws {
        try FileManager.default.createDirectory(
            atPath: world.options.dataFolder + "/detection", withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: world.options.dataFolder)
        let error = await #expect(throws: ServerError.self) { try await start() }
        #expect(error?.description.contains("cannot be written") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: world.options.dataFolder)
    }

    @Test("tables that are damaged: named, not touched by a start, and made anew by a rebuild")
    func damagedTables() async throws {
        try world.append((0..<5).map { Line.attack($0) })
        let first = Shared<[String: String]>([:])
        try await withServer(world) { running in first.value = try await running.findings(5) }
        let path = world.data.projections
        try? FileManager.default.removeItem(atPath: path + "-wal")
        let noise = Data(repeating: 0x5A, count: 30_000)
        try noise.write(to: URL(fileURLWithPath: path))
        let error = await #expect(throws: StorageError.self) { try await start() }
        #expect(error?.code == .damaged)
        #expect(error?.advice.contains("vigie journal rebuild") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == noise)

        let entries = try world.entries()
        #expect(entries.count { ["incident.opened", "finding.recorded"].contains($0.type) } == 6)
        let outcome = try await JournalRebuilder.run(world.data) { _ in }
        #expect(outcome.count == entries.count)
        #expect(try await world.findings() == first.value)
        try await withServer(world) { _ in }
    }

    @Test("accounts and keys that are gone while the journal is there")
    func emptyPrivateDatabase() async throws {
        try world.append([Line.attack(1)])
        try await withServer(world) { running in _ = try await running.findings(1) }
        let path = world.data.privateDatabase
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try Data().write(to: URL(fileURLWithPath: path))
        let error = await #expect(throws: ServerError.self) { try await start() }
        #expect(error?.code == .storage)
        #expect(error?.description.contains(path) == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
        // What is advised: away with it. Everything but what was personal is still there.
        try FileManager.default.removeItem(atPath: path)
        // Tables of before still show what nobody can open any more: a rebuild would be poorer than they are.
        try await withServer(world, checksRebuild: false) { running in #expect(running.server.setupToken != nil) }
    }

    @Test("a snapshot that cannot be read, is of another version, or of a longer journal")
    func snapshots() async throws {
        try world.append([Line.attack(1)])
        try await withServer(world) { running in _ = try await running.findings(1) }
        let path = world.data.snapshot
        // One character per byte: behind the first line come windows, which are no text.
        let whole = try String(contentsOfFile: path, encoding: .isoLatin1)
        for (text, code, words) in [
            (String(whole.dropLast(10)), ServerError.Code.snapshot, "cannot be read"), ("", .snapshot, "cannot be read"),
            (whole.replacing(#""version":2"#, with: #""version":3"#), .snapshot, "is of version 3"),
            (whole.replacing(/"journal_sequence":\d+/, with: #""journal_sequence":99"#), .journal, "up to journal entry 99"),
        ] {
            try text.write(toFile: path, atomically: true, encoding: .isoLatin1)
            let error = await #expect(throws: ServerError.self) { try await start() }
            #expect(error?.code == code)
            #expect(error?.reason.contains(words) == true)
            #expect(error?.advice.contains("away") == true)
        }
        // What is advised: everything is read again, nothing recorded twice.
        try FileManager.default.removeItem(atPath: path)
        try await withServer(world) { running in
            try await eventually("the log is read") { await running.server.watch.statuses.first?.counters.parsed == 1 }
        }
        #expect(try await world.findings().count == 1)
    }

    @Test("tables that know more than the journal")
    func cutJournal() async throws {
        try world.append([Line.attack(1)])
        try await withServer(world) { running in _ = try await running.findings(1) }
        let count = try world.entries().count
        try FileManager.default.removeItem(atPath: world.data.journal)
        try FileManager.default.removeItem(atPath: world.data.snapshot)
        let error = await #expect(throws: ServerError.self) { try await start() }
        #expect(error?.code == .journal)
        #expect(error?.reason.contains("the tables have seen \(count) journal entries, but the journal holds 0") == true)
    }
}

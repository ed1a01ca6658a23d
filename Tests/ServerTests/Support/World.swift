import Archive
import Console
import Events
import Foundation
import Incidents
import Ingest
import Journal
import Logging
import Storage
import Testing

@testable import Server

/// A data folder, a few rules, and a log that the test writes: all of it gone when the test is over.
final class World: Sendable {
    let path: String
    let options: ServerOptions

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/server-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path + "/rules", withIntermediateDirectories: true)
        try World.rules.write(toFile: path + "/rules/few.yml", atomically: true, encoding: .utf8)
        var options = ServerOptions(
            dataFolder: path + "/data", rules: [path + "/rules"],
            sources: [SourceOption(path: path + "/access.log", format: .combined)],
            host: "127.0.0.1", port: 0)
        // Those of the machine that the tests run on are nobody's business.
        options.systemLogs = []
        options.policies = path + "/policies"
        try FileManager.default.createDirectory(atPath: path + "/policies", withIntermediateDirectories: true)
        options.playbooks = [path + "/playbooks"]
        // Nor is how full its disk is.
        options.archive.policy.minimumFreeBytes = 0
        self.options = options
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var log: String { path + "/access.log" }
    var policies: String { path + "/policies" }
    var data: DataFolder { DataFolder(path: options.dataFolder) }

    /// Appends lines to the log, or to another file beside it.
    func append(_ lines: [String], to file: String? = nil) throws {
        let path = file ?? log
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
        try handle.close()
    }

    /// What the tables say now: the incident of each finding.
    func findings(in folder: DataFolder? = nil) async throws -> [String: String] {
        try await findings(in: try Projections(path: (folder ?? data).projections))
    }

    func findings(in tables: Projections) async throws -> [String: String] {
        var found: [String: String] = [:]
        for incident in try await tables.incidents(matching: IncidentQuery(limit: 500)).incidents {
            let detail = try await tables.incident(id: incident.id, maximumFindings: 100_000)
            for finding in detail?.findings ?? [] { found[finding.id] = incident.id }
        }
        return found
    }

    /// What the journal holds.
    func entries(in folder: DataFolder? = nil) throws -> [Entry] {
        let reader = try JournalReader(directory: (folder ?? data).journal)
        var entries: [Entry] = []
        while case let some = try reader.next(), !some.isEmpty { entries += some }
        return entries
    }

    /// How far the log is read, by the durable snapshot; `nil` while there is none.
    func snapshotOffset() throws -> Int64? {
        try DetectionSnapshot.load(data)?.states.flatMap(\.positions).last { $0.path == log }?.offset
    }

    /// One finding for each line with `attack=`, one for five refused logins of an address within ten minutes.
    private static let rules = """
        title: Attack
        id: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d10
        logsource: {category: webserver}
        detection: {selection: {url.query|contains: 'attack='}, condition: selection}
        level: high
        vigie: {category: exploit}
        ---
        title: Refused login
        name: refused
        id: 1c8b2c5f-7b68-4c4f-8e57-1f4b6b5b6e21
        logsource: {category: webserver}
        detection: {selection: {http.response.status_code: 401}, condition: selection}
        level: informational
        vigie: {category: brute_force}
        ---
        title: Brute force
        id: 2d7c1d60-8c79-4d50-9f68-2f5c7c6c7f32
        correlation: {type: event_count, rules: [refused], group-by: [source.ip], timespan: 10m, condition: {gte: 5}}
        level: medium
        vigie: {category: brute_force}
        """
}

/// Lines of a web server's log.
enum Line {
    /// Seconds count from 2026-03-01T00:00:00Z.
    static func web(_ request: String, from address: String = "203.0.113.9", status: Int = 200, at seconds: Int) -> String {
        let time = Timestamp(seconds: 1_772_323_200 + Int64(seconds)).rfc3339
        let parts = time.split(separator: "T")
        return
            "\(address) - - [\(parts[0].suffix(2))/Mar/2026:\(parts[1].prefix(8)) +0000] \"\(request) HTTP/1.1\" \(status) 5 \"-\" \"-\""
    }

    static func attack(_ number: Int, from address: String = "203.0.113.9") -> String {
        web("GET /?attack=\(number)", from: address, at: number)
    }

    static func benign(_ number: Int) -> String { web("GET /page/\(number)", from: "192.0.2.1", at: number) }
}

/// A server that runs for the length of a test's body.
struct Running: Sendable {
    let server: VigieServer
    let port: Int
    let world: World

    /// Waits until the tables hold as many findings.
    func findings(_ count: Int) async throws -> [String: String] {
        var found: [String: String] = [:]
        try await eventually("there are \(count) findings") {
            found = try await world.findings(in: server.desk.projections)
            return found.count >= count
        }
        return found
    }
}

/// Starts a server on a free port, hands it to `body`, and stops it; then the tables have to be what the journal makes of them.
func withServer(
    _ world: World, _ options: ServerOptions? = nil, checksRebuild: Bool = true,
    now: @escaping @Sendable () -> Timestamp = { .system },
    _ body: @escaping @Sendable (Running) async throws -> Void
) async throws {
    let options = options ?? world.options
    try await serve(world, options, now, body)
    if checksRebuild { try await expectRebuildEqualsLive(DataFolder(path: options.dataFolder)) }
}

private func serve(
    _ world: World, _ options: ServerOptions, _ now: @escaping @Sendable () -> Timestamp,
    _ body: @escaping @Sendable (Running) async throws -> Void
) async throws {
    let server = try await VigieServer.start(
        options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: now)
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { found.finish() }
            do {
                try await server.run { found.yield($0) }
            } catch is CancellationError {
                // The way a test stops it.
            }
        }
        var iterator = ports.makeAsyncIterator()
        if let port = await iterator.next(isolation: #isolation) {
            group.addTask { try await body(Running(server: server, port: port, world: world)) }
            // Whichever ends first: the body, or a server that failed.
            try await group.next()
            group.cancelAll()
        }
        try await group.waitForAll()
    }
}

/// Tables made anew from the journal are those of the server that has just stopped, row by row, and the journal verifies. Every scenario
/// with a server ends in this; what runs the program calls it by itself.
func expectRebuildEqualsLive(_ folder: DataFolder, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let path = NSTemporaryDirectory() + "/rebuilt-" + UUID().uuidString
    defer { for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) } }
    let tables = try Projections(path: path)
    let reader = try JournalReader(directory: folder.journal)
    let count = try JournalVerifier.verify(directory: folder.journal).count
    let keys = try PrivateDatabase(path: folder.privateDatabase)
    _ = try await JournalReplay.run(reader: reader, count: count, keys: keys, projections: tables)
    try tables.close()
    let live = try rows(of: folder.projections)
    #expect(!live.isEmpty)
    #expect(try rows(of: path) == live, "rebuild equals live", sourceLocation: sourceLocation)
    let key = try KeyFile.readPublic(KeyFile.publicPath(folder.checkpointKey))
    let report = try JournalVerifier.verify(directory: folder.journal, trust: .init(key: key))
    #expect(report.tree?.problems == [], sourceLocation: sourceLocation)
}

/// Every row of every table of a database, as text.
func rows(of database: String) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
        "python3", "-c", "import sqlite3,sys\nfor line in sqlite3.connect(sys.argv[1]).iterdump(): print(line)", database,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    // How the search's index is cut up depends on when things were written.
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init).filter {
        !$0.prefix(40).contains("_text_")
    }
}

import Detection
import Events
import Foundation
import Ingest
import Journal
import Logging
import Testing

@testable import Server

@Suite("A running server")
struct ServerTests {
    @Test("what stands in a log becomes incidents, and so does what is written later; the API shows both")
    func lines() async throws {
        let world = try World()
        try world.append((0..<3).map { Line.attack($0) } + (3..<50).map(Line.benign))
        try await withServer(world) { running in
            let client = Client(port: running.port)
            #expect(try await client.get("/healthz").status == 200)
            #expect(try await client.get("/api/v1/incidents").status == 401)
            let token = try #require(running.server.setupToken)
            let made = try await client.submit(
                "/setup",
                ["token": token, "name": "ana", "password": "correct-horse-battery", "password_again": "correct-horse-battery"])
            #expect(made.status == 303)

            let found = try await running.findings(3)
            #expect(found.count == 3)
            try world.append((60..<65).map { Line.web("POST /login", from: "198.51.100.7", status: 401, at: $0) })
            let later = try await running.findings(4)
            #expect(later.count == 4)

            let list = try await client.get("/api/v1/incidents")
            #expect(list.status == 200)
            let answer = try #require(try JSONSerialization.jsonObject(with: Data(list.text.utf8)) as? [String: Any])
            let incidents = try #require(answer["incidents"] as? [[String: Any]])
            #expect(incidents.compactMap { $0["title"] as? String } == ["Brute force", "Attack"])
            #expect(incidents.compactMap { $0["finding_count"] as? Int } == [1, 3])
            let id = try #require(incidents.last?["id"] as? String)
            let page = try await client.get("/api/v1/incidents/\(id)")
            #expect(page.text.contains("GET /?attack=2") || page.text.contains(#"GET \/?attack=2"#), "the very log line")
            #expect(try await client.get("/api/v1/incidents/SEC-1999-0001").status == 404)
        }
    }

    @Test("a second start shows the same, needs no set-up, and adds only what is new")
    func restart() async throws {
        let world = try World()
        try world.append((0..<5).map { Line.attack($0) })
        let first = Shared<[String: String]>([:])
        try await withServer(world) { running in first.value = try await running.findings(5) }
        #expect(try world.snapshotOffset() == Int64(try Data(contentsOf: URL(fileURLWithPath: world.log)).count))
        // Written while nobody looked.
        try world.append((5..<8).map { Line.attack($0) })
        try await withServer(world) { running in
            let found = try await running.findings(8)
            #expect(found.count == 8)
            #expect(first.value.allSatisfy { found[$0.key] == $0.value })
            #expect(Set(found.values).count == 1)
        }
        try await withServer(world) { running in
            try await eventually("the source is read") { await running.server.watch.statuses.first?.lagBytes == 0 }
            #expect(try await world.findings().count == 8)
            let types = try world.entries().map(\.type)
            #expect(types.count { $0 == "incident.opened" } == 1)
            #expect(types.count { $0 == "finding.recorded" } == 8)
            #expect(
                types.allSatisfy {
                    $0.hasPrefix("evidence.")
                        || ["configuration.loaded", "rules.loaded", "incident.opened", "finding.recorded"].contains($0)
                })
        }
    }

    @Test("a correlation goes on counting over a restart")
    func windowOverRestart() async throws {
        let world = try World()
        try world.append((0..<4).map { Line.web("POST /login", status: 401, at: $0) })
        try await withServer(world) { running in
            try await eventually("four are counted") { await running.server.watch.statuses.first?.counters.parsed == 4 }
        }
        try world.append([Line.web("POST /login", status: 401, at: 60)])
        try await withServer(world) { running in
            let found = try await running.findings(1)
            #expect(found.count == 1)
        }
    }

    @Test("lines of a file that was renamed while the server stood still are read, once", arguments: [1, 40])
    func rotation(left: Int) async throws {
        let world = try World()
        try world.append((0..<3).map { Line.attack($0) })
        try await withServer(world) { running in _ = try await running.findings(3) }
        try world.append((3..<3 + left).map { Line.attack($0) })
        try FileManager.default.moveItem(atPath: world.log, toPath: world.log + ".1")
        try world.append((100..<105).map { Line.attack($0) })
        try await withServer(world) { running in
            let found = try await running.findings(8 + left)
            #expect(found.count == 8 + left)
            #expect(await running.server.watch.statuses.first?.counters.rotations == 1)
        }
        try await withServer(world) { running in
            try await eventually("the source is read") { await running.server.watch.statuses.first?.lagBytes == 0 }
            #expect(try await world.findings().count == 8 + left)
        }
    }

    @Test("a source that is left out for one start and given again is not read a second time")
    func restingSource() async throws {
        let world = try World()
        let other = world.path + "/other.log"
        try world.append((0..<3).map { Line.attack($0) })
        try world.append((0..<2).map { Line.attack($0) }, to: other)
        // A rotation, so that a second reading would be of another generation and give findings that look new.
        var both = world.options
        both.sources.append(SourceOption(path: other))
        try await withServer(world, both) { running in
            _ = try await running.findings(5)
            try FileManager.default.moveItem(atPath: other, toPath: other + ".1")
            try world.append([Line.attack(9)], to: other)
            _ = try await running.findings(6)
        }
        try world.append([Line.attack(7)])
        try await withServer(world) { running in
            let found = try await running.findings(7)
            #expect(found.count == 7)
        }
        try await withServer(world, both) { running in
            try world.append([Line.attack(8)], to: other)
            let found = try await running.findings(8)
            #expect(found.count == 8)
        }
        #expect(try await world.findings().count == 8)
    }

    @Test("a log that is named twice is read once")
    func duplicateSource() async throws {
        let world = try World()
        try world.append((0..<3).map { Line.web("POST /login", status: 401, at: $0) } + [Line.attack(9)])
        var options = world.options
        options.sources += [SourceOption(path: world.log), SourceOption(path: world.path + "/rules/../access.log")]
        try await withServer(world, options) { running in
            let found = try await running.findings(1)
            #expect(found.count == 1, "three refused logins are not five")
            #expect(await running.server.watch.statuses.count == 1)
        }
    }

    @Test("what cannot be read is shown with the reason, and read as soon as it can be")
    func unreadableSources() async throws {
        let world = try World()
        let folder = world.path + "/folder.log"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var options = world.options
        options.sources.append(SourceOption(path: folder))
        try await withServer(world, options) { running in
            try await eventually("both were tried") { await running.server.watch.statuses.allSatisfy { !$0.problem.isEmpty } }
            let statuses = await running.server.watch.statuses
            #expect(statuses.map(\.state) == ["waiting", "unreadable"])
            #expect(statuses[0].problem.contains(world.log))
            #expect(statuses[1].problem.contains("it is a folder"))
            try world.append([Line.attack(1)])
            let found = try await running.findings(1)
            #expect(found.count == 1)
            let status = await running.server.watch.statuses[0]
            #expect(status.state == "following")
            #expect(status.problem.isEmpty)
        }
    }

    @Test("tables that were lost are made anew from the journal, the same")
    func lostTables() async throws {
        let world = try World()
        try world.append((0..<20).map { Line.attack($0, from: "203.0.113.\($0 % 3)") })
        let first = Shared<[String: String]>([:])
        try await withServer(world) { running in first.value = try await running.findings(20) }
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: world.data.projections + suffix) }
        try await withServer(world) { _ in }
        #expect(try await world.findings() == first.value)
        let entries = try world.entries()
        let outcome = try await JournalRebuilder.run(world.data) { _ in }
        #expect(outcome.count == entries.count)
        #expect(entries.count { !$0.type.hasPrefix("evidence.") } == 25)
        #expect(try await world.findings() == first.value)
    }

    @Test("lines made to be too much for the journal do not stop the watch")
    func hostileLines() async throws {
        let world = try World()
        let junk = String(repeating: "\u{1}\"\\", count: 20_000)
        try world.append(
            (0..<100).map { Line.web("GET /?attack=\($0)&\(junk)", from: "203.0.113.9", at: $0) } + [Line.attack(100)])
        try await withServer(world) { running in
            let found = try await running.findings(101)
            #expect(found.count == 101)
        }
    }

    @Test("parsed rules are kept for the next start; a cache that is damaged is said once and made anew")
    func ruleCache() async throws {
        let world = try World()
        // Files with correlations are not kept.
        try """
        title: Plain
        id: 3e6d0e71-9d8a-4e61-8f79-3f6d8d7d8f43
        logsource: {category: webserver}
        detection: {selection: {url.query|contains: 'plain='}, condition: selection}
        level: low
        vigie: {category: scan}
        """.write(toFile: world.path + "/rules/plain.yml", atomically: true, encoding: .utf8)
        let warnings = Shared<[String]>([])
        let logger = Logger(label: "test") { _ in WarningLog(warnings: warnings) }
        func start() async throws {
            let server = try await VigieServer.start(world.options, logger: logger)
            #expect(server.ruleCount == 4)
            await server.journal.close()
        }
        try await start()
        try await start()
        #expect(warnings.value == [])
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: world.data.ruleCache)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: world.data.ruleCache))
        try await start()
        try await start()
        #expect(warnings.value.count == 1)
        #expect(warnings.value.first?.contains("\(world.data.ruleCache) is damaged") == true)
    }

    @Test("rules that are refused are named, the others run")
    func refusedRule() async throws {
        let world = try World()
        try "title: broken\ndetection: [".write(toFile: world.path + "/rules/broken.yml", atomically: true, encoding: .utf8)
        try world.append([Line.attack(1)])
        try await withServer(world) { running in
            #expect(running.server.ruleProblems.map(\.file) == [world.path + "/rules/broken.yml"])
            let found = try await running.findings(1)
            #expect(found.count == 1)
        }
    }
}

/// Keeps what is logged at warning and above.
private struct WarningLog: LogHandler {
    let warnings: Shared<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        warnings.value.append("\(event.message)")
    }
}

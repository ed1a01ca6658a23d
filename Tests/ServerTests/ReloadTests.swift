import Console
import Detection
import Events
import Foundation
import Glibc
import Incidents
import Ingest
import Journal
import Storage
import Testing

@testable import Server

@Suite("Rules reloaded")
struct ReloadTests {
    /// One finding for each line with `probe=`; in JSON logs for each with `shop.coupon: FREE`, a field that no other rule uses.
    private static let added = """
        title: Probe
        id: 3d7c1d60-8c79-4d50-9f68-2f5c7c6c7f33
        logsource: {category: webserver}
        detection: {selection: {url.query|contains: 'probe='}, condition: selection}
        level: medium
        ---
        title: Coupon
        id: 4d7c1d60-8c79-4d50-9f68-2f5c7c6c7f34
        logsource: {}
        detection: {selection: {shop.coupon: FREE}, condition: selection}
        level: medium
        """

    /// These tests say when the rules are read again.
    private func options(_ world: World) -> ServerOptions {
        var options = world.options
        options.followsFiles = false
        return options
    }

    private func write(_ text: String, _ world: World, as name: String = "added.yml") throws {
        try text.write(toFile: world.options.rules[0] + "/" + name, atomically: true, encoding: .utf8)
    }

    /// The rules' entries in the journal, oldest first.
    private func entries(_ world: World) throws -> [Entry] {
        let keys = try PrivateDatabase(path: world.data.privateDatabase)
        let reader = try Journal.open(directory: world.data.journal, keys: keys).reader()
        var found: [Entry] = []
        while case let entries = try reader.next(limit: 512), !entries.isEmpty { found += entries }
        return found.filter { $0.type.hasPrefix("rules.") }
    }

    @Test("An added rule is in force from the next line on; what correlations have counted stays counted")
    func added() async throws {
        let world = try World()
        let logins = { @Sendable (range: Range<Int>) in range.map { Line.web("POST /login", status: 401, at: $0) } }
        try world.append(logins(0..<3) + [Line.web("GET /?probe=early", at: 4)])
        try await withServer(world, options(world)) { running in
            try await eventually("it is read") { await running.server.watch.statuses.first?.counters.lines == 4 }
            try write(ReloadTests.added, world)
            guard case .applied(let change) = try await running.server.rules.reload() else {
                Issue.record("not applied")
                return
            }
            #expect(change.added.count == 2 && change.changed.isEmpty && change.removed.isEmpty)
            #expect(try await running.server.rules.reload() == .unchanged)
            try world.append(logins(5..<7) + [Line.web("GET /?probe=late", at: 8)])
            #expect(try await running.findings(2).count == 2, "five logins over both sets, and the late probe")
            let rules = await running.server.rules.summariesWithActivity()
            #expect(rules.count == 5 && rules.allSatisfy { $0.problem == nil && $0.hash.count == 64 })
            let probe = rules.first { $0.title == "Probe" }
            #expect(probe?.matches == 1 && probe?.lastMatch != nil)
            #expect(probe?.text.contains("probe=") == true && probe?.text.contains("Coupon") == false)
            #expect(rules.first { $0.title == "Brute force" }?.matches == 1)
        }
        let entries = try entries(world)
        #expect(entries.map(\.type) == ["rules.loaded", "rules.loaded"])
        #expect(entries.last?.data["hash"] != entries.first?.data["hash"])
        #expect(entries.last?.data["windows_let_go"]?["count"]?.integerValue == 0)
    }

    @Test("A change of which anything is refused changes nothing, and says why")
    func refused() async throws {
        let world = try World()
        try await withServer(world, options(world)) { running in
            try write(ReloadTests.added + "\n---\ntitle: Half a rule\n", world)
            guard case .refused(let problems) = try await running.server.rules.reload() else {
                Issue.record("not refused")
                return
            }
            #expect(problems.count == 1)
            try world.append([Line.web("GET /?probe=1", at: 1), Line.attack(2)])
            #expect(try await running.findings(1).count == 1, "the old rules, and only they")
            let refused = await running.server.rules.summaries.filter { $0.problem != nil }
            #expect(refused.count == 1 && refused[0].isReloadRefused)
            #expect(refused[0].file.hasSuffix("added.yml:13"), "\(refused[0].file)")
            // Mended, all of it comes into force.
            try write(ReloadTests.added, world)
            guard case .applied = try await running.server.rules.reload() else {
                Issue.record("not applied")
                return
            }
            #expect(await running.server.rules.summaries.allSatisfy { $0.problem == nil })
        }
        let entries = try entries(world)
        #expect(entries.map(\.type) == ["rules.loaded", "rules.refused", "rules.loaded"])
        #expect(entries[1].data["kept"] == entries[0].data["hash"])
    }

    @Test("An empty folder is no rule set")
    func emptied() async throws {
        let world = try World()
        try await withServer(world, options(world)) { running in
            try FileManager.default.removeItem(atPath: world.options.rules[0] + "/few.yml")
            guard case .refused = try await running.server.rules.reload() else {
                Issue.record("not refused")
                return
            }
        }
    }

    @Test("A line half written during a reload is read with the new rules and their fields, once")
    func halfALine() async throws {
        let world = try World()
        let path = world.path + "/app.jsonl"
        var options = world.options
        options.sources = [SourceOption(path: path, format: .json)]
        options.followsFiles = false
        let line = { @Sendable (number: Int) in
            #"{"time":"2026-03-01T10:00:0\#(number)Z","remote_addr":"203.0.113.9","shop.coupon":"FREE"}"# + "\n"
        }
        @Sendable func append(_ text: String) throws {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        }
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        try append(line(1) + String(line(2).prefix(70)))
        try await withServer(world, options) { running in
            try await eventually("the first line is read") { await running.server.watch.statuses.first?.counters.lines == 1 }
            try write(ReloadTests.added, world)
            _ = try await running.server.rules.reload()
            try append(String(line(2).dropFirst(70)) + line(3))
            #expect(try await running.findings(2).count == 2, "not the first, which the old rules saw")
            try await eventually("all is read") { await running.server.watch.statuses.first?.counters.lines == 3 }
            #expect(try await world.findings().count == 2)
        }
    }

    @Test("Files are followed, and SIGHUP is heard", .timeLimit(.minutes(20)))
    func followed() async throws {
        let world = try World()
        try await withServer(world) { running in
            try write(ReloadTests.added, world)
            try await eventually("the change is seen") { await running.server.rules.summaries.count == 5 }
        }
        let program = try Program([
            "serve", "--data", world.options.dataFolder, "--listen", "127.0.0.1:0", "--rules", world.options.rules[0],
            "--policies", world.policies,
            "combined:" + world.log,
        ])
        try world.append([Line.attack(1)])
        try await eventually("it runs") { try program.isRunning == false || world.snapshotOffset() ?? 0 > 0 }
        program.hangUp()
        try world.append([Line.attack(2)])
        try await eventually("it goes on") { try await world.findings().count == 2 }
        #expect(program.stop() == 0, "SIGHUP does not end it")
    }

    @Test("kill -9 around reloads: findings of unchanged rules are as if nothing had happened", .timeLimit(.minutes(20)))
    func killed() async throws {
        let world = try World()
        let count = 6_000
        let lines = (0..<count).map { number in
            if number % 53 == 0 { return Line.attack(number, from: "203.0.113.\(number % 5)") }
            if number % 7 == 0 { return Line.web("POST /login", from: "198.51.100.\(number / 7 % 10)", status: 401, at: number) }
            if number % 11 == 0 { return Line.web("GET /?probe=\(number)", from: "192.0.2.7", at: number) }
            return Line.benign(number)
        }
        let arguments = [
            "serve", "--data", world.options.dataFolder, "--listen", "127.0.0.1:0", "--rules", world.options.rules[0],
            "--policies", world.policies,
            "combined:" + world.log,
        ]
        // Of an added rule, then of a changed one, each put in force in the midst of writing.
        let changes = [ReloadTests.added, ReloadTests.added.replacing("level: medium", with: "level: high")]
        let piece = count / 6
        var written = 0
        func append() throws {
            try world.append(Array(lines[written..<written + piece]))
            written += piece
        }
        for change in changes {
            let read = try world.snapshotOffset() ?? 0
            let program = try Program(arguments)
            try append()
            // By this process: until it listens, a hang-up would be its end.
            try await eventually("something is read") { try program.isRunning == false || world.snapshotOffset() ?? 0 > read }
            let before = try DetectionSnapshot.load(world.data)?.rules
            try write(change, world)
            program.hangUp()
            try append()
            try await eventually("the new rules are in force") {
                try program.isRunning == false || DetectionSnapshot.load(world.data)?.rules != before
            }
            #expect(program.isRunning)
            program.kill()
        }
        try append()
        try append()
        let program = try Program(arguments)
        let size = Int64(lines.reduce(0) { $0 + $1.utf8.count + 1 })
        try await eventually("all is read") { try program.isRunning == false || world.snapshotOffset() == size }
        #expect(program.stop() == 0)
        let found = Set(try await world.findings().keys)

        var options = world.options
        options.dataFolder = world.path + "/uninterrupted"
        try FileManager.default.removeItem(atPath: world.options.rules[0] + "/added.yml")
        try await withServer(world, options) { running in
            try await eventually("all is read") { await running.server.watch.statuses.first?.counters.lines == count }
        }
        let old = Set(try await world.findings(in: DataFolder(path: options.dataFolder)).keys)
        #expect(found.isSuperset(of: old), "\(old.subtracting(found).count) findings are lost")

        options.dataFolder = world.path + "/all"
        try write(changes[1], world)
        try await withServer(world, options) { running in
            try await eventually("all is read") { await running.server.watch.statuses.first?.counters.lines == count }
        }
        let all = Set(try await world.findings(in: DataFolder(path: options.dataFolder)).keys)
        #expect(found.isSubset(of: all), "\(found.subtracting(all).count) findings belong to no rule or are there twice")
        #expect(found.count > old.count, "the added rule has found something")
        #expect(old.count > count / 53)
    }
}

struct RuleChangeDetectorTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.path + "/rules-" + UUID().uuidString
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("A change is read once it has been left alone for a while, and once only")
    func settles() throws {
        let folder = try Folder()
        let at = { (milliseconds: Int64) in Timestamp(nanoseconds: milliseconds * 1_000_000) }
        let look = { RuleFilesFingerprint(paths: [folder.path]) }
        func write(_ text: String) throws { try text.write(toFile: folder.path + "/a.yml", atomically: true, encoding: .utf8) }
        var detector = RuleChangeDetector(known: look())
        var isDue: [Bool] = []
        isDue.append(detector.observe(look(), at: at(0)))
        try write("a")
        isDue.append(detector.observe(look(), at: at(1_000)))
        try write("ab")
        isDue.append(detector.observe(look(), at: at(2_000)))
        isDue.append(detector.observe(look(), at: at(2_999)))
        isDue.append(detector.observe(look(), at: at(3_000)))
        isDue.append(detector.observe(look(), at: at(9_000)))
        try FileManager.default.removeItem(atPath: folder.path + "/a.yml")
        isDue.append(detector.observe(look(), at: at(10_000)))
        isDue.append(detector.observe(look(), at: at(11_000)))
        #expect(isDue == [false, false, false, false, true, false, false, true], "the third look is at another change")
    }
}

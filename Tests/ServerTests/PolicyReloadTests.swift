import Console
import Events
import Foundation
import Incidents
import Journal
import Notify
import Testing

@testable import Server

@Suite("Policies that change", .timeLimit(.minutes(20)))
struct PolicyReloadTests {
    private static let channels = """
        channels:
          hook: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}
          other: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}
        digest_above: 100
        """

    private func policies(_ steps: String, clocks: String? = nil) throws -> Policies {
        var files = [
            "channels.yml": Self.channels, "escalation.yml": "routes: {P0: p}\npolicies: {p: [\(steps)]}\n",
        ]
        files["clocks.yml"] = clocks
        return try Policies(files: files, folder: "policies")
    }

    private func clocks(_ within: String) -> String {
        "use: t\ntables: {t: {acknowledgement: {title: Ack, starts: opened, stops: acknowledged, within: \(within)}}}\n"
    }

    private static let l1 = "{name: L1, page: [\"channel:hook\"], answers_within: 15m}"

    @Test("a step that was taken is not taken again, one whose time has come is taken at once, one that is gone is not sent")
    func escalation() async throws {
        let office = try await Office()
        office.run()
        let id = try await office.open()
        try await eventually("L1 is sent") { await office.pages().count { $0.status == .sent } == 1 }
        // L2 waits for a channel that refuses it.
        office.postbox.set(.failing)
        office.minutes(16)
        try await eventually("L2 has failed once") { await office.pages().contains { $0.attempts == 1 && $0.status == .waiting } }
        office.inForce.replace(by: try policies(Self.l1 + ", {name: L3, page: [\"channel:other\"], answers_within: 15m}"))
        try await eventually("L3 is sent") { office.other.messages.contains { $0.key.contains(".L3/") } }
        try await eventually("L2 is cancelled") { await office.pages().contains { $0.status == .cancelled } }
        office.minutes(90)
        let other = try await office.open("Another")
        office.postbox.set(.well)
        try await eventually("the other's L1 is sent") { office.postbox.messages.contains { $0.key.hasPrefix(other) } }
        await office.stop()
        #expect(office.postbox.messages.count { $0.key.hasPrefix(id) && $0.key.contains(".L1/") } == 1)
        #expect(office.postbox.messages.count { $0.key.hasPrefix(id) && $0.key.contains(".L2/") } == 1)
    }

    @Test("a clock that runs goes by its new time, from when it started; what was missed stays missed")
    func runningClock() async throws {
        let office = try await Office(clocks: clocks("60m"))
        office.run()
        let id = try await office.open()
        office.minutes(20)
        try await eventually("L2 is sent: it was looked at") { await office.pages().count { $0.status == .sent } == 2 }
        #expect(await office.recorder.incident(id)?.missed.isEmpty == true)
        office.inForce.replace(by: try policies(Self.l1, clocks: clocks("10m")))
        try await eventually("it is missed") { await office.recorder.incident(id)?.missed.count == 1 }
        office.inForce.replace(by: try policies(Self.l1, clocks: clocks("60m")))
        let state = try #require(await office.recorder.incident(id))
        #expect(office.inForce.current.clocks.statuses(of: state).map(\.outcome) == [.missed])
        await office.stop()
    }

    private func write(_ text: String, _ world: World, as name: String = "escalation.yml") throws {
        try text.write(toFile: world.policies + "/" + name, atomically: true, encoding: .utf8)
    }

    private func entries(_ world: World) throws -> [Entry] {
        try world.entries().filter { $0.type.hasPrefix("policies.") }
    }

    @Test("a change is put in force as a whole and journalled; a broken one changes nothing and says why")
    func reload() async throws {
        let world = try World()
        var options = world.options
        options.followsFiles = false
        try write("routes: {}\npolicies: {}\n", world)
        try await withServer(world, options) { running in
            let first = running.server.policyHash
            try write(Self.channels, world, as: "channels.yml")
            try write("routes: {P0: p}\npolicies: {p: [\(Self.l1)]}\n", world)
            #expect(try await running.server.policies.reload() == .applied)
            #expect(try await running.server.policies.reload() == .unchanged)
            let second = running.server.policyHash
            #expect(second != first && running.server.desk.policies.escalation.routes[.critical] == "p")

            try write("routes: {P0: q}\npolicies: {p: [\(Self.l1)]}\n", world)
            guard case .refused(let problem) = try await running.server.policies.reload() else {
                Issue.record("not refused")
                return
            }
            #expect(problem.file.hasSuffix("escalation.yml") && problem.line == 1)
            #expect(running.server.policyHash == second)
            #expect(await running.server.policies.problem?.text.contains("escalation.yml:1") == true)
            for name in Policies.fileNames { unlink(world.policies + "/" + name) }
            guard case .refused = try await running.server.policies.reload() else {
                Issue.record("an empty folder would stop all paging")
                return
            }
            #expect(running.server.policyHash == second)
            try write("routes: {}\npolicies: {}\n", world)
            #expect(try await running.server.policies.reload() == .applied)
            #expect(await running.server.policies.problem == nil)
        }
        let entries = try entries(world)
        #expect(
            entries.map(\.type) == [
                "policies.loaded", "policies.loaded", "policies.refused", "policies.refused", "policies.loaded",
            ])
        #expect(entries[2].data["kept"] == entries[1].data["hash"] && entries[2].data["line"]?.integerValue == 1)
    }

    @Test("files are followed")
    func followed() async throws {
        let world = try World()
        try await withServer(world) { running in
            #expect(running.server.policyHash == nil)
            try write("routes: {}\npolicies: {}\n", world)
            try await eventually("the change is in force") { running.server.policyHash != nil }
        }
    }

    @Test("kill -9 around reloads: the journal names what is in force, each change once")
    func killed() async throws {
        let world = try World()
        let arguments = [
            "serve", "--data", world.options.dataFolder, "--listen", "127.0.0.1:0", "--rules", world.options.rules[0],
            "--policies", world.policies, "combined:" + world.log,
        ]
        try write("routes: {}\npolicies: {}\n", world)
        var hashes: [String?] = [try PolicyFolder.load(world.policies).hash]
        for round in 0..<6 {
            let read = try world.snapshotOffset() ?? 0
            let program = try Program(arguments)
            // It listens by then: until it does, a hang-up would be its end.
            try world.append([Line.attack(round)])
            try await eventually("it runs") {
                try program.isRunning == false || world.snapshotOffset() ?? 0 > read
            }
            #expect(program.isRunning)
            try write("# \(round)\nroutes: {}\npolicies: {}\n", world)
            let hash = try PolicyFolder.load(world.policies).hash
            hashes.append(hash)
            program.hangUp()
            // Every other time it is killed wherever it is, else right after the entry.
            if round % 2 == 1 {
                try await eventually("it is journalled") {
                    try program.isRunning == false || entries(world).last?.data["hash"]?.stringValue == hash
                }
                #expect(program.isRunning)
            }
            program.kill()
        }
        let read = try world.snapshotOffset() ?? 0
        let program = try Program(arguments)
        try world.append([Line.attack(100)])
        try await eventually("it runs") {
            try program.isRunning == false || world.snapshotOffset() ?? 0 > read
        }
        try write("routes: {P0: nowhere}\n", world)
        program.hangUp()
        try await eventually("it is refused") {
            try program.isRunning == false || entries(world).last?.type == "policies.refused"
        }
        #expect(program.isRunning)
        program.kill()
        let found = try entries(world)
        let loaded = found.filter { $0.type == "policies.loaded" }.map { $0.data["hash"]?.stringValue }
        #expect(loaded == hashes, "each once, in order")
        #expect(found.last?.data["kept"]?.stringValue == hashes.last)
    }
}

import Console
import Events
import Foundation
import Identity
import Incidents
import Journal
import Response
import Testing

@testable import Server

@Suite("Runs of playbooks")
struct RunDeskTests {
    @Test("machines, people and approvals, and values that stay values", .timeLimit(.minutes(20)))
    func aRunGoesToItsEnd() async throws {
        let world = try World()
        try world.write(
            TrialPlaybook(steps: [
                .bash("echo __word__:value; echo \"$VIGIE_KEY\" >&2; env | wc -l", results: ["__result__"]),
                .manual("Look at __result__:value"), .bash("true", impact: 40), .bash("true", impact: 80),
            ]))
        try await withServer(world) { running in
            let run = try await running.start("trial", ["__word__": "'; touch \(world.path)/pwned; echo '"])
            var view = try await running.wait(run, .waiting)
            #expect(view.steps[0].status == .done)
            #expect(view.steps[0].notes.joined().contains("\(run)/1/0/0"))
            #expect(!FileManager.default.fileExists(atPath: world.path + "/pwned"))
            #expect(view.steps[1].status == .person)
            #expect(view.steps[1].tool.contains("touch \(world.path)/pwned"))
            let manual = try #require(view.steps[1].execution)
            let viewer = RunPerson(id: "person-0", role: .viewer)
            let done = { (person: RunPerson) async throws in
                try await running.runs.carryOut(
                    .finish(run: run, execution: manual, succeeded: true, note: "seen", outputs: [:]), by: person)
            }
            await #expect(throws: RunRefusal.self) { try await done(viewer) }
            _ = try await done(Running.responder)
            await #expect(throws: RunRefusal.self) { try await done(Running.responder) }

            // One responder.
            try await eventually("approval is asked for") { await running.runs.view(run)?.steps[2].status == .approval }
            view = try #require(await running.runs.view(run))
            try await running.runs.carryOut(
                .approve(run: run, execution: try #require(view.steps[2].execution)), by: Running.responder)
            // Two commanders, each another.
            try await eventually("approval is asked for again") { await running.runs.view(run)?.steps[3].status == .approval }
            let last = try #require(await running.runs.view(run)?.steps[3].execution)
            let approve = { (person: RunPerson) async throws in
                try await running.runs.carryOut(.approve(run: run, execution: last), by: person)
            }
            await #expect(throws: RunRefusal.self) { try await approve(Running.responder) }
            _ = try await approve(Running.commander)
            await #expect(throws: RunRefusal.self) { try await approve(Running.commander) }
            #expect(await running.runs.view(run)?.status == .waiting)
            _ = try await approve(RunPerson(id: "person-3", role: .admin))
            view = try await running.wait(run, .succeeded)
            #expect(view.steps.allSatisfy { $0.status == .done })
            #expect(view.steps[1].notes == ["person-1: seen"])
        }
        // What the journal says is what the desk had.
        let ledger = try await RunOffice.ledger(of: world.data)
        #expect(ledger.runs.values.map(\.state.outcome) == [.succeeded])
    }

    @Test(
        "what hangs, floods, is killed or fails ends its step with the reason", .timeLimit(.minutes(20)),
        arguments: [
            ("sleep 600 & wait", Int64(1_000), "ACTION_TIMEOUT"), ("yes", 1_200_000, "it wrote more than 16 MiB"),
            ("kill -9 $$", 1_200_000, "killed by signal 9"), ("echo no; exit 3", 1_200_000, "exit code 3: no"),
            ("echo password=hunter22; false", 1_200_000, "password=***"),
        ])
    func failures(command: String, timeout: Int64, reason: String) async throws {
        let world = try World()
        try world.write(TrialPlaybook(steps: [.bash(command, timeout: timeout)]))
        try await withServer(world, checksRebuild: false) { running in
            let view = try await running.wait(try await running.start(), .failed)
            #expect(view.steps[0].status == .failed)
            #expect(view.steps[0].notes.joined(separator: "\n").contains(reason))
        }
    }

    @Test("a closed port fails where nothing was sent, whether the target honours the key or not", .timeLimit(.minutes(20)))
    func closedPort() async throws {
        let world = try World()
        // Where the key is honoured it is tried until the step's time is over, which is what either may then say.
        for (number, honours) in [(1, true), (2, false)] {
            var playbook = TrialPlaybook(steps: [.http("/x", timeout: honours ? 2_000 : 600_000, honoursKey: honours)])
            playbook.number = number
            try world.write(playbook, "trial-\(number)")
        }
        try await withServer(world, checksRebuild: false) { running in
            for number in [1, 2] {
                let view = try await running.wait(try await running.start("trial-\(number)"), .failed)
                let notes = view.steps[0].notes.joined()
                #expect(notes.contains("cannot be reached") || number == 1 && notes.contains("ACTION_TIMEOUT"), "\(notes)")
            }
        }
    }

    @Test("a run goes on after a restart, with the playbook that it began with", .timeLimit(.minutes(20)))
    func restart() async throws {
        let world = try World()
        try world.write(TrialPlaybook(steps: [.manual("Wait"), .bash("echo one >> '\(world.path)/effects'")]))
        let run = Shared("")
        try await withServer(world) { running in
            run.value = try await running.start()
            _ = try await running.wait(run.value, .waiting)
        }
        // Changed, and no longer what it was.
        try world.write(TrialPlaybook(name: "Another", steps: [.manual("Something else")]))
        try await withServer(world) { running in
            let view = try await running.wait(run.value, .waiting)
            #expect(view.playbook == "Trial")
            try await running.runs.carryOut(
                .finish(
                    run: run.value, execution: try #require(view.steps[0].execution), succeeded: true, note: "", outputs: [:]),
                by: Running.responder)
            _ = try await running.wait(run.value, .succeeded)
        }
        #expect(try String(contentsOfFile: world.path + "/effects", encoding: .utf8) == "one\n")
    }

    @Test("commands from outside run only once somebody with the role trusts their hash", .timeLimit(.minutes(20)))
    func trust() async throws {
        let world = try World()
        try world.write(TrialPlaybook(steps: [.bash("true")]), to: "outside")
        var options = world.options
        options.outsidePlaybooks = [world.path + "/outside"]
        try await withServer(world, options) { running in
            await #expect(throws: RunRefusal.self) { try await running.start() }
            let hash = try #require(await running.runs.playbooks().first?.hash)
            await #expect(throws: RunRefusal.self) {
                try await running.runs.carryOut(.trust(hash: hash), by: Running.responder)
            }
            try await running.runs.carryOut(.trust(hash: hash), by: Running.commander)
            _ = try await running.wait(try await running.start(), .succeeded)
            try await running.runs.carryOut(.distrust(hash: hash), by: Running.commander)
            await #expect(throws: RunRefusal.self) { try await running.start() }
        }
    }

    @Test("policy starts a playbook once for an incident of its category", .timeLimit(.minutes(20)))
    func policy() async throws {
        let world = try World()
        try world.write(TrialPlaybook(steps: [.bash("true")]))
        try "starts: [{playbook: trial, categories: [exploit], severities: [P1]}]"
            .write(toFile: world.policies + "/response.yml", atomically: true, encoding: .utf8)
        try world.append([Line.attack(1), Line.benign(2), Line.attack(3)])
        for _ in 0..<2 {
            try await withServer(world) { running in
                try await eventually("it has run") { await running.runs.views(of: nil).contains { $0.status == .succeeded } }
                let runs = await running.runs.views(of: nil)
                #expect(runs.map(\.startedBy) == ["policy"])
            }
        }
    }

    @Test("policy goes by what the rule said, too, in whatever category it said it", .timeLimit(.minutes(20)))
    func policyByLevel() async throws {
        let world = try World()
        try world.write(TrialPlaybook(steps: [.bash("true")]))
        var other = TrialPlaybook(name: "Other", steps: [.bash("true")])
        other.number = 2
        try world.write(other, "other")
        try """
        starts:
          - {playbook: other, categories: [exploit], rule_levels: [informational, low, medium, critical]}
          - {playbook: other, categories: [scan], rule_levels: [high]}
          - {playbook: trial, categories: [exploit], rule_levels: [high]}
        """.write(toFile: world.policies + "/response.yml", atomically: true, encoding: .utf8)
        try world.append([Line.attack(1), Line.benign(2)])
        try await withServer(world) { running in
            try await eventually("it has run") { await running.runs.views(of: nil).contains { $0.status == .succeeded } }
            #expect(await running.runs.views(of: nil).map(\.playbook) == ["Trial"])
        }
    }

    @Test("what nothing here can do waits for a person and says so", .timeLimit(.minutes(20)))
    func handedOver() async throws {
        let world = try World()
        var options = world.options
        options.playbooks = ["playbooks"].map {
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent($0).path
        }
        try await withServer(world, options) { running in
            let run = try await running.start("brute-force-and-enumeration", ["__address__": "203.0.113.9"])
            let view = try await running.wait(run, .waiting)
            let block = try #require(view.steps.first { $0.title == "Block the address" })
            #expect(block.status == .person)
            #expect(block.notes.contains { $0.contains("no enforcer is configured") })
            try await running.runs.carryOut(.cancel(run: run, reason: "a trial"), by: Running.responder)
            #expect(await running.runs.view(run)?.status == .cancelled)
        }
    }
}

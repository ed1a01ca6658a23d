import Console
import Events
import Foundation
import Identity
import Incidents
import Journal
import Logging
import Storage
import Testing

@testable import Server

@Suite("Silences of a running server", .timeLimit(.minutes(20)))
struct SilenceServerTests {
    @Test("under a silence no incident and no page; after its end, both; and a restart knows all of it")
    func wholeWay() async throws {
        let world = try World()
        for (name, text) in [
            ("channels", "channels: {hook: {kind: webhook, url: \"http://127.0.0.1:1\", secret_file: none}}"),
            (
                "escalation",
                "routes: {P1: p}\npolicies: {p: [{name: L1, page: [\"channel:hook\"], answers_within: 15m}]}"
            ),
        ] {
            try text.write(toFile: "\(world.policies)/\(name).yml", atomically: true, encoding: .utf8)
        }
        let ahead = Shared<Int64>(0)
        let now: @Sendable () -> Timestamp = { Timestamp.system.advanced(bySeconds: ahead.value) }
        try await withServer(world, now: now) { running in
            let server = running.server
            let client = Client(port: running.port, bearer: try await Self.token(server, now()))
            let preview = try await client.post("/api/v1/silences/preview", Self.silence)
            #expect(preview.status == 200 && preview.text.contains(#""findings":0"#), "\(preview.text)")
            let made = try await client.post("/api/v1/silences", Self.silence)
            #expect(made.status == 201, "\(made.text)")

            try world.append([Line.attack(1), Line.attack(2)])
            try await eventually("both are taken") {
                try await client.get("/api/v1/silences/S-1").text.contains(#""findings":2"#)
            }
            #expect(try await client.get("/api/v1/incidents").text.contains(#""total":0"#))
            #expect(await server.recorder.incidents().isEmpty)
            #expect(try await client.get("/api/v1/runs").text.contains(#""runs":[]"#))
            // Somebody else's attack alarms as ever.
            try world.append([Line.attack(3, from: "198.51.100.1")])
            try await eventually("the other's page is on its way") { await Self.paged(server) == 1 }

            ahead.value = 3_600
            try world.append([Line.attack(4)])
            try await eventually("it is an incident, and pages") { await Self.paged(server) == 2 }
            try await eventually("that it expired is written down") {
                try world.entries().contains { $0.type == "silence.expired" }
            }
            let silence = try await client.get("/api/v1/silences?all=1").text
            #expect(silence.contains(#""state":"expired""#) && silence.contains(#""findings":2"#))
            #expect(try await client.post("/api/v1/silences/S-1/end", ["reason": "late"]).status == 409)
        }
        // Read from the journal alone, by a server that has just begun.
        try await withServer(world, now: now) { running in
            let client = Client(port: running.port, bearer: try await Self.token(running.server, now()))
            let silence = try await client.get("/api/v1/silences?all=1").text
            #expect(silence.contains(#""state":"expired""#) && silence.contains(#""findings":2"#))
        }
        #expect(try world.entries().count { $0.type == "silence.expired" } == 1)
        let taken = try world.entries().filter { $0.type == "finding.recorded" && $0.data["silence"] != nil }
        #expect(taken.count == 2 && taken.allSatisfy { $0.data["incident"] == nil })
    }

    @Test("in an open incident, what is silenced starts no playbook; the same after the end does")
    func nothingStarts() async throws {
        let world = try World()
        try world.write(TrialPlaybook(steps: [.bash("true")]))
        try "starts: [{playbook: trial, categories: [exploit]}]"
            .write(toFile: world.policies + "/response.yml", atomically: true, encoding: .utf8)
        let ahead = Shared<Int64>(0)
        let now: @Sendable () -> Timestamp = { Timestamp.system.advanced(bySeconds: ahead.value) }
        try world.append((1...5).map { Line.web("POST /login", status: 401, at: $0) })
        try await withServer(world, now: now) { running in
            let server = running.server
            try await eventually("an incident is open") { await server.recorder.incidents().count == 1 }
            let id = try #require(await server.recorder.incidents().first).id
            let matcher = SilenceMatcher(addresses: [try #require(AddressBlock("203.0.113.9"))])
            _ = try await server.silences.carryOut(
                SilenceOrder(
                    .create(SilenceDraft(kind: .silence, matcher: matcher, duration: 3_600, reason: "ours")), by: Office.ana,
                    isCommander: true))
            try world.append([Line.attack(10)])
            try await eventually("it is taken") { try await server.silences.tallies(for: nil)["S-1"]?.findings == 1 }
            try world.append([Line.attack(11, from: "198.51.100.1")])
            try await eventually("the other's has begun") { await !running.runs.views(of: nil).isEmpty }
            #expect(await running.runs.views(of: id).isEmpty)
            let summary = try #require(try await server.desk.projections.summary(ofIncident: id))
            #expect(summary.categories == ["brute_force"] && summary.severity == .medium && summary.findingCount == 2)

            ahead.value = 3_600
            try world.append([Line.attack(12)])
            try await eventually("after the end it begins") { await !running.runs.views(of: id).isEmpty }
        }
    }

    @Test("commands beside a server add, list, look ahead and end; refusals come back as they are")
    func commands() async throws {
        let office = try await Office()
        let recorder = office.recorder
        let desk = SilenceDesk(
            recorder: recorder, projections: try office.desk.projections, rules: { ["r"] }, now: office.now)
        let spool = SilenceSpool(DataFolder(path: office.folder))
        let serving = Task {
            while !Task.isCancelled {
                try await spool.serve(desk, logger: Logger(label: "test"))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { serving.cancel() }
        let ask = { (order: String, fields: [String: JSONValue]) in
            var document = fields
            document["order"] = .string(order)
            document["by"] = "uid:7"
            return try #require(try await spool.ask(.object(document)))
        }
        let fields: [String: JSONValue] = ["address": "192.0.2.7", "for": "4h", "reason": "<b>ours</b>"]
        #expect(try await ask("preview", fields)["findings"]?.integerValue == 0)
        let made = try await ask("add", fields)
        #expect(made["id"]?.stringValue == "S-1" && made["author"]?.stringValue == "uid:7")
        #expect(made["reason"]?.stringValue == "<b>ours</b>" && made["state"]?.stringValue == "active")
        #expect(try await ask("list", ["all": "false"])["silences"]?.arrayValue?.count == 1)
        for (fields, code) in [
            (["address": "192.0.2.7", "reason": "no end"], "invalid"),
            (["rule": "not there", "for": "1h", "reason": "x"], "invalid"),
            (["address": "192.0.2.7", "for": "1h", "reason": "x", "incident": "SEC-2026-0009"], "invalid"),
        ] as [([String: JSONValue], String)] {
            #expect(try await ask("add", fields)["code"]?.stringValue == code)
        }
        // A commander's, which whoever may write into the data folder is.
        #expect(try await ask("add", ["rule": "r", "for": "1h", "reason": "x"])["id"]?.stringValue == "S-2")
        #expect(try await ask("end", ["silence": "S-1"])["code"]?.stringValue == "invalid")
        #expect(try await ask("end", ["silence": "S-1", "reason": "over"])["state"]?.stringValue == "ended")
        #expect(try await ask("end", ["silence": "S-9", "reason": "over"])["code"]?.stringValue == "unknown_silence")
        #expect(try await ask("dance", [:])["code"]?.stringValue == "invalid")
        office.minutes(60)
        try await desk.expire()
        try await desk.expire()
        let all = try await ask("list", ["all": "true"])["silences"]?.arrayValue ?? []
        #expect(all.compactMap { $0["state"]?.stringValue } == ["expired", "ended"])
        #expect(await recorder.silences.silences.count == 2)
    }

    @Test("an order that is carried out twice, because a server died before it answered, makes one silence")
    func twice() async throws {
        let office = try await Office()
        let recorder = office.recorder
        let desk = SilenceDesk(recorder: recorder, projections: try office.desk.projections, rules: { [] }, now: office.now)
        let order = SilenceOrder(
            .create(
                SilenceDraft(
                    kind: .silence, matcher: SilenceMatcher(addresses: [try #require(AddressBlock("192.0.2.7"))]), duration: 60,
                    reason: "ours")), by: Office.ana, isCommander: false, request: "order/1")
        let (first, second) = (try await desk.carryOut(order), try await desk.carryOut(order))
        #expect(first == second && first.id == "S-1")
        #expect(await recorder.silences.silences.count == 1)
    }

    private static let silence = ["address": "203.0.113.9", "for": "1h", "reason": "our+own+scanner"]

    private static func paged(_ server: VigieServer) async -> Int {
        await server.recorder.incidents().count { !$0.pages.isEmpty }
    }

    private static func token(_ server: VigieServer, _ now: Timestamp) async throws -> String {
        let author = AuditAuthor(id: "test", name: nil, address: "")
        let name = "ana-\(UUID().uuidString.prefix(8).lowercased())"
        let link = try await server.accounts.invite(name, role: .responder, by: author, at: now)
        _ = try await server.accounts.redeem(link.secret, password: "correct-horse-battery", address: "", at: now)
        let account = try await server.accounts.account(named: name)
        return try await server.accounts.createToken(
            for: account.id, name: "test", scopes: [.respond], days: 1, by: author, at: now
        ).secret.text
    }
}

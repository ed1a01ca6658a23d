import Events
import Foundation
import Incidents
import Journal
import Response
import Testing

@testable import Server

/// Leases by page, by API and by command, of a server with a deny file that no web server reads.
@Suite(.timeLimit(.minutes(20))) struct LeasePagesTests {
    private static func options(_ world: World) -> ServerOptions {
        var options = world.options
        options.response.enforcers = [
            .denyFile(.init(server: .caddy, file: world.path + "/deny", check: ["true"], reload: ["true"], pidFile: nil))
        ]
        return options
    }

    private static func denied(_ world: World) -> String {
        (try? String(contentsOfFile: world.path + "/deny", encoding: .utf8)) ?? ""
    }

    private static func signedIn(_ running: Running) async throws -> Client {
        let client = Client(port: running.port)
        let made = try await client.submit(
            "/setup",
            [
                "token": try #require(running.server.setupToken), "name": "ana", "password": "correct-horse-battery",
                "password_again": "correct-horse-battery",
            ])
        #expect(made.status == 303)
        return client
    }

    /// Without the time of the last look: a round may come between two questions.
    private static func undated(_ lease: JSONValue?) -> [String: JSONValue]? {
        lease?.objectValue?.filter { $0.key != "checked_at" }
    }

    private static func incident(_ running: Running) async throws -> String {
        try #require(
            try await running.server.desk.open(title: "guessing", severity: .high, kind: .real, author: .system, request: nil))
    }

    @Test func aPersonPreviewsAppliesAndUndoesByForms() async throws {
        let world = try World()
        try await withServer(world, LeasePagesTests.options(world)) { running in
            let client = try await Self.signedIn(running)
            let incident = try await Self.incident(running)
            #expect(try await client.get("/leases").text.contains("Nothing is contained."))
            let fields = [
                "verb": "block_address", "target": "203.0.113.9", "incident": incident, "duration": "1h", "reason": "guesses",
            ]
            let preview = try await client.submit("/leases/preview", fields, from: "/leases/new")
            #expect(preview.status == 200 && preview.text.contains("Apply it"), "\(preview.status)")
            let applied = try await client.submit("/leases", fields)
            #expect(applied.status == 303)
            // The form is answered after a second or two, also where the enforcer takes longer.
            let desk = running.server.leases.desk
            try await eventually("it is in force, read back") {
                await desk.standings { $0.phase == .inForce(.readBack) }.count == 1
            }
            #expect(Self.denied(world).contains("203.0.113.9/32"))
            let list = try await client.get("/leases").text
            #expect(list.contains("in force"))
            #expect(list.contains("read back"))
            #expect(list.contains("approved by ana"))
            let path = try #require(list.firstMatch(of: /href="(\/leases\/lease-[0-9a-f]+)"/).map { String($0.1) })
            #expect(try await client.get("/incidents/\(incident)").text.contains(path))
            let confirm = try await client.get(path + "/undo")
            #expect(confirm.text.contains("Undo it"))
            #expect(Self.denied(world).contains("203.0.113.9/32"), "asking is not doing")
            #expect(try await client.submit(path + "/undo", ["reason": "wrong"]).status == 303)
            try await eventually("it is lifted, and shown to be") {
                await desk.standings { $0.phase == .lifted(.undone, isProven: true) }.count == 1
            }
            #expect(!Self.denied(world).contains("203.0.113.9"))
            #expect(try await client.get(path).text.contains("lifted, and shown to be"))
            #expect(try await client.get("/leases").text.contains("Nothing is contained."))
            #expect(try await client.get("/incidents/\(incident)").text.contains("Containment in force"), "on the timeline")
        }
    }

    @Test func whatPolicyRefusesIsSaidWhereItIsAskedFor() async throws {
        let world = try World()
        try await withServer(world, LeasePagesTests.options(world)) { running in
            let client = try await Self.signedIn(running)
            let incident = try await Self.incident(running)
            let refused = try await client.submit(
                "/leases",
                ["verb": "block_address", "target": "127.0.0.1", "incident": incident, "duration": "1h", "reason": "x"])
            #expect(refused.status == 422)
            #expect(refused.text.contains("this machine itself"))
            let markup = try await client.submit(
                "/leases",
                [
                    "verb": "block_address", "target": "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "incident": incident,
                    "duration": "1h",
                    "reason": "x",
                ])
            #expect(markup.status == 422)
            #expect(!markup.text.contains("<script>alert"))
            #expect(try await client.get("/leases/lease-none").status == 404)
            #expect(await running.server.leases.desk.standings().isEmpty)
        }
    }

    @Test func nobodyWithoutASignInSeesOrOrdersLeases() async throws {
        let world = try World()
        try await withServer(world, LeasePagesTests.options(world)) { running in
            let client = Client(port: running.port)
            let list = try await client.get("/api/v1/leases")
            #expect(list.status == 401)
            #expect(try await client.get("/leases").status == 303)
            #expect(try await client.submit("/api/v1/leases", ["verb": "block_address"]).status != 201)
        }
    }

    @Test func theAPIAndCommandsSayTheSame() async throws {
        let world = try World()
        try await withServer(world, LeasePagesTests.options(world)) { running in
            let client = try await Self.signedIn(running)
            let incident = try await Self.incident(running)
            let orders = LeaseOrders(world.data)
            let applied = try #require(
                try await orders.ask([
                    "order": "apply", "verb": "block_address", "target": "203.0.113.9", "incident": .string(incident),
                    "duration": "1h", "reason": "guesses", "by": "uid:0",
                ]))
            #expect(applied["requested_by"] == "uid:0")
            let id = try #require(applied["id"]?.stringValue)
            // The order is answered after a second or two, also where the enforcer takes longer.
            try await eventually("it is in force") {
                let state = try await orders.ask(["order": "proof", "lease": .string(id)])
                return state?["phase"] == "in_force" && state?["proof"] == "read_back"
            }
            let shown = try await client.get("/api/v1/leases/\(id)")
            let read = try await orders.ask(["order": "proof", "lease": .string(id)])
            let fetched = try JSONValue(parsing: Array(shown.text.utf8))
            #expect(Self.undated(fetched) == Self.undated(read))
            let list = try JSONValue(parsing: Array(try await client.get("/api/v1/leases").text.utf8))
            #expect(list["leases"]?.arrayValue?.map { $0["id"] } == [.string(id)])
            let preview = try #require(
                try await orders.ask(["order": "preview", "verb": "block_address", "target": "203.0.113.9", "duration": "1h"]))
            #expect(preview["already_in_force"] == 1)
            let refusal = try #require(
                try await orders.ask([
                    "order": "apply", "verb": "block_address", "target": "::1", "incident": .string(incident), "duration": "1h",
                    "reason": "x", "by": "uid:0",
                ]))
            #expect(refusal["code"] == "protected")
            let undone = try #require(
                try await orders.ask(["order": "undo", "lease": .string(id), "reason": "done", "by": "uid:0"]))
            #expect(undone["phase"] == "lifting" || undone["phase"] == "lifted")
            try await eventually("it is lifted, and proven to be") {
                let now = try await orders.ask(["order": "proof", "lease": .string(id)])
                return now?["phase"] == "lifted" && now?["lift_proven"] == true
            }
            let nonsense = try await orders.ask(["order": "nonsense"])
            #expect(nonsense?["code"] == "invalid")
        }
    }

    /// Who it would have met within the last day, from the archive.
    @Test func aPreviewCountsLinesOfTheLastDay() async throws {
        let world = try World()
        let lines = (0..<40).map { number in
            let time = Timestamp.system.advanced(bySeconds: Int64(-600 + number)).rfc3339
            let (day, clock) = (time.prefix(10).split(separator: "-"), time.dropFirst(11).prefix(8))
            let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
                (Int(day[1]) ?? 1) - 1]
            let user = number % 4 == 0 ? "bob" : "-"
            let address = number < 30 ? "203.0.113.9" : "198.51.100.7"
            return
                "\(address) - \(user) [\(day[2])/\(month)/\(day[0]):\(clock) +0000] \"GET /?attack=\(number) HTTP/1.1\" 200 5 \"-\" \"-\""
        }
        try world.append(lines)
        try await withServer(world, LeasePagesTests.options(world)) { running in
            _ = try await running.findings(40)
            let orders = LeaseOrders(world.data)
            try await eventually("the archive has them") {
                let preview = try await orders.ask([
                    "order": "preview", "verb": "block_address", "target": "203.0.113.0/24", "duration": "1h",
                ])
                return preview?["requests_in_day"] == 30
            }
            let one = try await orders.ask(["order": "preview", "verb": "disable_account", "target": "bob", "duration": "1h"])
            #expect(one?["requests_in_day"] == 10)
            let accounts = try await orders.ask([
                "order": "preview", "verb": "block_address", "target": "203.0.113.9", "duration": "1h",
            ])
            #expect(accounts?["accounts"]?.arrayValue == [["name": "bob", "requests": 8]])
        }
    }
}

import Console
import Events
import Foundation
import Identity
import Incidents
import Journal
import Storage
import Testing

@testable import Server

/// Every route is asked with everything that it may name, twice: most of what the whole suite takes.
///
/// A restricted incident is there for its readers; for everybody else, whatever their role, no route tells anything of it.
@Suite("Need to know", .timeLimit(.minutes(60)))
struct NeedToKnowTests {
    private static let marker = "planted-marker"
    /// Nobody else's address: it stands in the findings, the entities and the log lines of the restricted incident only.
    private static let address = "203.0.113.77"

    @Test("no route shows anything of it to those who need not know, and every route shows it to a reader")
    func routes() async throws {
        let world = try World()
        try world.append([Line.attack(1, from: Self.address), Line.attack(2, from: "198.51.100.1")])
        try await withServer(world) { running in
            _ = try await running.findings(2)
            let server = running.server
            let incidents = try await server.desk.projections.incidents(matching: IncidentQuery()).incidents
            let hidden = try #require(incidents.first { $0.entities.contains { $0.value == Self.address } }).id
            let open = try #require(incidents.first { $0.id != hidden }).id
            // Its evidence comes after it.
            try await eventually("evidence is sealed") { try await !server.desk.projections.evidence(of: hidden).isEmpty }
            let member = try await Self.account("member", server)
            let stranger = try await Self.account("stranger", server)
            let author = Author(id: member.id, name: "member")
            for (verb, text) in [
                (IncidentOrder.Verb.note, "\(Self.marker) in a note"), (.restrict(readers: ["member"]), "personnel"),
                (.statusUpdate, "\(Self.marker) in an update"),
            ] {
                try await server.desk.carryOut(
                    IncidentOrder(incident: hidden, verb: verb, author: author, at: .system, text: text))
            }
            // Made from it: what it takes, and why, is the incident's.
            _ = try await server.silences.carryOut(
                SilenceOrder(
                    .create(
                        SilenceDraft(
                            kind: .exception, matcher: SilenceMatcher(addresses: [try #require(AddressBlock(Self.address))]),
                            duration: 3_600, reason: Self.marker, incident: hidden)), by: author, isCommander: true))
            try world.append([Line.attack(3, from: Self.address)])
            try await eventually("it is taken") { try await server.silences.tallies(for: nil)["S-1"]?.findings == 1 }
            let taken = try #require(try world.entries().last { $0.data["silence"] != nil }).sequence
            let evidence = try await server.desk.projections.evidence(of: hidden).map(\.id)
            let entries = Int(server.journal.count)

            let reading = Client(port: running.port, bearer: try await Self.token(member, server))
            let client = Client(port: running.port, bearer: try await Self.token(stranger, server))
            let browser = Client(port: running.port)
            _ = try await browser.submit("/sign-in", ["name": "stranger", "password": Self.password])
            let reader = Client(port: running.port)
            _ = try await reader.submit("/sign-in", ["name": "member", "password": Self.password])

            var seen = 0
            for route in server.console.routes where route.isReading && !route.path.hasPrefix("/events") {
                // Raw logs are what responders hunt in; an incident is what somebody made of them.
                if route.path.hasPrefix("/hunts") { continue }
                for path in Self.paths(of: route.path, incident: hidden, evidence: evidence, entries: entries) {
                    let asks: [(Client, Client)] = route.surface == .api ? [(client, reading)] : [(browser, reader)]
                    for (other, knowing) in asks {
                        let answer = try await other.get(path)
                        #expect(!answer.text.contains(Self.marker), "\(path)")
                        #expect(!answer.text.contains(Self.address), "\(path)")
                        // An error may repeat what was asked for; a list may not name it.
                        if !path.contains(hidden) { #expect(!answer.text.contains(hidden), "\(path)") }
                        let known = try await knowing.get(path)
                        let isAboutIt = known.status == 200 && (known.text.contains(Self.marker) || known.text.contains(hidden))
                        if isAboutIt { seen += 1 }
                        // What is only about it is not there at all.
                        if path.contains(hidden) || evidence.contains(where: path.contains) {
                            #expect(answer.status == 404, "\(path)")
                        }
                    }
                }
            }
            #expect(seen > 8, "the reader sees it, so the walk is one that could find something")

            // What the exception took belongs to no incident; it is the restricted one's to know all the same.
            #expect(try await client.get("/api/v1/journal/\(taken)").status == 404)
            #expect(try await reading.get("/api/v1/journal/\(taken)").status == 200)

            // The same answer as for an incident that never was, but for its number.
            for (there, never) in [("/api/v1/incidents/\(hidden)", "/api/v1/incidents/SEC-2026-9999")] {
                let (one, two) = (try await client.get(there), try await client.get(never))
                let plain = { (text: String) in
                    text.replacing(hidden, with: "ID").replacing("SEC-2026-9999", with: "ID").replacing(
                        #/"request_id":"[^"]*"/#, with: "")
                }
                #expect(one.status == two.status && plain(one.text) == plain(two.text))
            }
            // Not in numbers, nor in what is searched for.
            let total = try await client.get("/api/v1/incidents")
            #expect(total.text.contains(#""total":1"#) && total.text.contains(open))
            for word in [Self.address, hidden, "Attack"] {
                let found = try await client.get("/api/v1/incidents?q=\(word)")
                #expect(!found.text.contains(hidden) || found.text.contains(#""total":0"#), "\(word)")
            }
            #expect(try await reading.get("/api/v1/incidents").text.contains(#""total":2"#))
        }
    }

    @Test("an exception that somebody makes who knows nothing of the incident shows nothing of it either")
    func exceptionByHand() async throws {
        let world = try World()
        try world.append([Line.attack(1, from: Self.address)])
        try await withServer(world) { running in
            _ = try await running.findings(1)
            let server = running.server
            let hidden = try #require(await server.recorder.incidents().first).id
            let (member, stranger) = (try await Self.account("member", server), try await Self.account("stranger", server))
            try await server.desk.carryOut(
                IncidentOrder(
                    incident: hidden, verb: .restrict(readers: ["member"]), author: Author(id: member.id, name: "member"),
                    at: .system, text: "personnel"))
            let reading = Client(port: running.port, bearer: try await Self.token(member, server))
            let client = Client(port: running.port, bearer: try await Self.token(stranger, server))
            let browser = Client(port: running.port)
            _ = try await browser.submit("/sign-in", ["name": "stranger", "password": Self.password])
            let exception = ["kind": "exception", "address": "203.0.113.0/24", "for": "1h", "reason": "an+office"]
            #expect(try await client.post("/api/v1/silences", exception).status == 201)
            try world.append([Line.attack(2, from: Self.address)])
            try await eventually("it is taken") { try await server.silences.tallies(for: nil)["S-1"]?.findings == 1 }
            let taken = try #require(try world.entries().last { $0.data["silence"] != nil })
            #expect(taken.data["incident"]?.stringValue == hidden)
            for path in ["/silences/S-1", "/silences", "/journal", "/journal/\(taken.sequence)", "/rules", "/incidents"] {
                #expect(try await !browser.get(path).text.contains(Self.address), "\(path)")
            }
            #expect(try await client.get("/api/v1/journal/\(taken.sequence)").status == 404)
            #expect(try await client.get("/api/v1/silences/S-1").text.contains(#""findings":0"#))
            #expect(try await client.post("/api/v1/silences/preview", exception).text.contains(#""findings":0"#))
            #expect(try await reading.get("/api/v1/silences/S-1").text.contains(#""findings":1"#))
            #expect(try await reading.get("/api/v1/incidents/\(hidden)").text.contains(#""finding_count":2"#))
        }
    }

    private static let password = "correct-horse-battery"

    /// An admin: no role stands above need-to-know.
    private static func account(_ name: String, _ server: VigieServer) async throws -> Account {
        let author = AuditAuthor(id: "test", name: nil, address: "")
        let link = try await server.accounts.invite(name, role: .admin, by: author, at: .system)
        _ = try await server.accounts.redeem(link.secret, password: password, address: "", at: .system)
        return try await server.accounts.account(named: name)
    }

    private static func token(_ account: Account, _ server: VigieServer) async throws -> String {
        try await server.accounts.createToken(
            for: account.id, name: "test", scopes: [.admin], days: 1, by: AuditAuthor(id: "test", name: nil, address: ""),
            at: .system
        ).secret.text
    }

    /// The route with everything that its parameters may name.
    private static func paths(of route: String, incident: String, evidence: [String], entries: Int) -> [String] {
        if route.contains(":sequence") { return (0..<entries).map { route.replacing(":sequence", with: "\($0)") } }
        if route.hasPrefix("/evidence/:id") { return evidence.map { route.replacing(":id", with: $0) } }
        if route.contains("incidents") {
            let path = route.replacing(":id", with: incident)
            return path == route ? [path, path + "?closed=1", path + "?page=2"] : [path, path + "?findings=all"]
        }
        if route == "/journal" || route.hasSuffix("metrics") { return [route, route + "?before=20", route + "?days=3650"] }
        if route.contains("silences/:id") { return [route.replacing(":id", with: "S-1")] }
        return [route.replacing(":id", with: "none").replacing(":name", with: "none")]
    }
}

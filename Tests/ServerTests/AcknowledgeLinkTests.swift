import Console
import Events
import Foundation
import Incidents
import Journal
import Notify
import Testing

@testable import Server

@Suite("Acknowledging by link", .timeLimit(.minutes(20)))
struct AcknowledgeLinkTests {
    private static let secret = String(repeating: "0123456789abcdef", count: 4)
    private let links = AcknowledgeLinks(secret: secret)

    private func policies(console: String? = "https://vigie.example.org") throws -> Policies {
        try Policies(
            files: [
                "channels.yml": (console.map { "console: \($0)\n" } ?? "") + """
                    channels:
                      hook: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}
                      other: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}
                    """,
                "oncall.yml": "people: {ana: {contacts: [{channel: hook}]}}",
                "escalation.yml": """
                routes: {P0: p, P2: r}
                policies:
                  p: [{name: L1, page: ["person:ana"], answers_within: 15m}]
                  r: [{name: L1, page: ["channel:other"], answers_within: 15m}]
                """,
            ], folder: "policies")
    }

    /// An office whose first page was sent.
    private func paged(
        _ severity: Severity = .critical, console: String? = "https://vigie.example.org"
    ) async throws -> (Office, String) {
        let office = try await Office(links: links)
        office.inForce.replace(by: try policies(console: console))
        office.run()
        let id = try await office.open("The director's laptop", severity)
        try await eventually("it is sent") { await office.pages().contains { $0.status == .sent } }
        return (office, id)
    }

    private func token(_ message: Message?) throws -> String {
        try #require(message?.acknowledge?.split(separator: "=").last.map(String.init))
    }

    private func refusal(_ body: () async throws -> Void) async -> LinkRefusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? LinkRefusal
        }
    }

    @Test("looking changes nothing, however often; acknowledging does, once, in the name of whom it was sent to")
    func once() async throws {
        let (office, id) = try await paged()
        let desk = LinkDesk(links: links, desk: try office.desk)
        let token = try token(office.postbox.messages.first)
        let before = await office.recorder.count
        for _ in 0..<5 { #expect(try await desk.offer(token).person == "ana") }
        #expect(await office.recorder.count == before, "nothing is written down")
        #expect(await office.recorder.incident(id)?.isAcknowledged == false)

        #expect(try await desk.acknowledge(token).incident == id)
        #expect(await office.recorder.incident(id)?.acknowledgedBy == Author(id: "link", name: "ana"))
        let after = await office.recorder.count
        #expect(await refusal { _ = try await desk.acknowledge(token) } == .used)
        #expect(await refusal { _ = try await desk.offer(token) } == .used)
        #expect(await office.recorder.count == after)

        // Also in another time of the incident, and after a crash.
        try await office.order(.phase(.triage), id)
        try await office.order(.close(.falsePositive), id)
        try await office.order(.reopen, id)
        try await office.restart()
        let again = LinkDesk(links: links, desk: try office.desk)
        #expect(await refusal { _ = try await again.acknowledge(token) } == .used)
        #expect(await office.recorder.incident(id)?.isAcknowledged == false)
        await office.stop()
    }

    @Test("used twice at once, it acknowledges once")
    func race() async throws {
        let (office, id) = try await paged()
        let desk = LinkDesk(links: links, desk: try office.desk)
        let token = try token(office.postbox.messages.first)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try? await desk.acknowledge(token) } }
        }
        await office.stop()
        let reader = try JournalReader(directory: office.folder + "/journal")
        var count = 0
        while case let entries = try reader.next(), !entries.isEmpty {
            count += entries.count { $0.type == "incident.acknowledged" && $0.actor == "link" }
        }
        #expect(count == 1 && id.hasPrefix("SEC-"))
    }

    @Test("forged, of another Vigie, of another page, ended: each says so and changes nothing")
    func refused() async throws {
        let (office, id) = try await paged()
        let desk = LinkDesk(links: links, desk: try office.desk)
        let token = try token(office.postbox.messages.first)
        let before = await office.recorder.count
        let foreign = AcknowledgeLinks(secret: String(repeating: "f", count: 64))
        for forged in [
            "", "x", String(token.dropLast()) + (token.hasSuffix("0") ? "1" : "0"),
            foreign.token(incident: id, page: "\(id)/1/p.L1/person:ana/hook", intendedAt: Office.start),
            links.token(incident: id, page: "\(id)/1/p.L9/person:eve/hook", intendedAt: Office.start),
            links.token(incident: "SEC-2026-9999", page: "\(id)/1/p.L1/person:ana/hook", intendedAt: Office.start),
        ] {
            #expect(await refusal { _ = try await desk.acknowledge(forged) } == .unknown, "\(forged)")
        }
        office.minutes(24 * 60 - 1)
        #expect(try await desk.offer(token).incident == id)
        office.minutes(24 * 60)
        #expect(await refusal { _ = try await desk.acknowledge(token) } == .expired)
        #expect(await office.recorder.incident(id)?.isAcknowledged == false)
        office.minutes(1)
        try await office.order(.acknowledge, id)
        #expect(await refusal { _ = try await desk.acknowledge(token) } == .acknowledged(id))
        try await office.order(.phase(.triage), id)
        try await office.order(.close(.falsePositive), id)
        #expect(await refusal { _ = try await desk.acknowledge(token) } == .closed(id))
        try await office.order(.reopen, id)
        #expect(await refusal { _ = try await desk.acknowledge(token) } == .expired, "of an earlier time of the incident")
        #expect(await office.recorder.count >= before)
        await office.stop()
    }

    @Test(
        "without the console's address no link is sent; of a channel it is the channel that acknowledged; a restricted title is not told"
    )
    func addresses() async throws {
        let (silent, _) = try await paged(console: nil)
        #expect(silent.postbox.messages.allSatisfy { $0.acknowledge == nil && $0.link == nil })
        await silent.stop()
        let (office, id) = try await paged(.medium)
        try await office.order(.restrict(readers: ["0a"]), id)
        let desk = LinkDesk(links: links, desk: try office.desk)
        let token = try token(office.other.messages.first)
        #expect(try await desk.offer(token).title == nil)
        _ = try await desk.acknowledge(token)
        #expect(await office.recorder.incident(id)?.acknowledgedBy?.label == "channel:other")
        await office.stop()
    }

    @Test("in a browser: the page has a button, a scanner that looks acknowledges nothing, the button does; a replay is told")
    func browser() async throws {
        let world = try World()
        for (name, text) in [
            (
                "channels.yml",
                "console: http://127.0.0.1\nchannels: {hook: {kind: webhook, url: \"http://127.0.0.1:1\", secret_file: none}}"
            ),
            ("oncall.yml", "people: {ana: {contacts: [{channel: hook}]}}"),
            ("escalation.yml", "routes: {P0: p}\npolicies: {p: [{name: L1, page: [\"person:ana\"], answers_within: 15m}]}"),
        ] { try text.write(toFile: "\(world.policies)/\(name)", atomically: true, encoding: .utf8) }
        try await withServer(world) { running in
            let desk = running.server.desk
            let id = try #require(
                try await desk.open(title: "T<b>", severity: .critical, kind: .real, author: .system, request: nil))
            try await eventually("it is paged") { await desk.state(of: id)?.pages.isEmpty == false }
            let page = try #require(await desk.state(of: id)?.pages.values.first)
            let links = AcknowledgeLinks(secret: try LinkSecret.readOrMake(world.data.linkSecret))
            let token = links.token(incident: id, page: page.intent.key, intendedAt: page.intendedAt)
            let client = Client(port: running.port)
            let path = "/acknowledge?token=\(token)"
            for _ in 0..<3 {
                let answer = try await client.get(path)
                #expect(answer.status == 200 && answer.text.contains("Acknowledge as ana") && !answer.text.contains("T<b>"))
            }
            #expect(await desk.state(of: id)?.isAcknowledged == false)
            #expect(try await client.get(path + "0").status == 404)
            // A program that posts without having seen the form.
            #expect(try await Client(port: running.port).post("/acknowledge", ["token": token]).status == 403)
            #expect(await desk.state(of: id)?.isAcknowledged == false)
            let other = Client(port: running.port)
            let shown = try await other.get(path).text
            let csrf = try #require(shown.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/).map { String($0.1) })
            let done = try await client.submit("/acknowledge", ["token": token], from: path)
            #expect(done.status == 200 && done.text.contains("Acknowledged"))
            #expect(await desk.state(of: id)?.acknowledgedBy?.label == "ana")
            let replay = try await other.post("/acknowledge", ["token": token, "csrf": csrf])
            #expect(replay.status == 410 && replay.text.contains("used already"))
        }
        #expect((try FileManager.default.attributesOfItem(atPath: world.data.linkSecret)[.posixPermissions] as? Int) == 0o600)
    }
}

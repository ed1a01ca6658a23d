import Events
import Foundation
import Identity
import Incidents
import Testing

@testable import Console

@Suite("Orders about incidents")
struct OrderTests {
    @Test("a form's order arrives with who gave it, and leads back to the incident")
    func given() async throws {
        let world = try World(incidents: [Samples.incident()])
        let browser = try await world.signedIn()
        let page = try await browser.get("/incidents/SEC-2026-0001")
        #expect(page.text.contains(#"name="verb" value="ack""#))
        let answer = try await browser.post("/incidents/SEC-2026-0001/orders", ["verb": "phase", "to": "triage", "text": "so"])
        #expect(answer.status == 303 && answer.location == "/incidents/SEC-2026-0001")
        let order = try #require(world.orders.withLock { $0.first })
        #expect(order.verb == .phase(.triage) && order.author.name == "ana" && order.text == "so" && order.at == noon)
    }

    @Test("the API takes the same, and answers with the incident")
    func api() async throws {
        let world = try World(incidents: [Samples.incident()])
        let browser = try await world.signedIn()
        _ = try await browser.get("/incidents/SEC-2026-0001")
        let answer = try await browser.post("/api/v1/incidents/SEC-2026-0001/orders", ["verb": "note", "text": "<b>so</b>"])
        #expect(answer.status == 200 && answer.text.contains("SEC-2026-0001"))
        #expect(world.orders.withLock { $0.first?.text } == "<b>so</b>")
    }

    @Test("signed out, forged, unknown, or misspelt: refused, and nothing arrives")
    func refused() async throws {
        let world = try World(incidents: [Samples.incident()])
        let stranger = Browser(world)
        let path = "/api/v1/incidents/SEC-2026-0001/orders"
        #expect([401, 403].contains(try await stranger.post(path, ["verb": "ack"], token: "00").status))
        let browser = try await world.signedIn()
        _ = try await browser.get("/incidents/SEC-2026-0001")
        #expect(try await browser.post(path, ["verb": "ack"], token: "00").status == 403)
        #expect(try await browser.post("/api/v1/incidents/SEC-2026-0009/orders", ["verb": "ack"]).status == 404)
        #expect(try await browser.post(path, ["verb": "dance"]).status == 422)
        #expect(try await browser.post(path, ["verb": "phase", "to": "<script>"]).status == 422)
        #expect(world.orders.withLock { $0.isEmpty })
    }

    @Test("what the incident refuses comes back in its words")
    func refusal() async throws {
        let world = try World(
            incidents: [Samples.incident()],
            refusal: IncidentRefusal(.notAllowed, "SEC-2026-0001 is closed", "reopen it first"))
        let browser = try await world.signedIn()
        _ = try await browser.get("/incidents/SEC-2026-0001")
        let answer = try await browser.post("/api/v1/incidents/SEC-2026-0001/orders", ["verb": "ack"])
        #expect(answer.status == 409 && answer.header("content-type") == "application/problem+json")
        #expect(answer.text.contains("SEC-2026-0001 is closed") && answer.text.contains("reopen it first"))
    }

    @Test("who leads decides on severity and end; who responds does the rest; who views has no form")
    func roles() {
        for verb in ["severity", "close", "reopen", "merge", "tlp", "restrict", "unrestrict"] {
            #expect(OrderForms.role(for: verb) == .commander)
        }
        for verb in ["ack", "note", "update", "phase", "assign", "", "anything"] {
            #expect(OrderForms.role(for: verb) == .responder)
        }
        let token = SecretToken(bits: 128, from: .system)
        let model = { (role: Role) in
            OrderForms.model(
                Samples.incident().summary,
                signedIn: SignedIn(
                    account: Account(id: "1", name: "a", role: role, passwordHash: "", createdAt: noon), token: token))
        }
        let verbs = { (model: PageModel?) in (model?["forms"] as? [PageModel])?.compactMap { $0["verb"] as? String } }
        #expect(model(.viewer) == nil)
        #expect(verbs(model(.responder)) == ["ack", "note", "update", "phase"])
        #expect(verbs(model(.commander)) == ["ack", "note", "update", "phase", "severity", "close"])
    }
}

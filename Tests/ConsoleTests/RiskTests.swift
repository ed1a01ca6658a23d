import Console
import Events
import Foundation
import Incidents
import Testing

@Suite("Risk on the incident's page and in the API")
struct RiskTests {
    private func states(_ text: String = "sample") -> FakeStates {
        var states = FakeStates()
        let finding = EntityRisk.Finding(id: "f1", incident: "SEC-2026-0002", at: noon.advanced(bySeconds: -60))
        let part = EntityRisk.Part(
            ruleID: "r1", ruleTitle: "Rule \(text)", level: "high", category: "exploit", points: 63.46, findings: [finding])
        let risks = [
            EntityRisk(
                entity: IncidentEntity(kind: .address, value: "203.0.113.9"), score: 63.46, at: noon, lastSeen: noon, sharedBy: 7,
                parts: [part]),
            EntityRisk(entity: IncidentEntity(kind: .account, value: text), score: 70, at: noon, lastSeen: noon, parts: [part]),
        ]
        states.risks = risks.map { RiskView(risk: $0, now: 12.04) }
        return states
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test("stands beside the entity, with every part and where else it comes from")
    func page() async throws {
        let page = try await (try World(incidents: [Samples.incident()], states: states())).signedIn().get(
            "/incidents/SEC-2026-0001"
        ).text
        #expect(page.contains("risk <b>63.5</b>") && page.contains("risk <b>70</b>"))
        #expect(page.contains("<b>63.5</b> <small>now 12</small>") && page.contains("shared by 7 accounts"))
        #expect(page.contains(#"<a href="/incidents/SEC-2026-0002">SEC-2026-0002</a>"#))
        let plain = try await (try World(incidents: [Samples.incident()])).signedIn().get("/incidents/SEC-2026-0001").text
        #expect(!plain.contains("risk-title"))
    }

    @Test("hostile names stay text", arguments: PagesTests.attacks)
    func hostile(text: String) async throws {
        let page = try await (try World(incidents: [Samples.incident()], states: states(text))).signedIn()
            .get("/incidents/SEC-2026-0001").text
        let quiet = try await (try World(incidents: [Samples.incident()], states: states("word"))).signedIn()
            .get("/incidents/SEC-2026-0001").text
        #expect(PagesTests.structure(of: page) == PagesTests.structure(of: quiet))
    }

    @Test("the API lists the worst, one by its name, and an incident's own, with numbers to one digit")
    func api() async throws {
        let browser = try await (try World(incidents: [Samples.incident()], states: states())).signedIn()
        let list = try #require(try object(try await browser.get("/api/v1/entities").text)["entities"] as? [[String: Any]])
        #expect(list.count == 2)
        let first = list[0]
        #expect(Set(first.keys) == ["type", "value", "risk", "last_seen", "risk_now", "shared_by", "parts"])
        #expect(first["risk"] as? Double == 63.5 && first["risk_now"] as? Double == 12 && first["shared_by"] as? Int == 7)
        #expect(list[1]["shared_by"] == nil)
        let part = try #require((first["parts"] as? [[String: Any]])?.first)
        #expect(Set(part.keys) == ["rule", "category", "points", "findings"])
        for (query, count) in [("limit=1", 1), ("limit=-5", 1), ("value=203.0.113.9", 1), ("value=nobody", 0), ("value=", 2)] {
            let some = try object(try await browser.get("/api/v1/entities?\(query)").text)["entities"] as? [[String: Any]]
            #expect(some?.count == count, "\(query)")
        }
        let incident = try object(try await browser.get("/api/v1/incidents/SEC-2026-0001").text)
        #expect((incident["risks"] as? [[String: Any]])?.map { $0["type"] as? String } == ["user", "ip"], "the worst first")
    }
}

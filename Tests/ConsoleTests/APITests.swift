import Console
import Events
import Foundation
import Identity
import Incidents
import Testing

struct APITests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func listsIncidents() async throws {
        let world = try World(incidents: [
            Samples.incident("SEC-2026-0001", severity: .critical), Samples.incident("SEC-2026-0002", phase: .closed),
        ])
        let browser = try await world.signedIn()
        let answer = try await browser.get("/api/v1/incidents")
        #expect(answer.header("content-type") == "application/json")
        let list = try object(answer.text)
        #expect(Set(list.keys) == ["incidents", "total", "limit", "offset"])
        #expect(list["total"] as? Int == 2)
        let incidents = try #require(list["incidents"] as? [[String: Any]])
        #expect(
            Set(incidents[0].keys) == [
                "id", "title", "severity", "phase", "entities", "finding_count", "event_count", "first_seen", "last_seen",
                "opened_at",
                "updated_at", "categories", "attack", "kind", "restricted",
            ])
        #expect(incidents[0]["severity"] as? String == "P0")
        #expect(incidents[0]["last_seen"] as? String == noon.advanced(bySeconds: -60).rfc3339)
        let entities = try #require(incidents[0]["entities"] as? [[String: Any]])
        #expect(entities[0]["type"] as? String == "ip" && entities[0]["value"] as? String == "203.0.113.9")
        #expect(entities[2]["value"] is NSNull)
        let one = try object(try await browser.get("/api/v1/incidents?severity=critical&limit=1&offset=0").text)
        #expect(one["total"] as? Int == 1 && one["limit"] as? Int == 1)
        let open = try object(try await browser.get("/api/v1/incidents?closed=0").text)
        #expect(open["total"] as? Int == 1)
    }

    @Test func showsAnIncident() async throws {
        let browser = try await (try World(incidents: [Samples.incident()])).signedIn()
        let incident = try object(try await browser.get("/api/v1/incidents/SEC-2026-0001").text)
        #expect(incident["id"] as? String == "SEC-2026-0001")
        let item = try #require((incident["timeline"] as? [[String: Any]])?.first)
        #expect(Set(item.keys) == ["sequence", "occurred_at", "recorded_at", "actor", "kind", "text"])
        let finding = try #require((incident["findings"] as? [[String: Any]])?.first)
        #expect(
            Set(finding.keys) == [
                "id", "sequence", "rule", "category", "severity", "attack", "entities", "count", "count_is_lower_bound",
                "first_seen", "last_seen",
                "recorded_at",
                "evidence", "grouping",
            ])
        let line = try #require((finding["evidence"] as? [[String: Any]])?.first)
        #expect(line["line"] as? Int == 100 && line["text"] as? String == "line sample")
    }

    @Test func missingThingsAreProblems() async throws {
        let browser = try await (try World()).signedIn()
        for path in ["/api/v1/incidents/SEC-2026-9999", "/api/v1/nothing"] {
            let answer = try await browser.get(path)
            #expect(answer.status == 404 && answer.header("content-type") == "application/problem+json")
            let problem = try object(answer.text)
            #expect(Set(problem.keys) == ["type", "title", "status", "detail", "instance", "request_id"])
            #expect(problem["status"] as? Int == 404 && problem["instance"] as? String == path)
            #expect(problem["request_id"] as? String == answer.header("x-request-id"))
        }
    }

    @Test func listsSourcesAndRules() async throws {
        let rules = [RuleSummary(id: "1", title: "Bad", level: "high", category: "scan", file: "a.yml", problem: "a.yml:3")]
        let browser = try await (try World(sources: [Samples.source()], rules: rules)).signedIn()
        let source = try #require(
            (try object(try await browser.get("/api/v1/sources").text)["sources"] as? [[String: Any]])?.first)
        let counters = try #require(source["counters"] as? [String: Any])
        #expect(
            counters["invalid_utf8"] as? Int == 2 && counters["containing_nul"] as? Int == 3 && counters["parsed"] as? Int == 12)
        #expect(counters["plain"] as? Int == 6)
        #expect((source["plain_samples"] as? [String])?.first?.hasPrefix("plain ") == true)
        #expect(source["lag_bytes"] as? Int == 2048)
        let rule = try #require((try object(try await browser.get("/api/v1/rules").text)["rules"] as? [[String: Any]])?.first)
        #expect(rule["state"] as? String == "refused" && rule["problem"] as? String == "a.yml:3")
    }
}

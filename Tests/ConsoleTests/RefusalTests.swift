import Events
import HTTPTypes
import Identity
import Incidents
import Testing

@testable import Console

@Suite("Refused orders over HTTP")
struct RefusalTests {
    /// Every code as programs are told it, and the status that comes with it.
    private func statuses<Code: RefusalCode>(_: Code.Type, _ refusal: (Code) -> any Error) -> [String: Int] {
        Code.allCases.reduce(into: [:]) { table, code in
            let failure = ConsoleFailure(refusal(code))
            #expect(failure.code == code.rawValue && failure.title == "it is so" && failure.advice == "do that")
            table[failure.code] = failure.status.code
        }
    }

    @Test("every code has its status")
    func codes() {
        #expect(
            statuses(IncidentRefusalCode.self) { IncidentRefusal($0, "it is so", "do that") } == [
                "unknown_incident": 404, "not_allowed": 409, "already_done": 409, "invalid": 422, "forbidden": 403, "failed": 503,
            ])
        #expect(
            statuses(RunRefusalCode.self) { RunRefusal($0, "it is so", "do that") } == [
                "unknown": 404, "not_allowed": 409, "already_done": 409, "invalid": 422, "forbidden": 403,
            ])
        #expect(
            statuses(SilenceRefusalCode.self) { SilenceRefusal($0, "it is so", "do that") } == [
                "unknown_silence": 404, "not_allowed": 409, "invalid": 422, "forbidden": 403,
            ])
        #expect(
            statuses(SavedViewRefusalCode.self) { SavedViewRefusal($0, "it is so", "do that") } == [
                "unknown_view": 404, "not_allowed": 409, "invalid": 422, "forbidden": 403,
            ])
        #expect(
            statuses(AccountRefusal.Code.self) { AccountRefusal($0, "it is so", "do that") } == [
                "unknown_account": 404, "unknown_token": 404, "not_allowed": 409, "already_done": 409, "invalid": 422,
                "limited": 429, "busy": 503,
            ])
    }

    @Test("what comes too often says when to come again; nothing else does")
    func retryAfter() {
        #expect(ConsoleFailure(AccountRefusal(.limited, "often", "wait", retryAfter: 9) as any Error).retryAfter == 9)
        #expect(ConsoleFailure(IncidentRefusal(.failed, "failed", "look") as any Error).retryAfter == nil)
    }

    @Test("the console tells in the desk's words what the lease desk refuses, by codes that it does not know")
    func leases() async throws {
        let world = try World(incidents: [Samples.incident()], leases: FakeLeases())
        let browser = try await world.signedIn()
        _ = try await browser.get("/leases/new")
        let order = ["verb": "dance", "target": "203.0.113.9", "incident": "SEC-2026-0001", "duration": "1h", "reason": "so"]
        let problem = try await browser.post("/api/v1/leases", order)
        #expect(problem.status == 422 && problem.header("content-type") == "application/problem+json")
        #expect(problem.text.contains(#""type":"urn:vigie:problem:unknown_verb""#))
        #expect(problem.text.contains("nothing can do 'dance'") && problem.text.contains(#""detail":"see the list""#))
        let form = try await browser.post("/leases", order)
        #expect(form.status == 422 && form.text.contains("nothing can do &#39;dance&#39;: see the list."))
        let probe = try await browser.post("/api/v1/leases/L-1/probed", ["outcome": "perhaps"])
        #expect(probe.status == 422 && probe.text.contains(#""type":"urn:vigie:problem:invalid""#))
        let page = try await browser.post("/leases/L-1/probed", ["outcome": "perhaps"])
        #expect(page.status == 422 && page.text.contains("&#39;perhaps&#39; is no outcome"))
    }
}

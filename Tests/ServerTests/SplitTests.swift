import Events
import Incidents
import Testing

@testable import Detection
@testable import Server

@Suite("Splitting findings off an incident", .timeLimit(.minutes(20)))
struct SplitTests {
    private func finding(_ number: Int, address: String) -> (finding: Finding, lines: [String?]) {
        let digits = String(number, radix: 16)
        let rule = RuleHeader(
            id: "60c6c988-5bc3-4ca9-a550-f59b3f9596fc", name: nil, title: "Guessing", description: "", level: .medium, tags: [],
            category: .bruteForce, author: "", falsePositives: [], references: [], isHostile: true, file: "rule.yml", line: 1,
            hash: String(repeating: "ab", count: 32))
        return (
            Finding(
                id: String(repeating: "0", count: 32 - digits.count) + digits, time: Office.start, rule: rule, count: 1,
                firstSeen: Office.start, lastSeen: Office.start, sourceIP: address, userName: nil, otherAddresses: [],
                evidence: []),
            []
        )
    }

    @Test("by their ids, with what they are about, and only those that are the incident's own")
    func split() async throws {
        let office = try await Office()
        let findings = [
            finding(1, address: "203.0.113.1"), finding(2, address: "203.0.113.1"), finding(3, address: "203.0.113.3"),
        ]
        try await office.recorder.record(findings, by: Grouping(), at: Office.start)
        let (first, other) = ("SEC-2026-0001", "SEC-2026-0002")
        let split = { (ids: [Int]) in
            try await office.order(
                try IncidentOrder.Verb(
                    "split", ["title": "Another", "findings": ids.map { findings[$0].finding.id }.joined(separator: ", ")]), first
            )
        }
        let refusal = await #expect(throws: IncidentRefusal.self) { try await split([2]) }
        #expect(refusal?.reason == "one of these findings is not of \(first)")
        #expect(await office.recorder.incident(other)?.findingCount == 1)
        try await split([1])
        #expect(await office.recorder.incident("SEC-2026-0003")?.findingCount == 1)
        let tables = try office.desk.projections
        #expect(
            try await tables.incident(id: "SEC-2026-0003", maximumFindings: 5)?.summary.entities == [
                IncidentEntity(kind: .address, value: "203.0.113.1")
            ])
        // What that address does next belongs to the new one.
        try await office.recorder.record([finding(4, address: "203.0.113.1")], by: Grouping(), at: Office.start)
        #expect(await office.recorder.incident("SEC-2026-0003")?.findingCount == 2)
        // It is there no more, so it cannot be split off again.
        await #expect(throws: IncidentRefusal.self) { try await split([1]) }
    }
}

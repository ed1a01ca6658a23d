import Foundation
import Incidents
import Testing

/// Days of noise through the shipped rules, grouping, risk and routes: how often somebody is woken for nothing.
@Suite("Background noise")
struct BackgroundTests {
    private static let days = 3
    /// Most incidents a day that page somebody; as measured, with room for another seed.
    private static let mostPaging = 4.0

    @Test("a quiet site's days of noise wake next to nobody", arguments: [1, 2] as [UInt64])
    func noise(seed: UInt64) throws {
        let policies = try ShippedPolicies.load()
        let (log, lines) = Background.log(seed: seed, days: Self.days)
        let outcome = log.run(Repository.rules.ruleSet, by: Grouping(risk: policies.risk))
        let without = log.run(Repository.rules.ruleSet)
        let noise = Noise(outcome, policies.escalation, days: Self.days)
        let before = Noise(without, policies.escalation, days: Self.days)
        let ungrouped = Noise(eachOf: outcome.findings, policies.escalation, days: Self.days)
        for (name, numbers) in [("as shipped", noise), ("without risk", before), ("without grouping and risk", ungrouped)] {
            print("noise  seed \(seed)  lines \(lines)  \(numbers.text)  \(name)")
        }
        #expect(noise.pagingADay <= Self.mostPaging)
        #expect(noise.paging * 10 < before.paging, "it is risk that keeps them asleep")
        #expect(noise.incidents == before.incidents, "risk opens nothing and hides nothing")
        // People who mistype, sync, read and come through one address: whatever rules say of them wakes nobody, and starts nothing.
        let harmless = Set(outcome.harmless.compactMap(\.incident))
        #expect(harmless.count >= Self.days, "rules do say something of crawlers that ask for the list of authors")
        for incident in harmless { #expect(policies.escalation.routes[outcome.severities[incident] ?? .critical] == nil) }
        let started = Set(
            outcome.severities.filter { incident, severity in
                let levels = outcome.levels(of: incident)
                return policies.response.starts.contains { $0.fits(severity, levels) }
            }.keys)
        // A limit: people of one address who mistype five times within five minutes are taken for one who guesses.
        let mistaken = harmless.intersection(started)
        #expect(mistaken.count <= 1)
        for finding in outcome.findings where mistaken.contains(finding.incident ?? "") && finding.level != "low" {
            #expect(finding.ruleTitle == "Sign-in brute force over HTTP" && finding.address == Background.office)
        }
        // Whoever guesses is blocked all the same.
        #expect(started.count > Self.days * 20)
    }
}

/// What a time of noise came to.
private struct Noise {
    var bySeverity: [Severity: Int]
    var paging: Int
    var incidents: Int
    var findings: Int
    var days: Int

    init(_ outcome: Outcome, _ escalation: EscalationPolicy, days: Int) {
        self.init(Array(outcome.severities.values), escalation, findings: outcome.findings.count, days: days)
    }

    /// As if each finding were an incident.
    init(eachOf findings: [FindingRecord], _ escalation: EscalationPolicy, days: Int) {
        self.init(findings.map(\.severity), escalation, findings: findings.count, days: days)
    }

    private init(_ severities: [Severity], _ escalation: EscalationPolicy, findings: Int, days: Int) {
        bySeverity = Dictionary(severities.map { ($0, 1) }, uniquingKeysWith: +)
        paging = severities.count { escalation.routes[$0] != nil }
        incidents = severities.count
        self.findings = findings
        self.days = days
    }

    var pagingADay: Double { Double(paging) / Double(days) }

    var text: String {
        let counts = Severity.allCases.map { "\($0.code) \(bySeverity[$0] ?? 0)" }.joined(separator: "  ")
        return "days \(days)  findings \(findings)  incidents \(incidents)  \(counts)  paging \(paging)"
    }
}

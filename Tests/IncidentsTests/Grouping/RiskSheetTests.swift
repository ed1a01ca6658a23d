import Detection
import Events
import Testing

@testable import Incidents

@Suite("The worst of all addresses and accounts")
struct RiskSheetTests {
    private let stranger = IncidentReader(account: "0b", name: "bo")

    private func record(_ finding: Finding, lines: [String?] = [], in ledger: inout IncidentLedger) {
        for event in ledger.record(finding, lines: lines, by: Grouping(), now: Sample.start) {
            ledger.applyToIncidents(event, recordedAt: Sample.start)
        }
    }

    private func change(_ incident: String, _ action: IncidentChange.Action, in ledger: inout IncidentLedger) {
        ledger.apply(
            .changed(IncidentChange(incident: incident, at: Sample.start, author: .system, action: action)),
            recordedAt: Sample.start)
    }

    /// The law: whoever is left out is not among the worst.
    @Test("they are those that weighing everybody finds", arguments: 0..<10)
    func law(seed: UInt64) {
        var generator = FindingGenerator(seed: 8_000 + seed)
        var ledger = IncidentLedger()
        var policy = RiskPolicy()
        policy.halfLife = generator.pick([600, 43_200, 10_000_000])
        (policy.again, policy.another) = (generator.pick([0, 0.5, 0.9]), generator.pick([0, 0.25, 0.9]))
        if generator.pick([true, false]) { policy.limits = ["brute_force": 30] }
        for number in 0..<150 {
            var (finding, lines) = generator.next()
            // Of more addresses than the generator has: some of these are equals.
            if finding.sourceIP != nil, generator.pick([true, false]) { finding.sourceIP = "192.0.2.\(number / 3)" }
            finding.rule.id = generator.pick(["r1", "r2", "r3"])
            record(finding, lines: lines, in: &ledger)
        }
        for incident in ledger.incidents.keys.sorted().prefix(9) {
            let action: IncidentChange.Action? = generator.pick([
                .restrict(readers: ["0a"]), .close(from: .detection, resolution: .falsePositive), nil,
            ])
            if let action { change(incident, action, in: &ledger) }
        }
        let now = Sample.start.advanced(bySeconds: generator.pick([0, 200_000, 500_000]))
        for reader in [nil, stranger] {
            let sheet = ledger.riskSheet(for: reader)
            var all: [RiskSheet.Ranked] = []
            for (entity, record) in sheet.risks.records {
                guard let risk = sheet.risk(of: entity, by: policy, at: now) else { continue }
                all.append(RiskSheet.Ranked(score: risk.score, entity: entity))
                let most = policy.mostRisk(of: record, at: now)
                #expect(most >= risk.score, "\(entity)")
            }
            all.sort()
            for limit in [0, 1, 3, 10, 1_000] {
                let found = sheet.ranked(by: policy, at: now, limit: limit).worst
                #expect(found.map(\.entity) == all.prefix(limit).map(\.entity))
            }
            #expect(all.count > 20)
        }
    }

    @Test("of a botnet, one by one no worse than any, few are weighed beside those who are")
    func botnet() {
        var ledger = IncidentLedger()
        var number = 0
        func find(_ address: String, _ level: Level, times: Int) {
            for time in 0..<times {
                number += 1
                record(
                    Sample.finding(number, address: address, at: Int64(time) * 900, rule: Sample.rule(level: level)), in: &ledger)
            }
        }
        for member in 0..<600 { find("10.0.\(member / 250).\(member % 250)", .low, times: 1) }
        for loud in 0..<30 { find("192.0.2.\(loud)", .high, times: 4) }
        let sheet = ledger.riskSheet(for: nil)
        let (worst, weighed) = sheet.ranked(by: RiskPolicy(), at: Sample.start.advanced(bySeconds: 3_600), limit: 20)
        #expect(worst.count == 20 && worst.allSatisfy { $0.entity.value?.hasPrefix("192.0.2.") == true })
        #expect(sheet.risks.records.count == 630 && weighed <= 30, "\(weighed)")
    }

    @Test("what was taken out stays as it was while the ledger goes on")
    func apart() {
        var ledger = IncidentLedger()
        record(Sample.finding(1), in: &ledger)
        let sheet = ledger.riskSheet(for: stranger)
        let before = sheet.worst(by: RiskPolicy(), at: Sample.start, limit: 9)
        record(Sample.finding(2, at: 3_600), in: &ledger)
        change("SEC-2026-0001", .restrict(readers: ["0a"]), in: &ledger)
        #expect(before.count == 1 && sheet.worst(by: RiskPolicy(), at: Sample.start, limit: 9) == before)
        #expect(ledger.riskSheet(for: stranger).worst(by: RiskPolicy(), at: Sample.start, limit: 9).isEmpty)
    }
}

import Detection
import Foundation
import Incidents
import Testing

/// Grouping held against labelled campaigns, with the rules that are shipped.
@Suite("Campaigns")
struct CampaignTests {
    @Test("rules are all taken")
    func rules() {
        #expect(Repository.rules.problems.isEmpty)
        #expect(Repository.rules.ruleSet.count > 20)
    }

    @Test("findings of one campaign are one incident, those of strangers are not", arguments: Scenario.all)
    func scenario(_ scenario: Scenario) throws {
        var log = CampaignLog()
        scenario.write(&log)
        let outcome = log.run(Repository.rules.ruleSet)
        let (precision, recall) = outcome.quality
        let linked = outcome.quality(withLinks: true)
        let numbers = String(
            format: "precision %.3f  recall %.3f  with links %.3f %.3f", precision, recall, linked.precision, linked.recall)
        print(
            "\(numbers)  \(outcome.incidents) incidents of \(scenario.campaigns) campaigns, \(outcome.placed.count) findings"
                + " (\(outcome.mixed) about several)  \(scenario.name)")
        let policies = try ShippedPolicies.load()
        let shipped = log.run(Repository.rules.ruleSet, by: Grouping(risk: policies.risk))
        let worst = { (outcome: Outcome) in outcome.severities.values.max()?.code ?? "none" }
        print("severity  \(worst(outcome)) by rules  \(worst(shipped)) with risk  \(scenario.name)")
        if let severity = scenario.severity {
            #expect(shipped.severities.values.max() == severity)
            let pages = shipped.severities.values.contains { policies.escalation.routes[$0] != nil }
            #expect(pages == (severity >= .medium))
        }
        for raise in shipped.raises {
            let reason = try #require(raise.reason)
            #expect(raise.to > raise.from)
            let isByRule = reason.hasPrefix("rule '") && reason.hasSuffix("is of level \(raise.to.name.lowercased())")
            #expect(isByRule || raise.to == .medium && reason.hasPrefix("The risk of the "), "\(reason)")
        }
        #expect(precision == 1)
        #expect(shipped.quality == (precision, recall), "risk moves no finding elsewhere")
        #expect(recall >= scenario.recall)
        #expect(linked.precision == 1, "no stranger is called the same attacker")
        #expect(linked.recall == 1)
        #expect(outcome.incidents == scenario.incidents ?? scenario.campaigns)
        #expect(outcome.falseAlarms == 0)
        #expect(outcome.unparsed == 0)
        #expect(!outcome.addresses.contains("192.0.2.50"), "nobody behind the NAT has done anything")
        #expect(outcome.placed.count >= scenario.campaigns)
    }

    @Test("all at once, they still are what they are")
    func everything() {
        var log = CampaignLog()
        let scenarios = Scenario.all
        // Those that share no address: the same address would be the same attacker.
        for scenario in scenarios[0...0] + scenarios[2...2] + scenarios[5...5] { scenario.write(&log) }
        let outcome = log.run(Repository.rules.ruleSet)
        let (precision, recall) = outcome.quality
        print(
            String(format: "precision %.3f  recall %.3f  with links %.3f %.3f", precision, recall, precision, recall)
                + "  \(outcome.incidents) incidents of 5 campaigns  all at once")
        #expect(precision == 1)
        #expect(recall == 1)
        #expect(outcome.incidents == 5)
    }
}

import Detection
import Foundation
import Incidents
import Testing

@Suite("Policy files")
struct PolicyFileTests {
    @Test("the shipped ones are read, with all three sets of roles and everything that requirements name")
    func shipped() throws {
        let policies = try ShippedPolicies.load()
        #expect(Set(policies.roles.roles.map(\.set)) == ["plan", "checklist", "company"])
        #expect(policies.severities.meanings.count == 4)
        let within = Dictionary(uniqueKeysWithValues: policies.clocks.clocks.map { ($0.id, $0.within[.high]) })
        #expect(
            within == [
                "acknowledgement": 900, "triage": 1800, "containment": 3600, "fix": 14_400, "user_notice": 86_400,
                "status_update": 900, "review": 172_800,
            ])
        #expect(policies.escalation.policies["full"]?.map(\.answersWithin) == [900, 1800, 3600, 7200])
        #expect(policies.hash?.count == 64)
        #expect(policies.risk.raises == [RiskPolicy.Raise(.medium, from: 120)])
        #expect(policies.risk.limits["brute_force"] == 40)
    }

    @Test("rules that the shipped risk policy names are there")
    func namedRules() throws {
        let risk = try ShippedPolicies.load().risk
        let rules = Set(Repository.rules.ruleSet.headers.map { $0.header.id })
        #expect(risk.exceptRules.union(risk.attemptRules).isSubset(of: rules))
    }

    @Test("no files are no policies")
    func none() throws {
        #expect(try Policies(files: [:], folder: "p") == Policies())
    }

    /// Each file of `Fixtures` is one shipped file with one mistake; its first line says file, line and a word of the reason.
    @Test(
        "what is wrong is refused with file, line and reason",
        arguments: try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path).filter { $0.hasSuffix(".yml") })
    func refused(name: String) throws {
        let text = try String(contentsOf: Self.fixtures.appending(path: name), encoding: .utf8)
        let head = text.prefix { $0 != "\n" }.dropFirst(2).split(separator: " ", maxSplits: 2)
        try #require(head.count == 3)
        do {
            _ = try ShippedPolicies.load(replacing: [String(head[0]): text])
            Issue.record("\(name) was read")
        } catch let error as PolicyError {
            #expect(
                error.file == "policies/\(head[0])" && error.line == Int(head[1]) && error.reason.contains(head[2]), "\(error)")
        }
    }

    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
}

import Events
import Foundation
import Journal
import Response
import Testing

/// The executor, case by case. Each file of `scenarios/` is one: a playbook, how its commands end, and what has to happen.
@Suite struct ScenarioTests {
    static let files = (try? Files.list(Files.tests.appending(path: "Conformance/scenarios"), "json")) ?? []

    @Test func thereAreScenarios() { #expect(Self.files.count >= 42) }

    @Test(arguments: files)
    func theExecutorDoesWhatTheSpecificationSays(file: URL) throws {
        let scenario = try Scenario(file)
        #expect(scenario.problems == [])
        let rehearsal = try scenario.rehearse()
        let expected = try #require(scenario.document["expect"])
        let state = RunState(replaying: rehearsal.entries)
        #expect(state.outcome?.rawValue == expected["outcome"]?.stringValue)
        let names = Dictionary(
            scenario.playbooks.flatMap(\.orderedSteps).map { ($0.id, $0.title) }, uniquingKeysWith: { first, _ in first })
        if let titles = expected["titles"]?.arrayValue?.compactMap(\.stringValue) {
            #expect(rehearsal.titles(try #require(scenario.playbooks.first)) == titles)
        }
        if let commands = expected["commands"]?.arrayValue?.compactMap(\.stringValue) {
            #expect(rehearsal.arrivals.map(\.text) == commands)
        }
        if let failures = expected["failures"]?.arrayValue?.compactMap(\.stringValue) {
            let found = state.executions.compactMap { execution -> String? in
                guard case .failed(let failure)? = execution.outcome else { return nil }
                return "\(failure.code.rawValue) \(names[failure.step] ?? "?")"
            }
            #expect(found.sorted() == failures.sorted())
        }
        if let seconds = expected["seconds"]?.integerValue {
            #expect(rehearsal.time.seconds - 1_795_000_000 == seconds)
        }
        if let approvals = expected["approvals"]?.integerValue {
            #expect(state.executions.map(\.approvedBy.count).reduce(0, +) == Int(approvals))
        }
    }

    /// Killed before every entry and after every delivery of every scenario: nothing is lost, nothing that honours its key is
    /// done twice, and what cannot be asked again waits for a person.
    @Test(arguments: files)
    func everyDeathIsSurvived(file: URL) throws {
        let scenario = try Scenario(file)
        let trial = try DeathTrial.run(name: file.lastPathComponent) { try scenario.rehearse(death: $0) }
        #expect(trial.deaths >= 5)
        // Only one scenario has a target that cannot be asked twice; there, a person is asked.
        #expect((trial.questions > 0) == (file.lastPathComponent == "a-target-without-keys-is-asked-once.json"))
    }
}

import Events
import Foundation
import Ingest
import Testing

@testable import Detection

/// SigmaHQ's rules and regression tests, where they are present: `$VIGIE_SIGMAHQ` names the folder that its archives
/// were unpacked to. `script/suites sigma` runs the same through the program.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["VIGIE_SIGMAHQ"] != nil, "VIGIE_SIGMAHQ is not set"))
struct SigmaHQTests {
    private let folder = ProcessInfo.processInfo.environment["VIGIE_SIGMAHQ"] ?? ""

    @Test func onlyUnresolvedPlaceholdersAreRefused() {
        let kinds = ["rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance"]
        let loaded = RuleFolder(paths: kinds.map { "\(folder)/\($0)" } + [WindowsEvents.pipelines])
        let (rules, problems) = loaded.compile()
        for problem in problems where !problem.reason.contains("placeholder '%") { Issue.record("\(problem)") }
        #expect(problems.count == 25)
        #expect(rules.count + problems.count == 3_780)
    }
}

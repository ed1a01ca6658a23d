import ArgumentParser
import Detection
import Foundation
import Ingest
import Journal

struct RulesLint: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Say what is wrong with rules, where, and what to do; exit 1 when there are errors.",
        discussion:
            "docs/rule-lint.md lists every check with an example. Findings go to standard output, the sum to standard error."
    )

    @Argument(help: "Folders of rules, or rule files.")
    var paths: [String] = ["rules"]

    @Flag(help: "Exit 1 on warnings, too.")
    var strict = false

    @Flag(help: "Print one JSON object per finding.")
    var json = false

    @Flag(help: "Leave out advice.")
    var quiet = false

    @Flag(help: "Print the list of checks, as docs/rule-lint.md shows it, and read no rules.")
    var markdown = false

    func run() throws {
        if markdown { return Output.write(LintCheck.markdown, to: .standardOutput) }
        let (folder, formats) = RuleFolder.read(paths)
        for problem in formats.problems { Output.note("refused: \(problem)") }
        let findings = RuleLinter.lint(folder).filter { !quiet || $0.severity < .advice }
        for finding in findings { Output.line(json ? FindingJSON.text(value(finding)) : finding.description) }
        let counts = LintFinding.Severity.allCases.map { severity in findings.count { $0.severity == severity } }
        let sum =
            "\(folder.rules.count) files: \(counts[0]) errors, \(counts[1]) warnings" + (quiet ? "" : ", \(counts[2]) advice")
        guard counts[0] == 0, !strict || counts[1] == 0 else { throw CommandFailure(.failed, sum) }
        Output.note(sum)
    }

    private func value(_ finding: LintFinding) -> JSONValue {
        [
            "file": .string(finding.file), "line": .integer(Int64(finding.line)), "column": .integer(Int64(finding.column)),
            "severity": .string(finding.severity.rawValue), "check": .string(finding.check.rawValue),
            "rule": .string(finding.rule), "reason": .string(finding.reason), "advice": .string(finding.check.advice),
        ]
    }
}

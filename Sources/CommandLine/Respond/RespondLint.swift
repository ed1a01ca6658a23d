import ArgumentParser
import Events
import Foundation
import Journal
import Response
import Server

struct RespondLint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Say what is wrong with playbooks, and where; exit 1 when there are errors.",
        discussion: """
            Files are CACAO 2.0 in JSON, or the same in YAML. What a playbook calls is looked for among the files given and in
            the folders of --playbooks. --probe asks for what the playbooks name: programs, files, hosts and addresses. It
            connects, and asks HTTP servers for headers only; it carries nothing out.
            """)

    @OptionGroup var options: PlaybookOptions

    @Flag(help: "Look whether the paths, programs and addresses that are named exist.")
    var probe = false

    @Flag(help: "Exit 1 on warnings, too.")
    var strict = false

    @Flag(help: "Print one JSON object per problem.")
    var json = false

    @Argument(help: "Playbooks.")
    var files: [String]

    func run() async throws {
        let now = Timestamp.system
        var read: [PlaybookFile] = []
        for path in files { read.append(try PlaybookFile.read(path)) }
        let others = try PlaybookFolder(own: options.folders, now: now).library.all
        let library = PlaybookLibrary(others + read.compactMap(\.playbook))
        var errors = 0
        var warnings = 0
        for file in read {
            var problems = file.problems
            if let playbook = file.playbook {
                problems += PlaybookLinter.lint(playbook, now: now, library: library)
                if probe { problems += await PlaybookProbe().probe(playbook) }
            }
            for problem in problems {
                if problem.severity == .error { errors += 1 } else { warnings += 1 }
                Output.line(
                    json
                        ? FindingJSON.text(value(problem, file.path))
                        : "\(file.path): \(IncidentText.printable(problem.description))")
            }
        }
        let sum = "\(read.count) playbooks: \(errors) errors, \(warnings) warnings" + (probe ? ", probed \(now.rfc3339)" : "")
        guard errors == 0, !strict || warnings == 0 else { throw CommandFailure(.failed, sum) }
        Output.note(sum)
    }

    private func value(_ problem: PlaybookProblem, _ file: String) -> JSONValue {
        [
            "file": .string(file), "severity": .string(problem.severity.rawValue), "check": .string(problem.check.rawValue),
            "path": .string(problem.path), "reason": .string(problem.reason),
        ]
    }
}

import ArgumentParser
import Events
import Foundation
import Journal
import Response
import Server

struct RespondRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a playbook for an incident, or show what that would do.",
        discussion: """
            A running server carries it out, with its own playbooks; the run's id is printed.

              vigie respond run brute-force-and-enumeration --incident SEC-2026-0001
              vigie respond run brute-force-and-enumeration --dry-run --set __address__=203.0.113.9
            """)

    @OptionGroup var options: PlaybookOptions

    @OptionGroup var server: RunOrderOptions

    @Option(help: "The incident: SEC-2026-0001.")
    var incident: String?

    @Argument(help: "The playbook: its file, the file's name without extension, its name, or its identifier.")
    var playbook: String

    @Flag(help: "Only print what would be done, step by step: conditions are decided by the variables as they are given.")
    var dryRun = false

    @Option(help: "A variable's value: __NAME__=VALUE; may be given several times.")
    var set: [String] = []

    @Flag(help: "Print one JSON object per line.")
    var json = false

    func run() async throws {
        guard dryRun else {
            guard let incident else { throw CommandFailure(.usage, "name the incident with --incident, or give --dry-run") }
            var arguments = try VariableArgument.parse(set)
            arguments["playbook"] = playbook
            return try await server.carryOut("start", incident: incident, arguments)
        }
        let folder = try options.read()
        guard let file = try folder.find(playbook) ?? readable() else {
            throw CommandFailure(.usage, "there is no playbook '\(playbook)'; `vigie respond list` shows those there are")
        }
        guard let playbook = file.playbook else {
            throw CommandFailure(.failed, "\(file.path) is refused; `vigie respond lint \(file.path)` says why")
        }
        let library = PlaybookLibrary(folder.library.all + [playbook])
        let values = try variables(of: playbook)
        let problems = PlaybookLinter.lint(playbook, now: .system, library: library).filter { $0.severity == .error }
        guard problems.isEmpty else { throw CommandFailure(.failed, PlaybookRefusal(problems: problems).description) }
        let trace: (lines: [DryRun.Line], outcome: RunOutcome?)
        do {
            trace = try DryRun.trace(playbook, engine: RunEngine(library: library), variables: values, now: .system)
        } catch let failure as StepFailure {
            throw CommandFailure(.failed, "\(failure.step): \(failure.detail)")
        }
        for line in trace.lines {
            if json {
                Output.line(
                    FindingJSON.text([
                        "step": .string(line.step.text), "title": .string(line.title), "depth": .integer(Int64(line.depth)),
                        "text": .string(line.text),
                    ]))
            } else {
                let indent = String(repeating: "  ", count: line.depth)
                Output.line(IncidentText.printable(indent + (line.title.isEmpty ? "" : "\(line.title): ") + line.text))
            }
        }
        let outcome = trace.outcome?.rawValue.replacing("_", with: " ") ?? "not ended"
        guard trace.outcome == .succeeded else { throw CommandFailure(.failed, "it would end: \(outcome)") }
        Output.note("It would end: \(outcome). Nothing was done.")
    }

    private func readable() throws -> PlaybookFile? {
        FileManager.default.fileExists(atPath: playbook) ? try PlaybookFile.read(playbook) : nil
    }

    /// What was given, and a name in angle brackets for what was not.
    private func variables(of playbook: Playbook) throws -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        for (name, variable) in playbook.variables where variable.isExternal && variable.value == .null {
            values[name] = .string("<\(name.trimmingCharacters(in: CharacterSet(charactersIn: "_")))>")
        }
        for (name, value) in try VariableArgument.parse(set) {
            guard playbook.variables[name]?.isExternal == true else {
                let known = playbook.variables.filter(\.value.isExternal).keys.sorted()
                throw CommandFailure(
                    .usage, "\(IncidentText.printable(playbook.name)) takes no \(name); it takes \(known.joined(separator: ", "))"
                )
            }
            values[name] = .string(value)
        }
        return values
    }
}

/// `__NAME__=VALUE`.
enum VariableArgument {
    static func parse(_ arguments: [String]) throws -> [String: String] {
        var values: [String: String] = [:]
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, VariableName.objection(to: String(parts[0])) == nil else {
                throw CommandFailure(.usage, "'\(argument)' is not __NAME__=VALUE")
            }
            values[String(parts[0])] = String(parts[1])
        }
        return values
    }
}

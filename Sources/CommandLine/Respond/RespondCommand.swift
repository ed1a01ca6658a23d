import ArgumentParser
import Events
import Foundation
import Journal
import Response
import Server

struct RespondCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "respond", abstract: "Check, list and run playbooks; approve, complete and undo what they do.",
        subcommands: [
            RespondLint.self, RespondList.self, RespondRun.self, RespondShow.self, RespondApprove.self, RespondDone.self,
            RespondUndo.self, RespondCancel.self, RespondTrust.self,
        ])
}

/// Which playbooks a command looks at.
struct PlaybookOptions: ParsableArguments {
    @Option(help: "A folder of playbooks; may be given several times. Default: playbooks.")
    var playbooks: [String] = []

    var folders: [String] { playbooks.isEmpty ? ["playbooks"] : playbooks }

    func read() throws -> PlaybookFolder { try PlaybookFolder(own: folders, now: .system) }
}

struct RespondList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List playbooks, and what is wrong with them.")

    @OptionGroup var options: PlaybookOptions

    @Flag(help: "Print one JSON object per playbook.")
    var json = false

    func run() throws {
        let folder = try options.read()
        for file in folder.files {
            guard let playbook = file.playbook else {
                Output.note("refused: \(file.path): \(file.problems.first?.description ?? "it cannot be read")")
                continue
            }
            let external = playbook.variables.filter(\.value.isExternal).keys.sorted()
            if json {
                Output.line(
                    FindingJSON.text([
                        "file": .string(file.path), "id": .string(playbook.id.text), "name": .string(playbook.name),
                        "version": .string(playbook.version), "hash": .string(playbook.contentHash),
                        "impact": playbook.impact.map { .integer($0) } ?? .null,
                        "labels": .array(playbook.labels.map { .string($0) }),
                        "variables": .array(external.map { .string($0) }), "refused": .bool(file.hasErrors),
                    ]))
            } else {
                Output.line(
                    "\(URL(fileURLWithPath: file.path).lastPathComponent)  \(IncidentText.printable(playbook.name))  impact "
                        + "\(playbook.impact ?? 0)  \(external.joined(separator: " "))\(file.hasErrors ? "  REFUSED" : "")  "
                        + playbook.contentHash)
            }
        }
        guard !folder.files.isEmpty else {
            throw CommandFailure(.usage, "there are no playbooks in \(options.folders.joined(separator: ", "))")
        }
    }
}

import ArgumentParser
import Events
import Incidents
import Journal
import Server

struct CheckPolicies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policies",
        abstract: "Say whether the policy files are right, and whether a server has them in force; exit 1 when not.",
        discussion: """
            A server puts changed files in force by itself, a second or two after they were left alone, or at once on SIGHUP. Where a
            file is wrong, it keeps those from before.

              vigie check policies --policies /etc/vigie/policies --data /var/lib/vigie
            """)

    @OptionGroup var policies: PolicyOptions

    @Option(help: "The data folder of the server. Default: what --config says, else data.")
    var data: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let options = try await ServerOptions.resolved(config: policies.config, data: data, rules: [], logs: [])
        let folder = policies.policies ?? options.policies
        let check = try PolicyCheck(folder: folder, data: DataFolder(path: options.dataFolder))
        let shown = IncidentText.printable(folder ?? PolicyFolder.standard)
        if json {
            var object: [String: JSONValue] = ["policies": .string(shown), "ok": .bool(check.isFine)]
            object["problem"] = check.problem.map { .string($0.description) }
            object["hash"] = check.policies?.hash.map { .string($0) }
            object["in_force"] = check.journalled.map { journalled in
                [
                    "hash": journalled.hash.map { .string($0) } ?? .null, "since": .string(journalled.at),
                    "refused_since": .bool(journalled.isRefused),
                ]
            }
            Output.line(FindingJSON.text(.object(object)))
        } else if check.problem == nil {
            Output.line("files     \(shown): right\(check.policies?.hash == nil ? ", but none is there: nobody is paged" : "")")
            if let journalled = check.journalled {
                Output.line(
                    "in force  \(check.isFine ? "these" : "others"), since \(journalled.at)"
                        + (journalled.isRefused ? "; a change since then was refused" : ""))
            }
        }
        if let problem = check.problem {
            throw CommandFailure(
                .failed, "\(IncidentText.printable(problem.description)); a running server keeps the policies from before")
        }
        guard check.isFine else {
            throw CommandFailure(
                .failed, "the files are not what was in force last; wait a second, send SIGHUP, or start the server")
        }
    }
}

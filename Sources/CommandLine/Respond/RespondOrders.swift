import ArgumentParser
import Events
import Foundation
import Incidents
import Server

/// Where orders about runs go: a running server carries them out.
struct RunOrderOptions: ParsableArguments {
    @Option(help: "The data folder.")
    var data = "data"

    @OptionGroup var policies: PolicyOptions

    func carryOut(_ verb: String, incident: String = "", _ arguments: [String: String] = [:], text: String? = nil) async throws {
        let folder = DataFolder(path: data)
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw CommandFailure(.unreachable, "there is no journal in \(data); name the data folder of a server with --data")
        }
        let request = OrderSpool.Request(
            verb: "run." + verb, incident: incident.uppercased(), arguments: arguments,
            author: Author(id: "uid:\(getuid())", name: NSUserName()), at: nil, text: text)
        switch try await IncidentOffice.carryOut(request, in: folder, policies: try policies.load()) {
        case .refused(let refusal): throw CommandFailure(.failed, refusal.description)
        case .done(let id): Output.line(id)
        case nil:
            throw CommandFailure(
                .unreachable,
                "another process holds \(data) and does not answer; see whether the server is well, and give the order again")
        }
    }
}

struct RespondApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Agree to a step that asks for it, or refuse it.",
        discussion: "Where two people have to agree, each is another: one here, the other in the console.")

    @Argument(help: "The run: SEC-2026-0001-R1.")
    var run: String

    @Argument(help: "The step's number in the run.")
    var step: Int

    @Option(help: "Refuse it instead, with the reason.")
    var refuse: String?

    @OptionGroup var options: RunOrderOptions

    func run() async throws {
        try await options.carryOut(
            refuse == nil ? "approve" : "refuse", ["run": run.uppercased(), "step": "\(step)"], text: refuse)
    }
}

struct RespondDone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "done", abstract: "Say how a manual step ended, or one whose outcome nobody knows.")

    @Argument(help: "The run: SEC-2026-0001-R1.")
    var run: String

    @Argument(help: "The step's number in the run.")
    var step: Int

    @Flag(help: "It could not be done.")
    var failed = false

    @Option(help: "What was done, or found.")
    var note: String?

    @Option(help: "A variable's value: __NAME__=VALUE; may be given several times.")
    var set: [String] = []

    @OptionGroup var options: RunOrderOptions

    func run() async throws {
        var arguments = try VariableArgument.parse(set)
        arguments["run"] = run.uppercased()
        arguments["step"] = "\(step)"
        arguments["ending"] = failed ? "failed" : "succeeded"
        try await options.carryOut("done", arguments, text: note)
    }
}

struct RespondUndo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Take back what a run's containment steps did, the last first.")

    @Argument(help: "The run: SEC-2026-0001-R1.")
    var run: String

    @OptionGroup var options: RunOrderOptions

    func run() async throws { try await options.carryOut("undo", ["run": run.uppercased()]) }
}

struct RespondCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a run where it stands; what it did stays done.")

    @Argument(help: "The run: SEC-2026-0001-R1.")
    var run: String

    @Option(help: "Why.")
    var reason: String

    @OptionGroup var options: RunOrderOptions

    func run() async throws { try await options.carryOut("cancel", ["run": run.uppercased()], text: reason) }
}

struct RespondTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Let a playbook from outside run commands: this content, by its hash, and no other.")

    @Argument(help: "The hash, as `vigie respond list` shows it.")
    var hash: String

    @Flag(help: "Trust it no longer.")
    var revoke = false

    @OptionGroup var options: RunOrderOptions

    func run() async throws { try await options.carryOut(revoke ? "distrust" : "trust", ["hash": hash]) }
}

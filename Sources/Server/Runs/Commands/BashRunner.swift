import Journal
import Programs
import Response

/// Commands of this machine's bash: an empty environment but for the step's key, a deadline, an output cap, and nothing left behind.
struct BashRunner: Sendable {
    func carryOut(_ request: CommandRequest, _ context: CommandContext, seconds: Double) async -> CommandEnding {
        let isElsewhere = request.agent.addresses.values.joined().contains { !["127.0.0.1", "::1", "localhost"].contains($0) }
        guard !isElsewhere else {
            return .finished(CommandResult(.failed, detail: "bash commands run on this machine; for another one use ssh"))
        }
        // env changes the folder; bash reads no file of anybody's.
        var environment = ["VIGIE_KEY": request.key]
        environment["VIGIE_INCIDENT"] = context.incident
        let shell = Subprocess(
            "/usr/bin/env", ["-C", "/", "/bin/bash", "--noprofile", "--norc", "-c", request.text], environment: environment)
        return await SubprocessEnding.run(shell, request, seconds: seconds)
    }
}

/// What a program's end means for a command.
enum SubprocessEnding {
    static func run(
        _ program: Subprocess, _ request: CommandRequest, secrets: [String] = [], seconds: Double
    ) async -> CommandEnding {
        let outcome: Subprocess.Outcome
        do {
            outcome = try await program.run(seconds: seconds)
        } catch {
            return .finished(CommandResult(.failed, detail: error.description))
        }
        let said = CommandOutput.detail(
            [outcome.text, outcome.errorText].filter { !$0.isEmpty }.joined(separator: "\n"), secrets: secrets)
        let with = said.isEmpty ? "" : ": \(said)"
        switch outcome.ending {
        case .exited(0):
            let values = outcome.isCut ? [:] : CommandOutput.values(outcome.text, request.results)
            return .finished(CommandResult(.succeeded, outputs: values, detail: said))
        case .exited(let code): return .finished(CommandResult(.failed, detail: "exit code \(code)\(with)"))
        case .killed(let signal): return .finished(CommandResult(.failed, detail: "killed by signal \(signal)\(with)"))
        case .flooded:
            return .finished(CommandResult(.failed, detail: "killed: it wrote more than \(program.floodLimit >> 20) MiB"))
        case .timedOut: return .finished(CommandResult(.timedOut, detail: "killed at its deadline\(with)"))
        case .cancelled: return .finished(CommandResult(.failed, detail: "broken off\(with)"))
        }
    }
}

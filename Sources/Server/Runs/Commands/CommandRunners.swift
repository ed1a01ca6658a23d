import Events
import Journal
import Response

/// What a command's runner is told beside the command.
struct CommandContext: Sendable {
    var run: String
    var incident: String?
    var startedBy: String
    var approvedBy: [String]
}

/// How carrying out a command ended.
enum CommandEnding: Sendable {
    case finished(CommandResult)
    /// Nothing here can do it: a person is asked.
    case handedOver(String)
    /// It may have been carried out, and cannot be asked again: a person finds out.
    case unknown
}

/// Carries commands out, each kind by its own runner. Always comes back: no later than a little after the deadline.
struct CommandRunners: Sendable {
    var bash = BashRunner()
    var ssh: SSHRunner
    var http = HTTPRunner()
    var sigma: SigmaRunner
    var inProcess: [any InProcessTarget] = []

    func carryOut(_ request: CommandRequest, _ context: CommandContext, now: @Sendable () -> Timestamp) async -> CommandEnding {
        let seconds = Double(request.deadline.nanoseconds(since: now())) / 1e9
        guard seconds > 0 else { return .finished(CommandResult(.timedOut, detail: "there was no time left")) }
        switch request.kind {
        case .bash: return await bash.carryOut(request, context, seconds: seconds)
        case .ssh: return await ssh.carryOut(request, seconds: seconds)
        case .sigma: return await sigma.carryOut(request, seconds: seconds)
        case .openC2: return await http.carryOut(request, seconds: seconds)
        case .httpAPI:
            guard InProcessTargets.isVigie(request.agent) else { return await http.carryOut(request, seconds: seconds) }
            return await asked(request, context)
        case .manual, .calderaCommand, .elastic, .jupyter, .kestrel, .powershell, .yara:
            return .handedOver("\(request.kind.rawValue) commands are not carried out here")
        }
    }

    /// Of Vigie itself: under the step's key, in this process.
    private func asked(_ request: CommandRequest, _ context: CommandContext) async -> CommandEnding {
        guard let line = RequestLine(request.text) else {
            return .finished(CommandResult(.failed, detail: "the request has no path"))
        }
        let path = String(line.path.prefix { $0 != "?" })
        guard let target = inProcess.first(where: { $0.paths.contains(path) }) else {
            return .handedOver("nothing in this Vigie answers \(path): do by hand what the step says")
        }
        var body = JSONValue.null
        if let content = request.content {
            guard let parsed = try? JSONValue(parsing: content) else {
                return .finished(CommandResult(.failed, detail: "the request's body is no JSON"))
            }
            body = parsed
        }
        let answer = await target.carryOut(
            InProcessRequest(
                method: line.method, path: path, body: body, key: request.key, run: context.run, incident: context.incident,
                title: request.title, startedBy: context.startedBy, approvedBy: context.approvedBy, deadline: request.deadline))
        switch answer {
        case .done(let detail, let json):
            return .finished(CommandResult(.succeeded, outputs: CommandOutput.values(json, request.results), detail: detail))
        case .failed(let reason): return .finished(CommandResult(.failed, detail: reason))
        case .handedOver(let reason): return .handedOver(reason)
        }
    }
}

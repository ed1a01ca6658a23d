import Foundation
import Programs
package import Response

/// Asks for what a playbook names: programs and files of bash commands, hosts of ssh, addresses of HTTP. Carries nothing out.
package struct PlaybookProbe: Sendable {
    /// For each connection.
    private static let seconds = 5.0
    /// Where bash looks without an environment, and where administration has its programs.
    private static let programFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    package init() {}

    package func probe(_ playbook: Playbook) async -> [PlaybookProblem] {
        var problems: [PlaybookProblem] = []
        for step in playbook.orderedSteps {
            guard case .action(let action) = step.kind else { continue }
            for (index, command) in action.commands.enumerated() {
                let path = "/workflow/\(step.id)/commands/\(index)"
                let report = { (reason: String) in problems.append(PlaybookProblem(.error, .missingTarget, at: path, reason)) }
                switch command.kind {
                case .bash:
                    for reason in Self.missing(in: command.text) { report(reason) }
                case .httpAPI, .openC2:
                    guard let agent = playbook.agents[action.agent] else { continue }
                    if InProcessTargets.isVigie(agent) {
                        let requested = RequestLine(command.text)
                        if let requested, !InProcessTargets.paths.contains(requested.path) {
                            report("Vigie has no \(requested.path)")
                        }
                        continue
                    }
                    for reason in await Self.unreachable(agent, command) { report(reason) }
                case .ssh:
                    for id in action.targets.isEmpty ? [action.agent] : action.targets {
                        guard let party = playbook.agents[id] ?? playbook.targets[id] else { continue }
                        for host in party.addresses.flatMap(\.value) where VariableUse.all(in: host).isEmpty {
                            let port = party.port.flatMap { UInt16($0) } ?? 22
                            if let reason = await Self.closed(host, port) { report(reason) }
                        }
                    }
                default: continue
                }
            }
        }
        return problems
    }

    /// The program of each simple command, and absolute paths; what a variable or the shell itself decides is left out.
    static func missing(in text: String) -> [String] {
        var reasons: [String] = []
        let words = text.split { " \t\n;|&()<>\"'=".contains($0) }.map(String.init)
        for word in words where word.hasPrefix("/") && word.count > 1 && !word.contains(where: { "*?[$`{\\".contains($0) }) {
            guard !FileManager.default.fileExists(atPath: word) else { continue }
            reasons.append("\(word) is not there")
        }
        if let first = words.first, !first.contains("/"), first.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) }),
            !builtins.contains(first),
            !programFolders.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(first)") })
        {
            reasons.append("there is no program \(first)")
        }
        return reasons
    }

    /// Words of bash itself, with which a command may begin.
    private static let builtins: Set<String> = [
        "cd", "echo", "exit", "export", "for", "if", "printf", "read", "return", "set", "test", "trap", "true", "false", "umask",
        "until", "wait", "while", "case", "declare", "local", "source", "exec", "command", "type", "ulimit", "kill", "shopt",
    ]

    private static func unreachable(_ agent: AgentTarget, _ command: Command) async -> [String] {
        var reasons: [String] = []
        for address in agent.addresses["url"] ?? [] {
            guard VariableUse.all(in: address).isEmpty, let line = RequestLine(command.text),
                VariableUse.all(in: line.path).isEmpty
            else { continue }
            let url = RequestLine.join(address, line.path)
            do {
                let answer = try await HTTPExchange("HEAD", url).send(seconds: seconds)
                // A server that does not know HEAD has the path all the same.
                if answer.status == 404 || answer.status == 410 { reasons.append("\(url) answers \(answer.status)") }
            } catch {
                reasons.append("\(url): \(error.description)")
            }
        }
        return reasons
    }

    /// Why nothing answers at a port; `nil` where something does.
    private static func closed(_ host: String, _ port: UInt16) async -> String? {
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return "'\(host)' is no host" }
        let shell = Subprocess(
            "/bin/bash", ["--noprofile", "--norc", "-c", "exec 3<>\"/dev/tcp/$HOST/$PORT\""],
            environment: ["HOST": host, "PORT": "\(port)"])
        guard let outcome = try? await shell.run(seconds: seconds), outcome.ending == .exited(0) else {
            return "nothing answers at \(host), port \(port)"
        }
        return nil
    }
}

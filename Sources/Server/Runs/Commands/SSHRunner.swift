import Foundation
import Journal
import Programs
import Response

/// Commands of another machine, by the program ssh. Hosts have to be known, keys stand in files; nothing is asked, nothing forwarded.
struct SSHRunner: Sendable {
    /// Holds a private key for each name that playbooks call it by, and `known_hosts`.
    var keyFolder: String
    var program = "/usr/bin/ssh"

    func carryOut(_ request: CommandRequest, seconds: Double) async -> CommandEnding {
        let party = request.target ?? request.agent
        guard let host = ["dname", "ipv4", "ipv6", "url"].lazy.compactMap({ party.addresses[$0]?.first }).first, isHost(host)
        else {
            return .finished(CommandResult(.failed, detail: "\(party.name) has no address that ssh could take"))
        }
        let port = party.port ?? "22"
        guard UInt16(port) != nil else { return .finished(CommandResult(.failed, detail: "'\(port)' is no port")) }
        var arguments = [
            // No file of the user's: what is not here is ssh's own default.
            "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o",
            "UserKnownHostsFile=\(keyFolder)/known_hosts", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "ForwardAgent=no", "-o",
            "ClearAllForwardings=yes", "-o", "PasswordAuthentication=no", "-o", "IdentityAgent=none", "-o",
            "ConnectTimeout=\(max(1, Int(min(seconds, 15))))", "-T", "-p", port,
        ]
        let members = request.authentication?.members ?? [:]
        if let name = members["username"]?.stringValue {
            guard isHost(name) else { return .finished(CommandResult(.failed, detail: "'\(name)' is no account's name")) }
            arguments += ["-l", name]
        }
        guard members["password"] == nil, members["private_key"] == nil else {
            return .finished(
                CommandResult(
                    .failed, detail: "secrets do not stand in playbooks: name a key (kms_key_identifier) of \(keyFolder)"))
        }
        if let key = request.authentication?.keyName {
            guard isHost(key), FileManager.default.isReadableFile(atPath: "\(keyFolder)/\(key)") else {
                return .finished(CommandResult(.failed, detail: "there is no key '\(key)' in \(keyFolder)"))
            }
            arguments += ["-i", "\(keyFolder)/\(key)", "-o", "IdentitiesOnly=yes"]
        }
        let ssh = Subprocess(program, arguments + ["--", host, request.text])
        let ending = await SubprocessEnding.run(ssh, request, seconds: seconds)
        // Killed here, it may go on there; and of a connection that broke nobody knows how far it was.
        if case .finished(let result) = ending, !request.isRepeatable, SSHRunner.isOpen(result) { return .unknown }
        return ending
    }

    /// Whether the command may have begun, or go on, although ssh has ended. ssh(1) ends with 255 for whatever goes wrong with the
    /// connection; before there is one, it says so in these words.
    private static func isOpen(_ result: CommandResult) -> Bool {
        if result.ending == .timedOut || result.detail.hasPrefix("broken off") || result.detail.hasPrefix("killed") {
            return true
        }
        let before = [
            "Host key verification failed", "Permission denied (", "Connection refused", "Could not resolve hostname",
            "No route to host", "Network is unreachable", "Connection timed out", "no matching ",
        ]
        return result.detail.hasPrefix("exit code 255") && !before.contains { result.detail.contains($0) }
    }

    /// Nothing that ssh, a shell or a path could take for something else.
    private func isHost(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "."), text.utf8.count <= 255 else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || ".:-_".utf8.contains(byte)
        }
    }
}

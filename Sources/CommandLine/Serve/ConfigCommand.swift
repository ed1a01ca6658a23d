import Archive
import ArgumentParser
import Foundation
import Identity
import Incidents
import Ingest
import Server

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check a configuration file.", subcommands: [ConfigCheck.self])
}

struct ConfigCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say what is wrong with a configuration file, or what it amounts to.")

    @Argument(help: "The configuration file.")
    var file: String

    func run() throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure(.usage, "\(file) cannot be read; check its path and permissions")
        }
        var options = ServerOptions()
        options.apply(try Configuration(parsing: text, file: file))
        do {
            try SourceFormats.check(options.sources, SourceFormats.load(options.rules))
            for overlap in try SourceOverlap.check(options.sources) { Output.note("warning: \(overlap)") }
        } catch {
            throw CommandFailure(.usage, "\(file): \(error)")
        }
        Output.line("listen   \(options.host):\(options.port)")
        Output.line("data     \(options.dataFolder)")
        Output.line("rules    \(options.rules.joined(separator: ", "))")
        let policies: Policies
        do {
            policies = try PolicyFolder.load(options.policies)
        } catch {
            throw CommandFailure(.usage, "\(file): \(error)")
        }
        Output.line(
            "policies \(options.policies ?? PolicyFolder.standard)"
                + (policies.hash == nil ? " (none there: nobody is paged)" : ""))
        for source in options.sources { Output.line("source   \(source.path) (\(source.format.rawValue))") }
        for http in options.receivers.http {
            Output.line(
                "receiver http\(http.tls == nil ? "" : "s")://\(http.listen.text)\(http.tokens.isEmpty ? "" : " with a token")")
        }
        for syslog in options.receivers.syslog {
            Output.line("receiver syslog over \(syslog.transport.rawValue) on \(syslog.listen.text)")
        }
        let archive = options.archive
        Output.line(
            "archive  "
                + (archive.isEnabled
                    ? "\(archive.policy.keepDays) days, security events \(archive.policy.securityDays) days" : "nothing is kept"))
        if !options.trustedProxies.isEmpty {
            Output.line("proxies  \(options.trustedProxies.map { "\($0)" }.joined(separator: ", "))")
        }
        Output.line(
            "console  \((["localhost"] + options.hosts.sorted()).joined(separator: ", "))"
                + (options.isBehindTLS ? ", behind TLS" : "") + (options.isBehindProxy ? ", behind a proxy" : ""))
        if let provider = options.provider?.openID {
            Output.line("openid   \(provider.issuer), client \(provider.clientID); `vigie check provider` asks it")
        }
        Output.line("evidence \((options.systemLogs + options.uploadFolders).joined(separator: ", "))")
    }
}

import ArgumentParser
import Foundation
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
        } catch {
            throw CommandFailure(.usage, "\(file): \(error)")
        }
        Output.line("listen   \(options.host):\(options.port)")
        Output.line("data     \(options.dataFolder)")
        Output.line("rules    \(options.rules.joined(separator: ", "))")
        for source in options.sources { Output.line("source   \(source.path) (\(source.format.rawValue))") }
        for http in options.receivers.http {
            Output.line(
                "receiver http\(http.tls == nil ? "" : "s")://\(http.listen.text)\(http.tokens.isEmpty ? "" : " with a token")")
        }
        for syslog in options.receivers.syslog {
            Output.line("receiver syslog over \(syslog.transport.rawValue) on \(syslog.listen.text)")
        }
    }
}

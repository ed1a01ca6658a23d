import ArgumentParser
import Foundation
import Ingest
import Logging
import Server
import Synchronization

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run everything: sources, detection, incidents, console, on one data folder.",
        discussion: """
            Nothing listens beyond this machine unless --listen or the configuration's receivers say so, and nothing is sent
            anywhere unless the policies name channels for pages.
            Without log files, the logs found readable on this machine are watched.

              vigie serve --data /var/lib/vigie /var/log/nginx/access.log /var/log/auth.log
            """
    )

    @Option(help: "A configuration file; what is given on the command line wins over it.")
    var config: String?

    @Option(help: "The data folder; made where it is not there. Default: data.")
    var data: String?

    @Option(help: "A folder of rules; may be given several times. Default: rules.")
    var rules: [String] = []

    @Option(help: "The folder of policies: severities, roles, clocks, escalation. Default: policies.")
    var policies: String?

    @Option(help: "A folder of playbooks; may be given several times. Default: playbooks.")
    var playbooks: [String] = []

    @Option(help: "Where the console listens: ADDRESS:PORT. Default: 127.0.0.1:8630.")
    var listen: String?

    @Flag(help: "Log more.")
    var verbose = false

    @Argument(help: "Log files to follow. FORMAT:PATH names the format: combined:/srv/log/access.log.")
    var logs: [String] = []

    func run() async throws {
        SteadyMemory.adopt()
        let options = try await resolve()
        var logger = Logger(label: "vigie") { _ in StandardErrorLog() }
        logger.logLevel = verbose ? .debug : .notice
        let token = Mutex<String?>(nil)
        try await VigieServer.serve(
            options, logger: logger,
            announcing: .init(
                started: { server in
                    token.withLock { $0 = server.setupToken }
                    announce(server)
                },
                receiving: { name, port in Output.note("Receiving \(name) on port \(port)") },
                listening: { port in
                    let address = "http://\(options.host.contains(":") ? "[\(options.host)]" : options.host):\(port)"
                    Output.note("")
                    if let token = token.withLock(\.self) {
                        Output.note("Console   \(address)/setup")
                        Output.note("          Make the first account there with this one-time token: \(token)")
                    } else {
                        Output.note("Console   \(address)/")
                    }
                    Output.note("Stop with Ctrl-C.")
                },
                waiting: { error in
                    Output.note("error: \(error)")
                    Output.note(
                        "The disk of \(options.dataFolder) is full: nothing runs until there is room. Make room; what was acknowledged is safe, and Vigie goes on by itself."
                    )
                }))
    }

    /// Command line over configuration file over defaults.
    func resolve() async throws -> ServerOptions {
        var options = try await ServerOptions.resolved(config: config, data: data, rules: rules, logs: logs)
        if let policies { options.policies = policies }
        if !playbooks.isEmpty { options.playbooks = playbooks }
        if let listen {
            guard let address = ListenAddress(listen) else {
                throw CommandFailure(.usage, "--listen '\(listen)' is not an address like 127.0.0.1:8630")
            }
            options.host = address.host
            options.port = address.port
        }
        return options
    }

    /// Why a log cannot be read now, and what to do; empty when it can.
    private func readability(of path: String) -> String {
        if PathPattern.isPattern(path) {
            let count = PathPattern.matches(path).count
            return count == 0 ? "  — matches nothing: check it; Vigie keeps looking" : "  — \(count) files now"
        }
        if FileManager.default.isReadableFile(atPath: path) { return "" }
        if FileManager.default.fileExists(atPath: path) {
            return "  — may not be read: let Vigie's user read it (group `adm`, or `setfacl -m u:USER:r`); Vigie keeps trying"
        }
        return "  — is not there: check the path; Vigie waits for it"
    }

    private func announce(_ server: VigieServer) {
        for problem in server.ruleProblems { Output.note("refused   \(problem)") }
        Output.note("Data      \(server.options.dataFolder) (\(server.journalCount) journal entries)")
        Output.note(
            "Rules     \(server.ruleCount) loaded" + (server.ruleProblems.isEmpty ? "" : ", \(server.ruleProblems.count) refused")
        )
        Output.note(
            server.policyHash == nil
                ? "Policies  none: there are no clocks, and nobody is paged; name their folder with --policies"
                : "Policies  \(server.options.policies ?? PolicyFolder.standard)")
        for source in server.options.sources {
            // What is received says so itself, once it is.
            if source.path.contains("/detection/receivers/") { continue }
            // The spool is made when the server runs.
            let isJournald = source.path.hasSuffix("/detection/journald.jsonl")
            let note = isJournald ? "" : readability(of: source.path)
            Output.note("Watching  \(isJournald ? "journald, sign-ins only" : source.path) (\(source.format.rawValue))\(note)")
        }
        if server.options.sources.isEmpty {
            Output.note(
                "Watching  nothing: no readable log of nginx, Apache or sshd, and no journald, was found on this machine.")
        }
        if logs.isEmpty {
            Output.note("          Add logs by naming them: script/run LOG… or vigie serve LOG…, or in a file for --config.")
        }
    }
}

/// `PATH` or `FORMAT:PATH`.
enum SourceArgument {
    static func parse(_ text: String) throws -> SourceOption {
        let parts = text.split(separator: ":", maxSplits: 1)
        if parts.count == 2, !text.hasPrefix("/"), !text.hasPrefix("."), !FileManager.default.fileExists(atPath: text) {
            return SourceOption(path: absolute(String(parts[1])), format: try LogFormatArgument.parse(String(parts[0])))
        }
        return SourceOption(path: absolute(text))
    }

    /// Positions are kept by path: the same file must have the same name whatever folder the server was started from.
    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: path).standardizedFileURL.path
    }
}

/// The logs that web platforms usually have on a Linux machine.
enum HostLogs {
    private static let usual: [(path: String, format: LogFormat)] = [
        ("/var/log/nginx/access.log", .auto), ("/var/log/apache2/access.log", .auto),
        ("/var/log/apache2/other_vhosts_access.log", .auto),
        ("/var/log/httpd/access_log", .auto), ("/var/log/caddy/access.log", .auto), ("/var/log/auth.log", .auto),
        ("/var/log/secure", .auto),
    ]

    static var hasAuthenticationLog: Bool {
        ["/var/log/auth.log", "/var/log/secure"].contains { FileManager.default.isReadableFile(atPath: $0) }
    }

    static func readable() -> [SourceOption] {
        let found = usual.filter { FileManager.default.isReadableFile(atPath: $0.path) }.map {
            SourceOption(path: $0.path, format: $0.format)
        }
        // Nobody has named them: one that is a link to another is left out.
        let links = Set(SourceOverlap.find(found).map(\.second))
        return found.filter { !links.contains($0.path) }
    }
}

/// Plain lines on standard error: what a terminal, systemd and containers all keep.
private struct StandardErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        Output.note("\(event.level): \(event.message)")
    }
}

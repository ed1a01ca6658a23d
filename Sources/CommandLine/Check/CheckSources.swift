import ArgumentParser
import Events
import Foundation
import Ingest
import Journal
import Server

struct CheckSources: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sources",
        abstract:
            "Say what becomes of the newest lines of every log, and why some cannot be read; exit 1 when something is wrong.",
        discussion: """
            Reads the last mebibyte of each log and shows lines that no format could read, each with the nearest format and what it
            missed. Where a server has run on the data folder, it also shows what that has counted, and how far it is behind.
            Exit 1 when a log cannot be read, or more of its lines are unparsed than parsed. Where no log is named, the receivers of
            the configuration are looked at, too: whether their ports are free and the files of TLS can be used.

              vigie check sources --config /etc/vigie/vigie.yml
              vigie check sources nginx_error:/var/log/nginx/error.log '/srv/*/logs/*.log'
            """)

    @Option(help: "A configuration file; what is given on the command line wins over it.")
    var config: String?

    @Option(help: "The data folder of the server. Default: data.")
    var data: String?

    @Option(help: "A folder of rules with the log formats; may be given several times. Default: rules.")
    var rules: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    @Argument(help: "Logs, as for serve. Default: those of the configuration, else those found readable on this machine.")
    var logs: [String] = []

    func run() async throws {
        let options = try await ServerOptions.resolved(config: config, data: data, rules: rules, logs: logs)
        let checks = try SourceCheck.run(options, now: .system)
        // Logs that are named are what is asked about.
        let receivers = logs.isEmpty ? try ReceiverCheck.run(options) : []
        if json {
            Output.line(
                FindingJSON.text([
                    "sources": .array(checks.map(CheckSources.value)), "receivers": .array(receivers.map(CheckSources.value)),
                    "ok": .bool(!checks.contains(where: \.isTroubled) && receivers.allSatisfy { $0.problem == nil }),
                ]))
        } else {
            for check in checks { Output.line(CheckSources.text(check)) }
            for receiver in receivers { Output.line(CheckSources.text(receiver)) }
        }
        guard !checks.isEmpty || !receivers.isEmpty else {
            throw CommandFailure(.usage, "there is no log to check: name one, or a configuration with --config")
        }
        let troubled = checks.filter(\.isTroubled)
        let closed = receivers.filter { $0.problem != nil }
        var parts: [String] = []
        if !troubled.isEmpty {
            parts.append("\(troubled.count) of \(checks.count) sources have problems: \(list(troubled.map(\.path)))")
        }
        if !closed.isEmpty {
            parts.append("\(closed.count) of \(receivers.count) receivers have problems: \(list(closed.map(\.name)))")
        }
        guard parts.isEmpty else { throw CommandFailure(.failed, parts.joined(separator: "; ")) }
    }

    private func list(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? shown + ", …" : shown
    }

    static func text(_ receiver: ReceiverCheck) -> String {
        let verdict =
            switch receiver.port {
            case .free: "the port is free"
            case .listening: "the server listens there"
            case .taken: "the port is taken"
            case .refused: "the port was refused"
            }
        var lines = ["receiver \(IncidentText.printable(receiver.name)): \(verdict)"]
        if let problem = receiver.problem { lines.append("  problem   \(IncidentText.printable(problem))") }
        for warning in receiver.warnings { lines.append("  warning   \(IncidentText.printable(warning))") }
        for spool in receiver.server where spool.counters != SourceCounters() {
            lines.append("  server    \(spool.name): \(counts(spool.counters))")
        }
        return lines.joined(separator: "\n")
    }

    static func text(_ check: SourceCheck) -> String {
        let verdict = check.problem != nil ? "has a problem" : check.isMostlyUnparsed ? "mostly unparsed" : "fine"
        var lines = ["\(IncidentText.printable(check.path)) (\(check.format)): \(verdict)"]
        if let problem = check.problem { lines.append("  problem   \(problem)") }
        let files = check.files == 1 ? "" : " of \(check.filesRead) files of \(check.files)"
        lines.append("  newest    \(counts(check.counters))\(files)")
        if let server = check.server {
            lines.append("  server    \(counts(server.counters)); \(server.lagBytes) bytes behind")
        }
        for warning in check.warnings { lines.append("  warning   \(warning)") }
        for sample in check.samples {
            lines.append("  unparsed  \(IncidentText.printable(sample.line))")
            if let nearest = sample.nearest {
                lines.append("            \(IncidentText.printable(nearest.explanation(of: sample.line)))")
            }
        }
        for line in check.plainSamples { lines.append("  plain     \(IncidentText.printable(line))") }
        return lines.joined(separator: "\n")
    }

    private static func counts(_ counters: SourceCounters) -> String {
        let always = "\(counters.lines) lines: \(counters.parsed) parsed, \(counters.unparsed) unparsed, \(counters.blank) blank"
        let others: [(Int, String)] = [
            (counters.plain, "of the parsed as plain text"), (counters.dropped, "dropped"), (counters.overlong, "over-long"),
            (counters.undated, "undated"),
            (counters.gaps, "gaps"), (counters.damaged, "damaged files"),
        ]
        return others.filter { $0.0 > 0 }.reduce(always) { "\($0), \($1.0) \($1.1)" }
    }

    static func value(_ check: SourceCheck) -> JSONValue {
        var object: [String: JSONValue] = [
            "path": .string(check.path), "format": .string(check.format), "ok": .bool(!check.isTroubled),
            "files": .integer(Int64(check.files)), "files_read": .integer(Int64(check.filesRead)),
            "newest": value(check.counters), "warnings": .array(check.warnings.map { .string($0) }),
            "unparsed": .array(
                check.samples.map { sample in
                    var object: [String: JSONValue] = ["line": .string(sample.line)]
                    if let nearest = sample.nearest {
                        object["nearest"] = [
                            "format": .string(nearest.format), "pattern": .string(nearest.pattern),
                            "position": .integer(Int64(nearest.position)), "expected": .string(nearest.expected),
                        ]
                    }
                    return .object(object)
                }),
            "plain": .array(check.plainSamples.map { .string($0) }),
        ]
        if let problem = check.problem { object["problem"] = .string(problem) }
        if let server = check.server {
            object["server"] = value(server.counters)
            object["lag_bytes"] = .integer(Int64(server.lagBytes))
        }
        return .object(object)
    }

    static func value(_ receiver: ReceiverCheck) -> JSONValue {
        var object: [String: JSONValue] = [
            "name": .string(receiver.name), "port": .string(receiver.port.rawValue), "ok": .bool(receiver.problem == nil),
            "warnings": .array(receiver.warnings.map { .string($0) }),
        ]
        if let problem = receiver.problem { object["problem"] = .string(problem) }
        for spool in receiver.server {
            object["server"] = .object((object["server"]?.objectValue ?? [:]).merging([spool.name: value(spool.counters)]) { $1 })
        }
        return .object(object)
    }

    private static func value(_ counters: SourceCounters) -> JSONValue {
        [
            "lines": .integer(Int64(counters.lines)), "parsed": .integer(Int64(counters.parsed)),
            "unparsed": .integer(Int64(counters.unparsed)), "plain": .integer(Int64(counters.plain)),
            "blank": .integer(Int64(counters.blank)),
            "dropped": .integer(Int64(counters.dropped)), "overlong": .integer(Int64(counters.overlong)),
            "undated": .integer(Int64(counters.undated)), "rotations": .integer(Int64(counters.rotations)),
            "truncations": .integer(Int64(counters.truncations)), "gaps": .integer(Int64(counters.gaps)),
            "damaged": .integer(Int64(counters.damaged)),
        ]
    }
}

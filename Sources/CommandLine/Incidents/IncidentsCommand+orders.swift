import ArgumentParser
import Events
import Foundation
import Incidents
import Server

/// What every order about an incident is given with.
struct OrderOptions: ParsableArguments {
    @Option(help: "The data folder.")
    var data = "data"

    @OptionGroup var policies: PolicyOptions

    @Option(help: "When it was done, with its zone: 2026-03-02T10:15:00+01:00. Default: now.")
    var at: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Carries it out, by the server that runs on the folder or without one, and says what came of it.
    func carryOut(_ verb: String, _ incident: String, _ arguments: [String: String] = [:], text: String? = nil) async throws {
        var time: Timestamp?
        if let at {
            guard let parsed = Timestamp(rfc3339: at) else {
                throw CommandFailure(.usage, "--at '\(at)' is no time like 2026-03-02T10:15:00+01:00")
            }
            time = parsed
        }
        let folder = DataFolder(path: data)
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw CommandFailure(.unreachable, "there is no journal in \(data); name the data folder of a server with --data")
        }
        let request = OrderSpool.Request(
            verb: verb, incident: incident.uppercased(), arguments: arguments,
            author: Author(id: "uid:\(getuid())", name: NSUserName()), at: time, text: text)
        let answer = try await IncidentOffice.carryOut(request, in: folder, policies: try policies.load())
        switch answer {
        case .refused(let refusal): throw CommandFailure(.failed, refusal.description)
        case nil:
            throw CommandFailure(
                .unreachable,
                "another process holds \(data) and does not answer; see whether the server is well, and give the order again")
        case .done(let id):
            guard let detail = try await IncidentTables.open(data).incident(id: id, maximumFindings: 1) else { return }
            let incident = detail.summary
            if json { return Output.line(FindingJSON.text(IncidentJSON.summary(incident))) }
            Output.line(
                "\(incident.id)  \(incident.severity.code)  \(incident.phase.rawValue)  "
                    + (incident.acknowledgedAt.map { "acknowledged \($0.rfc3339)" } ?? "not acknowledged"))
        }
    }
}

struct IncidentsOpen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "open", abstract: "Open an incident that no rule has found.")

    @Argument(help: "What happened, in a few words.")
    var title: String

    @Option(help: "P0 to P3, or critical to low.")
    var severity = "P2"

    @Option(help: "real, drill, test or imported.")
    var kind = "real"

    @OptionGroup var options: OrderOptions

    func run() async throws {
        try await options.carryOut("open", "", ["severity": severity, "kind": kind], text: title)
    }
}

struct IncidentsAck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ack", abstract: "Acknowledge an incident: somebody is at it, and nobody more is paged.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @OptionGroup var options: OrderOptions

    func run() async throws { try await options.carryOut("ack", id) }
}

struct IncidentsNote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "note", abstract: "Add a note to the timeline.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Argument(help: "The note; - reads it from standard input.")
    var text: String

    @Flag(help: "It is a status update for everybody involved: the clock of the next one begins anew.")
    var update = false

    @OptionGroup var options: OrderOptions

    func run() async throws {
        let text =
            text == "-" ? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self) : text
        try await options.carryOut(update ? "update" : "note", id, text: text)
    }
}

struct IncidentsSay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "say", abstract: "Write in the war room: on the timeline, and to the channels of war_room in channels.yml.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Argument(help: "The message; - reads it from standard input.")
    var text: String

    @OptionGroup var options: OrderOptions

    func run() async throws {
        let text =
            text == "-" ? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self) : text
        try await options.carryOut("say", id, text: text)
    }
}

struct IncidentsPhase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phase", abstract: "Move on: triage, containment, eradication, recovery, review.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Argument(help: "The phase.")
    var phase: String

    @Option(help: "Why.")
    var reason: String?

    @OptionGroup var options: OrderOptions

    func run() async throws { try await options.carryOut("phase", id, ["to": phase], text: reason) }
}

struct IncidentsSeverity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "severity", abstract: "Change the severity; the one of before stays in the history.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Argument(help: "P0 to P3, or critical to low.")
    var severity: String

    @Option(help: "Why.")
    var reason: String

    @OptionGroup var options: OrderOptions

    func run() async throws { try await options.carryOut("severity", id, ["to": severity], text: reason) }
}

struct IncidentsClose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "close", abstract: "Close an incident.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Option(name: .customLong("as"), help: "resolved, false_positive, duplicate or accepted.")
    var resolution = "resolved"

    @Option(help: "How it ended, in a few words.")
    var reason: String

    @OptionGroup var options: OrderOptions

    func run() async throws { try await options.carryOut("close", id, ["as": resolution], text: reason) }
}

struct IncidentsDo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "do", abstract: "Everything else that can be done to an incident.",
        discussion: """
            reopen                              reason
            assign, release                     role=… person=…
            entity                              kind=ip|user value=…
            affected                            users=… data=…,…
            tlp                                 to=clear|green|amber|amber+strict|red
            restrict                            readers=ACCOUNT,ACCOUNT
            unrestrict                          reason
            link, unlink                        kind=related|duplicate_of|recurrence_of to=SEC-…
            merge                               into=SEC-…   reason
            split                               title=… findings=ID,ID   reason
            milestone                           reached=users_notified|reviewed
            pause, resume                       clock=…   (without it, all clocks)   reason

              vigie incidents do SEC-2026-0001 assign role=commander person=ana
            """)

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Argument(help: "What to do.")
    var verb: String

    @Argument(help: "With what: NAME=VALUE.")
    var arguments: [String] = []

    @Option(help: "Why.")
    var reason: String?

    @OptionGroup var options: OrderOptions

    func run() async throws {
        var values: [String: String] = [:]
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw CommandFailure(.usage, "'\(argument)' is not NAME=VALUE") }
            values[String(parts[0])] = String(parts[1])
        }
        try await options.carryOut(verb, id, values, text: reason)
    }
}

import ArgumentParser
import Events
import Foundation
import Incidents
import Journal
import Server

struct EscalationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escalation", abstract: "Say who is paged, when, and why.",
        subcommands: [EscalationExplain.self, EscalationTest.self])
}

struct EscalationExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show whom an incident pages: what was done, and what is still to come.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Option(help: "The data folder.")
    var data = "data"

    @OptionGroup var policies: PolicyOptions

    @Flag(help: "Print one JSON object per page.")
    var json = false

    func run() async throws {
        let policies = try self.policies.load()
        guard let incident = try await IncidentOffice.ledger(of: DataFolder(path: data))[id.uppercased()] else {
            throw CommandFailure(.failed, "there is no incident \(id) in \(data); `vigie incidents list` shows those there are")
        }
        if !json {
            let route = policies.escalation.routes[incident.severity].map { "policy '\($0)'" } ?? "nobody"
            Output.note("\(incident.id) is \(incident.severity.code), which goes to \(route).")
            if let author = incident.acknowledgedBy { Output.note("\(author.label) has acknowledged it: nobody more is paged.") }
            if incident.isClosed { Output.note("It is closed: nobody is paged.") }
        }
        for page in incident.pages.values.sorted(by: { ($0.intendedAt, $0.intent.key) < ($1.intendedAt, $1.intent.key) }) {
            PageLine.print(
                page.intent, at: page.intendedAt, status: page.status.rawValue, attempts: page.attempts,
                failure: page.lastFailure, json: json)
        }
        guard !incident.isAcknowledged, !incident.isClosed else { return }
        for page in EscalationPlan.pages(of: incident, policies) where incident.pages[page.intent.key] == nil {
            PageLine.print(page.intent, at: page.at, status: "planned", attempts: 0, failure: nil, json: json)
        }
    }
}

struct EscalationTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Check the policies, and show whom an incident of that severity would page.",
        discussion: "Nothing is sent. Exit code 1 when somebody on the way cannot be reached.")

    @Argument(help: "P0 to P3, or critical to low.")
    var severity: String

    @OptionGroup var policies: PolicyOptions

    @Option(help: "When it is opened, with its zone: 2026-03-02T03:00:00+01:00. Default: now.")
    var at: String?

    @Flag(help: "Print one JSON object per page.")
    var json = false

    func run() async throws {
        guard let severity = Severity(severity) else {
            throw CommandFailure(.usage, "severity '\(severity)' is not known; known are P0 to P3, critical, high, medium, low")
        }
        guard let time = at.map({ Timestamp(rfc3339: $0) }) ?? .system else {
            throw CommandFailure(.usage, "--at is no time like 2026-03-02T03:00:00+01:00")
        }
        let policies = try self.policies.load()
        var ledger = IncidentLedger()
        for event in try ledger.open(
            title: "Test", severity: severity, kind: .real, author: .system, request: nil, now: time)
        {
            ledger.apply(event, recordedAt: time)
        }
        guard let incident = ledger.incidents.values.first else { return }
        let pages = EscalationPlan.pages(of: incident, policies)
        for page in pages { PageLine.print(page.intent, at: page.at, status: "planned", attempts: 0, failure: nil, json: json) }
        let route = policies.escalation.routes[severity]
        let steps = route.flatMap { policies.escalation.policies[$0] } ?? []
        guard policies.hash != nil else {
            throw CommandFailure(.failed, "there are no policies: nobody is ever paged; name their folder with --policies")
        }
        if route == nil { Output.note("\(severity.code) pages nobody.") }
        let silent = steps.filter { step in !pages.contains { $0.intent.step == step.name } }
        guard silent.isEmpty else {
            throw CommandFailure(
                .failed,
                "nobody can be reached at \(silent.map(\.name).joined(separator: ", ")): "
                    + "name people with contacts in oncall.yml, and channels in channels.yml")
        }
    }
}

enum PageLine {
    static func print(
        _ intent: PageIntent, at time: Timestamp, status: String, attempts: Int, failure: String?, json: Bool
    ) {
        if json {
            return Output.line(
                FindingJSON.text([
                    "key": .string(intent.key), "at": .string(time.rfc3339), "step": .string(intent.step),
                    "purpose": .string(intent.purpose.rawValue), "target": .string(intent.target),
                    "person": intent.person.map { .string($0) } ?? .null, "channel": .string(intent.channel),
                    "status": .string(status), "attempts": .integer(Int64(attempts)),
                    "failure": failure.map { .string($0) } ?? .null,
                ]))
        }
        let whom = intent.person.map { "\($0) (\(intent.target))" } ?? intent.target
        let tries = attempts > 1 ? ", \(attempts) attempts" : ""
        Output.line(
            "\(time.rfc3339)  \(intent.step)  \(whom)  \(intent.channel)  \(status)\(tries)" + (failure.map { "  \($0)" } ?? ""))
    }
}

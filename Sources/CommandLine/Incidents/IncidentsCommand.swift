import ArgumentParser
import Events
import Foundation
import Incidents
import Journal
import Server
import Storage

struct IncidentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents",
        abstract: "List and show incidents, and work on them.",
        subcommands: [
            IncidentsList.self, IncidentsShow.self, IncidentsOpen.self, IncidentsAck.self, IncidentsNote.self,
            IncidentsSay.self,
            IncidentsPhase.self, IncidentsSeverity.self, IncidentsClose.self, IncidentsDo.self, IncidentsReport.self,
            IncidentsMetrics.self,
        ]
    )
}

/// Opens the tables of a data folder for reading; works beside a running server.
enum IncidentTables {
    static func open(_ folder: String) throws -> Projections {
        let path = DataFolder(path: folder).projections
        guard FileManager.default.fileExists(atPath: path) else {
            throw CommandFailure(
                .unreachable, "there are no incidents in \(folder): no server has run there; name its folder with --data")
        }
        return try Projections(path: path)
    }
}

struct IncidentsList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List incidents, the last changed first.")

    @Option(help: "The data folder.")
    var data = "data"

    @Option(help: "Words that all have to occur in the id, title, category or an entity.")
    var search = ""

    @Option(help: "Only this severity: P0 to P3, or critical to low.")
    var severity: String?

    @Option(help: "How many at most, up to 500.")
    var limit = 50

    @Flag(help: "Print one JSON object per incident.")
    var json = false

    func run() async throws {
        var query = IncidentQuery(search: search, limit: limit)
        if let severity {
            guard let wanted = Severity(severity) else {
                throw CommandFailure(
                    .usage, "severity '\(severity)' is not known; known are P0 to P3, critical, high, medium, low")
            }
            query.severities = [wanted]
        }
        let page = try await IncidentTables.open(data).incidents(matching: query)
        for incident in page.incidents {
            if json {
                Output.line(FindingJSON.text(IncidentJSON.summary(incident)))
            } else {
                let entities = incident.entities.prefix(3).map { IncidentText.printable($0.value ?? "(erased)") }.joined(
                    separator: ", ")
                Output.line(
                    "\(incident.id)  \(incident.severity.code)  \(incident.lastSeen.rfc3339)  "
                        + "\(incident.findingCount) findings  \(IncidentText.printable(incident.title))  [\(entities)]")
            }
        }
        if !json { Output.note("\(page.incidents.count) of \(page.total) incidents") }
    }
}

struct IncidentsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one incident: what it is about, its timeline, its findings and their log lines.")

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Option(help: "The data folder.")
    var data = "data"

    @Option(help: "How many findings at most, newest first.")
    var findings = 20

    @OptionGroup var policies: PolicyOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        guard let detail = try await IncidentTables.open(data).incident(id: id.uppercased(), maximumFindings: max(1, findings))
        else {
            throw CommandFailure(.failed, "there is no incident \(id) in \(data); `vigie incidents list` shows those there are")
        }
        let state = try await IncidentOffice.ledger(of: DataFolder(path: data))[detail.summary.id]
        let clocks = try state.map { try policies.load().clocks.statuses(of: $0) } ?? []
        if json { return Output.line(FindingJSON.text(IncidentJSON.detail(detail, clocks: clocks))) }
        for line in IncidentText.lines(detail, clocks: clocks) { Output.line(line) }
    }
}

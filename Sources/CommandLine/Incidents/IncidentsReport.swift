import ArgumentParser
import Events
import Foundation
import Incidents
import Server
import Storage

struct IncidentsReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Print the report of an incident, rendered from records only.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case md, html
    }

    @Argument(help: "The incident: SEC-2026-0001.")
    var id: String

    @Option(help: "The data folder.")
    var data = "data"

    @OptionGroup var policies: PolicyOptions

    @Option(help: "md or html.")
    var format = Format.md

    func run() async throws {
        let id = id.uppercased()
        let tables = try IncidentTables.open(data)
        guard let detail = try await tables.incident(id: id, maximumFindings: 500) else {
            throw CommandFailure(.failed, "there is no incident \(id) in \(data); `vigie incidents list` shows those there are")
        }
        guard let state = try await IncidentOffice.ledger(of: DataFolder(path: data))[id] else {
            throw CommandFailure(.failed, "\(id) is in the tables of \(data) and not in its journal; run `vigie journal rebuild`")
        }
        let report = IncidentReport(
            detail, state, actions: try await tables.actions(ofIncident: id),
            clocks: try policies.load().clocks.statuses(of: state), now: .system)
        Output.write(format == .md ? report.markdown : report.html, to: .standardOutput)
    }
}

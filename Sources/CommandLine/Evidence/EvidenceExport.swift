import ArgumentParser
import Events
import Evidence
import Foundation
import Journal
import Server

struct EvidenceExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write an incident with its evidence into one archive that others can check offline.",
        discussion: """
            --tlp says what the recipient may see: what is marked more strictly is withheld, and listed as such. The archive holds
            the journal's entries about the incident, a proof for each, the signed checkpoint, and a page for people.
              vigie evidence export SEC-2026-0001 --tlp amber --for auditor@example.org --to SEC-2026-0001.tar
            """)

    @Argument(help: "The incident: SEC-YYYY-NNNN.")
    var incident: String

    @Option(help: "The strictest marking the recipient may see: clear, green, amber, amber+strict, red.")
    var tlp: TrafficLight

    @Option(name: .customLong("for"), help: "Who it is for; is recorded.")
    var recipient: String

    @Option(help: "The archive; must not be there.")
    var to: String

    @Option(help: "The data folder.")
    var data = "data"

    func run() async throws {
        let folder = try EvidenceFolder(data: data)
        _ = try await folder.checkpoint(covering: 0)
        let key = try KeyFile.readPublic(KeyFile.publicPath(folder.folder.checkpointKey))
        let exporter = ArchiveExporter(journal: folder.folder.journal, store: folder.store, key: key) { draft in
            try await folder.record(draft)
        } checkpoint: { count in
            try await folder.checkpoint(covering: count)
        }
        let outcome = try await exporter.export(
            .init(incident: incident, marking: tlp, recipient: recipient, actor: folder.actor, now: .system), to: to)
        await folder.close()
        Output.line(
            "\(to): \(outcome.items.count) items, \(outcome.entryCount) entries, proved in a log of \(outcome.checkpoint.size)")
        for item in outcome.withheld { Output.line("withheld  \(item.id)  \(item.marking.rawValue)  \(item.name)") }
        for item in outcome.erased { Output.line("erased    \(item.id)  \(item.name)") }
        Output.note("Give the recipient the public key by another way: \(key.text)")
    }
}

struct EvidenceVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check an archive offline, with nothing but the log's public key; name what is wrong, and exit 1.",
        discussion:
            "The key has to come from somebody you trust. The one inside the archive only says what its maker wants it to say.")

    @Argument(help: "The archive; - is standard input.")
    var archive: String

    @Option(help: "The log's public key, or a file with it.")
    var key: String

    @Option(help: "A witness's public key that has to have cosigned; may be given several times.")
    var witness: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let report = ArchiveVerifier.verify(
            try ByteFile.reading(archive), key: try NoteKey(argument: key),
            witnesses: try witness.map { try NoteKey(argument: $0) })
        if json {
            Output.line(
                FindingJSON.text([
                    "incident": report.incident.map(JSONValue.string) ?? .null, "entries": .integer(Int64(report.entryCount)),
                    "items": .array(report.items.map { .string($0.id) }),
                    "withheld": .array(report.withheld.map { .string($0.id) }),
                    "erased": .array(report.erased.map { .string($0.id) }),
                    "checkpoint": report.checkpoint.map { .integer(Int64($0.checkpoint.size)) } ?? .null,
                    "cosigners": .array(report.cosigners.map { .string($0.name) }),
                    "timestamps": .integer(Int64(report.timestampCount)),
                    "problems": .array(report.problems.map { ["file": .string($0.file), "text": .string($0.what)] }),
                ]))
        } else {
            if let incident = report.incident {
                Output.line("incident    \(incident), \(report.marking?.rawValue ?? ""), for \(report.recipient ?? "")")
                Output.line("entries     \(report.entryCount)")
                if let checkpoint = report.checkpoint?.checkpoint {
                    Output.line("checkpoint  \(checkpoint.size) entries, \(checkpoint.origin)")
                }
                for item in report.items { Output.line("whole       \(item.id)  \(item.name)") }
                for item in report.withheld { Output.line("withheld    \(item.id)  \(item.marking.rawValue)") }
                for item in report.erased { Output.line("erased      \(item.id)  \(item.name)") }
                for witness in report.cosigners { Output.line("witness     \(witness.name)") }
                if report.timestampCount > 0 { Output.line("timestamps  \(report.timestampCount)") }
            }
            for problem in report.problems { Output.line("WRONG       \(problem)") }
        }
        if !report.problems.isEmpty {
            throw CommandFailure(
                .failed, "\(report.problems.count) thing\(report.problems.count == 1 ? " is" : "s are") wrong with \(archive)")
        }
    }
}

import ArgumentParser
import Events
import Foundation
import Journal
import Server
import Storage

struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Verify, read and rebuild from the journal, in which everything is written down.",
        subcommands: [JournalVerify.self, JournalRead.self, JournalRebuild.self]
    )
}

struct JournalVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every entry and print the count and the Merkle root; exit 1 when anything is wrong.")

    @Option(help: "The data folder.")
    var data = "data"

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let report = try JournalVerifier.verify(directory: DataFolder(path: data).journal)
        if json {
            let value: JSONValue = [
                "entries": .integer(Int64(report.count)), "segments": .integer(Int64(report.segmentCount)),
                "root": .string("\(report.root)"), "tail": report.tail.map { .string("\($0)") } ?? .null,
            ]
            return Output.line(FindingJSON.text(value))
        }
        Output.line("entries   \(report.count)")
        Output.line("segments  \(report.segmentCount)")
        Output.line("root      \(report.root)")
        if let tail = report.tail { Output.line("tail      \(tail)") }
    }
}

struct JournalRead: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read", abstract: "Print the entries in order; personal fields stay sealed.")

    @Option(help: "The data folder.")
    var data = "data"

    @Option(help: "The first entry wanted.")
    var from: UInt64 = 0

    @Flag(help: "Print each entry as it is kept: one canonical JSON object per line.")
    var json = false

    func run() throws {
        let reader = try JournalReader(directory: DataFolder(path: data).journal, from: from)
        let output = LineBuffer()
        while true {
            let entries = try reader.next(limit: 512)
            if entries.isEmpty { return }
            for entry in entries { output.add(json ? String(decoding: entry.canonicalBytes, as: UTF8.self) : row(entry)) }
            output.flush()
        }
    }

    private func row(_ entry: Entry) -> String {
        let subject = entry.data["incident"]?.stringValue ?? ""
        return "\(entry.sequence)  \(entry.recordedAt.rfc3339)  \(entry.type.padding(to: 28))\(subject)"
    }
}

struct JournalRebuild: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Make the tables anew from the journal. The old ones are kept beside the new. Stop the server first."
    )

    @Option(help: "The data folder.")
    var data = "data"

    func run() async throws {
        let folder = DataFolder(path: data)
        let rebuilt = try await JournalRebuilder.run(folder, progress: { Output.note("\($0) entries") })
        if let kept = rebuilt.keptOld { Output.line("kept the old tables as \(kept)") }
        Output.line("rebuilt from \(rebuilt.count) entries")
    }
}

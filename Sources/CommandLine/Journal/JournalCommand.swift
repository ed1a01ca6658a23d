import ArgumentParser
import Events
import Foundation
import Journal
import Server
import Storage

struct JournalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Verify, prove, read and rebuild from the journal, in which everything is written down.",
        subcommands: [
            JournalVerify.self, JournalProve.self, JournalCheckProof.self, JournalCheckpoint.self, JournalTimestamp.self,
            JournalWitness.self, JournalErase.self, JournalRead.self, JournalRebuild.self, JournalBench.self,
        ]
    )
}

/// Options that the journal's commands share.
struct JournalOptions: ParsableArguments {
    @Option(help: "The data folder.")
    var data = "data"

    @Option(help: "The log's public key: the key itself or a file with it. Default: keys/checkpoint.pub in the data folder.")
    var key: String?

    var folder: DataFolder { DataFolder(path: data) }

    /// The key to believe in; `nil` where none is given and the data folder has none.
    func trustedKey() throws -> NoteKey? {
        if let key { return try NoteKey(argument: key) }
        let path = KeyFile.publicPath(folder.checkpointKey)
        return try KeyFile.exists(path) ? try KeyFile.readPublic(path) : nil
    }

    func requiredKey() throws -> NoteKey {
        guard let key = try trustedKey() else {
            throw CommandFailure(
                .usage,
                "\(KeyFile.publicPath(folder.checkpointKey)) is missing; name the log's public key with --key, or start the server once"
            )
        }
        return key
    }

    /// The newest checkpoint, or the kept one of a size.
    func checkpoint(size: UInt64? = nil, key: NoteKey) throws -> VerifiedCheckpoint {
        let reader = TreeReader(journal: folder.journal)
        if let size {
            if let kept = try reader.keptCheckpoint(size: size, key: key) { return kept }
            let newest = try reader.checkpoint(key: key)
            guard let newest, newest.checkpoint.size == size else {
                throw CommandFailure(
                    .failed, "no checkpoint of size \(size) was kept; `vigie journal checkpoint --list` shows those that were")
            }
            return newest
        }
        guard let newest = try reader.checkpoint(key: key) else {
            throw CommandFailure(.failed, "there is no checkpoint in \(folder.journal) yet; start the server once")
        }
        return newest
    }
}

extension NoteKey {
    /// A key as an argument: the key itself, or the name of a file that holds it.
    init(argument: String) throws {
        if argument.contains("+"), let key = try? NoteKey(parsing: argument) {
            self = key
        } else {
            self = try KeyFile.readPublic(argument)
        }
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
        abstract: "Make the tables anew from the journal, in place of the old ones. Stop the server first."
    )

    @Option(help: "The data folder.")
    var data = "data"

    func run() async throws {
        let folder = DataFolder(path: data)
        let rebuilt = try await JournalRebuilder.run(folder, progress: { Output.note("\($0) entries") })
        Output.line("rebuilt from \(rebuilt.count) entries")
    }
}

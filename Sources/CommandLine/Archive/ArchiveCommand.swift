import Archive
import ArgumentParser
import Events
import Foundation
import Journal
import Server

struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "List and check the archive of all lines, and hold parts of it. To hunt in it: vigie detect --archive DATA.",
        subcommands: [ArchiveList.self, ArchiveVerify.self, ArchiveHold.self, ArchiveRelease.self, ArchiveHolds.self])
}

/// Options that the archive's commands share.
struct ArchiveCommandOptions: ParsableArguments {
    @Option(help: "The data folder.")
    var data = "data"

    func folder() throws -> String {
        let folder = DataFolder(path: data).archive
        guard FileManager.default.fileExists(atPath: folder) else {
            throw CommandFailure(.usage, "there is no archive in \(data); `vigie serve` writes one while it runs")
        }
        return folder
    }

    func attempt<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as ArchiveError {
            throw CommandFailure(.failed, error.description)
        }
    }
}

struct ArchiveList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the archive's segments.")

    @OptionGroup var options: ArchiveCommandOptions

    @Flag(help: "Print one JSON object per segment.")
    var json = false

    func run() throws {
        let reader = ArchiveReader(folder: try options.folder())
        try options.attempt {
            let all = try reader.segments()
            for number in all {
                guard let segment = try reader.open(number, of: all) else { continue }
                let summary = SegmentSummary(segment)
                if json { Output.line(FindingJSON.text(value(segment, summary))) } else { Output.line(text(segment, summary)) }
            }
        }
    }

    private func text(_ segment: Segment, _ summary: SegmentSummary) -> String {
        let times = summary.times.map { "\($0.lowerBound.rfc3339) to \($0.upperBound.rfc3339)" } ?? "empty"
        var text = "\(summary.number)  \(times)  \(summary.lines) lines  \(segment.blocks.count) blocks  \(summary.bytes) bytes"
        if summary.isReduced { text += "  security events only" }
        if !segment.damages.isEmpty { text += "  damaged" }
        return text
    }

    private func value(_ segment: Segment, _ summary: SegmentSummary) -> JSONValue {
        var object: [String: JSONValue] = [
            "segment": .integer(Int64(summary.number)), "lines": .integer(Int64(summary.lines)),
            "blocks": .integer(Int64(segment.blocks.count)), "bytes": .integer(Int64(summary.bytes)),
            "reduced": .bool(summary.isReduced), "packed": .bool(segment.header.isPacked),
            "damages": .array(segment.damages.map { .string($0.description) }),
        ]
        if let times = summary.times {
            object["from"] = .string(times.lowerBound.rfc3339)
            object["until"] = .string(times.upperBound.rfc3339)
        }
        return .object(object)
    }
}

struct ArchiveVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read every block and check it; exit with 1 where one is damaged.")

    @OptionGroup var options: ArchiveCommandOptions

    func run() throws {
        let reader = ArchiveReader(folder: try options.folder())
        let found = try options.attempt { try reader.verify() }
        for damage in found.damages { Output.line("damaged: \(damage)") }
        for block in found.repeated { Output.line("there twice: segment \(block.segment), block at byte \(block.offset)") }
        Output.line(
            "\(found.segments) segments, \(found.blocks) blocks, \(found.lines) lines, \(found.textBytes) bytes in \(found.bytes)"
        )
        guard found.damages.isEmpty, found.repeated.isEmpty else {
            throw CommandFailure(
                .failed, "the archive is damaged; what is named above cannot be read, or is there twice. Restore it from a backup"
            )
        }
    }
}

struct ArchiveHold: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Keep part of the archive from being removed until the hold is released.",
        discussion: "In force when the command returns. The server writes it into the journal, now or when it starts next.")

    @OptionGroup var options: ArchiveCommandOptions

    @Argument(help: "The hold's name: small letters, digits, - and _.")
    var name: String

    @Option(help: "Why: a court's letter, an investigation.")
    var reason: String

    @Option(help: "Who decided it. Default: the user running the command.")
    var author: String?

    @Option(help: "RFC 3339 time of the first event. Default: the beginning.")
    var since: String?

    @Option(help: "RFC 3339 time behind the last event. Default: without end.")
    var until: String?

    func run() throws {
        guard LegalHold.isName(name) else {
            throw CommandFailure(.usage, "'\(name)' is no name for a hold: use up to 64 small letters, digits, - and _")
        }
        let range = try TimeRangeArgument.parse(since: since, until: until)
        let holds = HoldFolder(archive: try options.folder())
        try options.attempt {
            // The server removes nothing between here and the end: a hold is in force when the command returns.
            let lock = try holds.lock(waiting: true)
            defer { lock.release() }
            guard try !holds.holds().contains(where: { $0.name == name }) else {
                throw CommandFailure(.usage, "there is a hold \(name) already; choose another name, or release it first")
            }
            try holds.save(
                LegalHold(
                    name: name, reason: reason, author: author ?? NSUserName(), since: range.since, until: range.until,
                    placed: .system))
        }
        Output.line("the hold \(name) is in force")
    }
}

struct ArchiveRelease: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Release a hold.",
        discussion: "Takes effect once the server has written it into the journal.")

    @OptionGroup var options: ArchiveCommandOptions

    @Argument(help: "The hold's name.")
    var name: String

    @Option(help: "Why it is no longer needed.")
    var reason: String

    @Option(help: "Who decided it. Default: the user running the command.")
    var author: String?

    func run() throws {
        let holds = HoldFolder(archive: try options.folder())
        try options.attempt {
            let lock = try holds.lock(waiting: true)
            defer { lock.release() }
            guard var hold = try holds.holds().first(where: { $0.name == name }) else {
                throw CommandFailure(.usage, "there is no hold \(name); `vigie archive holds` lists them")
            }
            hold.released = LegalHold.Release(
                reason: reason, author: author ?? NSUserName(), time: Timestamp.system.nanoseconds)
            try holds.save(hold)
        }
        Output.line("the hold \(name) ends as soon as the journal says so")
    }
}

struct ArchiveHolds: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "holds", abstract: "List the holds.")

    @OptionGroup var options: ArchiveCommandOptions

    func run() throws {
        let holds = try options.attempt { try HoldFolder(archive: try options.folder()).holds() }
        for hold in holds {
            let since = hold.since.map { Timestamp(nanoseconds: $0).rfc3339 } ?? "the beginning"
            let until = hold.until.map { Timestamp(nanoseconds: $0).rfc3339 } ?? "without end"
            Output.line(
                "\(hold.name)  \(since) to \(until)  by \(hold.author): \(hold.reason)\(hold.released == nil ? "" : "  (ending)")"
            )
        }
        if holds.isEmpty { Output.note("there is no hold") }
    }
}

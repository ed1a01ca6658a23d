import ArgumentParser
import Foundation
import Journal
import Server

struct JournalVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every entry, tile, checkpoint and timestamp, and name what is wrong; exit 1 when anything is.",
        discussion: """
            Reads the files only; the server may run. With --against it is also checked that the journal still is the one
            that somebody else holds a checkpoint of (a witness, a report, a printout): then even a rewritten folder shows.
            """)

    @OptionGroup var options: JournalOptions

    @Option(help: "A checkpoint from elsewhere; may be given several times.")
    var against: [String] = []

    @Option(help: "A witness's public key; its cosignatures under kept checkpoints are checked and listed.")
    var witness: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let key = try options.trustedKey()
        if key == nil, !against.isEmpty || !witness.isEmpty { _ = try options.requiredKey() }
        let others = try against.map { path in
            guard let data = FileManager.default.contents(atPath: path) else {
                throw CommandFailure(.usage, "\(path) cannot be read; check its path and permissions")
            }
            return (file: path, bytes: Array(data))
        }
        let clock = ContinuousClock()
        let start = clock.now
        let report = try JournalVerifier.verify(
            directory: options.folder.journal, trust: key.map { JournalVerifier.Trust(key: $0, checkpoints: others) })
        let seconds = max(1e-9, Double((clock.now - start) / .milliseconds(1)) / 1000)
        let cosigned = try key.map { try cosignatures(key: $0) } ?? []
        let problems = report.tree?.problems ?? []
        if json {
            try printJSON(report, rate: Double(report.count) / seconds, cosigned: cosigned)
        } else {
            printText(report, rate: Double(report.count) / seconds, cosigned: cosigned, signed: key != nil)
        }
        if !problems.isEmpty {
            throw CommandFailure(
                .failed, "\(problems.count) thing\(problems.count == 1 ? " is" : "s are") wrong with the journal's tree")
        }
    }

    private func cosignatures(key: NoteKey) throws -> [(size: UInt64, witness: String, time: Int64)] {
        let reader = TreeReader(journal: options.folder.journal)
        let witnesses = try witness.map { try NoteKey(argument: $0) }
        guard !witnesses.isEmpty else { return [] }
        var found: [(size: UInt64, witness: String, time: Int64)] = []
        for size in try reader.keptSizes() {
            guard let kept = try? reader.keptCheckpoint(size: size, key: key) else { continue }
            do {
                found += try kept.cosigners(witnesses).map { (size, $0.witness.name, $0.time) }
            } catch {
                throw CommandFailure(.failed, "the checkpoint of \(size) entries: \(error)")
            }
        }
        return found
    }

    private func printText(
        _ report: JournalVerifier.Report, rate: Double, cosigned: [(size: UInt64, witness: String, time: Int64)], signed: Bool
    ) {
        Output.line("entries     \(report.count)")
        Output.line("segments    \(report.segmentCount)")
        Output.line("root        \(report.root)")
        if let tail = report.tail { Output.line("tail        \(tail)") }
        if let tree = report.tree {
            if let checkpoint = tree.checkpoint?.checkpoint {
                Output.line("checkpoint  \(checkpoint.size) entries, signed by \(checkpoint.origin)")
                if report.count > checkpoint.size { Output.line("unsigned    \(report.count - checkpoint.size) newer entries") }
            }
            Output.line(
                "compared    \(tree.tileCount) tiles, \(tree.checkpointCount) checkpoints, \(tree.timestampCount) timestamps")
            for one in cosigned { Output.line("witness     \(one.witness) saw \(one.size) entries at \(one.time)") }
            for problem in tree.problems { Output.line("WRONG       \(problem)") }
        } else if !signed {
            Output.line("tree        not checked: there is no public key (--key)")
        }
        Output.line("speed       \(Int(rate)) entries/s")
    }

    private func printJSON(
        _ report: JournalVerifier.Report, rate: Double, cosigned: [(size: UInt64, witness: String, time: Int64)]
    ) throws {
        var tree: JSONValue = .null
        if let found = report.tree {
            tree = [
                "checkpoint": found.checkpoint.map {
                    ["origin": .string($0.checkpoint.origin), "size": .integer(Int64($0.checkpoint.size))]
                }
                    ?? .null,
                "tiles": .integer(Int64(found.tileCount)), "checkpoints": .integer(Int64(found.checkpointCount)),
                "timestamps": .integer(Int64(found.timestampCount)),
                "cosignatures": .array(
                    cosigned.map {
                        ["size": .integer(Int64($0.size)), "witness": .string($0.witness), "time": .integer($0.time)]
                    }),
                "problems": .array(
                    found.problems.map { ["code": .string($0.code), "file": .string($0.file), "text": .string($0.description)] }),
            ]
        }
        Output.line(
            FindingJSON.text([
                "entries": .integer(Int64(report.count)), "segments": .integer(Int64(report.segmentCount)),
                "root": .string("\(report.root)"), "tail": report.tail.map { .string("\($0)") } ?? .null, "tree": tree,
                "entries_per_second": .integer(Int64(rate)),
            ]))
    }
}

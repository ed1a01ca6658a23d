import Archive
import ArgumentParser
import Detection
import Events
import Foundation
import Glibc
import Hunting
import Ingest
import Journal
import Server

/// Options of `vigie detect` that ask the archive instead of files.
struct HuntOptions: ParsableArguments {
    @Option(help: "Hunt in the archive of this data folder instead of reading files.")
    var archive: String?

    @Option(help: "With --archive: RFC 3339 time of the first event. Default: the beginning.")
    var since: String?

    @Option(help: "With --archive: RFC 3339 time behind the last event. Default: a day ahead, as far as an event's time may lie.")
    var until: String?

    @Option(
        help: ArgumentHelp(
            "With --archive: only events that meet all conditions: 'field=value', 'field!=value', 'field~part', 'field=*', 'field=@other'.",
            valueName: "conditions"))
    var filter: String?

    @Option(help: "With --archive: only lines of this source; may be given several times.")
    var source: [String] = []

    @Option(help: "With --archive: count the results by the values of this field.")
    var countBy: String?

    @Flag(help: "With --archive: print the counts as JSON, too.")
    var json = false

    /// Those beside --archive itself that were given.
    var given: [String] {
        let all: [(String, Bool)] = [
            ("--since", since != nil), ("--until", until != nil), ("--filter", filter != nil), ("--source", !source.isEmpty),
            ("--count-by", countBy != nil), ("--json", json),
        ]
        return all.filter { $0.1 }.map { $0.0 }
    }

    /// The time that is asked for; its end is that of all events, where none is given.
    func range(now: Timestamp) throws -> (since: Timestamp?, until: Timestamp) {
        let given = try TimeRangeArgument.parse(since: since, until: until)
        let end = given.until ?? now.advanced(bySeconds: BatchParser.maximumSecondsAhead)
        if let since = given.since, since >= end {
            throw CommandFailure(
                .usage, "--since \(since.rfc3339) is further ahead than any event's time may lie; choose an earlier one")
        }
        return (given.since, end)
    }
}

/// Runs a hunt and prints what it finds.
struct ArchiveHunt {
    let options: HuntOptions
    let rules: [String]

    func run(in data: String) async throws {
        let folder = DataFolder(path: data).archive
        guard FileManager.default.fileExists(atPath: folder) else {
            throw CommandFailure(.usage, "there is no archive in \(data); `vigie serve` writes one while it runs")
        }
        let hunt = try makeHunt()
        for problem in hunt.problems { Output.note("refused: \(problem)") }
        let record = record(of: hunt)
        // Before anybody sees a line.
        try await write(.started, record, DataFolder(path: data))
        let output = LineBuffer()
        let bar = ProgressBar()
        let began = ContinuousClock.now
        let progress: HuntProgress
        do {
            progress = try await hunt.run(
                ArchiveReader(folder: folder), workers: ProcessInfo.processInfo.activeProcessorCount,
                report: { result in
                    // The counts are what is asked for.
                    if options.countBy == nil { output.add(HuntJSON.text(result)) }
                },
                progress: { progress in
                    output.flush()
                    bar.show(progress)
                })
        } catch let error as ArchiveError {
            bar.clear()
            try await write(.ended, record, DataFolder(path: data), HuntRecord.Outcome(state: "failed", results: 0, lines: 0))
            throw CommandFailure(.failed, error.description)
        }
        bar.clear()
        output.flush()
        if let countBy = options.countBy { printCounts(progress, countBy) }
        summarise(progress, ContinuousClock.now - began)
        for doubt in hunt.doubts(about: progress) { Output.note(doubt) }
        try await write(
            .ended, record, DataFolder(path: data),
            HuntRecord.Outcome(state: "done", results: progress.results, lines: progress.lines))
        guard progress.damages.isEmpty else {
            throw CommandFailure(.failed, "part of the archive is damaged: what is named above was not hunted in")
        }
    }

    private func record(of hunt: Hunt) -> HuntRecord {
        var question = HuntRecord.Question()
        question.rules = hunt.hasRules ? (rules.isEmpty ? ["rules"] : rules) : []
        question.filter = options.filter ?? ""
        question.countBy = options.countBy ?? ""
        question.sources = options.source
        return HuntRecord(
            id: UUID().uuidString.lowercased(), through: .command, person: NSUserName(), question: question,
            since: options.since == nil ? nil : hunt.query.since, until: hunt.query.until, rulesHash: hunt.rulesHash)
    }

    /// The journal says who hunts for what, as it does for hunts of the console.
    private func write(
        _ step: HuntRecord.Step, _ record: HuntRecord, _ folder: DataFolder, _ outcome: HuntRecord.Outcome? = nil
    ) async throws {
        guard HuntOffice.hasJournal(folder) else {
            if step == .started {
                Output.note("there is no journal in \(folder.path): that this hunt was made is written down nowhere")
            }
            return
        }
        let consequence = step == .started ? "so nothing was hunted" : "so it does not say how this hunt ended"
        do {
            switch try await HuntOffice.record(step, of: record, outcome: outcome, in: folder, at: .system) {
            case .recorded: return
            case .refused(let reason):
                throw CommandFailure(.failed, "the server does not write the hunt into the journal, \(consequence): \(reason)")
            case .unanswered:
                throw CommandFailure(
                    .unreachable,
                    "another process holds the journal of \(folder.path) and does not answer, \(consequence); see whether the server is well"
                )
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(
                .failed, "the journal of \(folder.path) cannot be written, \(consequence): \(error); run it as Vigie's user")
        }
    }

    private func makeHunt() throws -> Hunt {
        let range = try options.range(now: .system)
        let base = rules.filter { FileManager.default.fileExists(atPath: $0 + "/formats") }
        let sources: [RuleSource]
        if rules.isEmpty, options.filter != nil || options.countBy != nil {
            sources = []
        } else {
            let folder = RuleFolder(paths: rules.isEmpty ? ["rules"] : rules)
            for problem in folder.problems { Output.note("refused: \(problem)") }
            sources = folder.rules
        }
        do {
            return try Hunt(
                rules: sources, base: base.isEmpty ? ["rules"] : base, filter: try HuntFilter(parsing: options.filter ?? ""),
                countBy: options.countBy, since: range.since ?? Timestamp(nanoseconds: .min), until: range.until,
                sources: options.source.isEmpty ? nil : Set(options.source))
        } catch {
            throw CommandFailure(.usage, error.description)
        }
    }

    private func printCounts(_ progress: HuntProgress, _ field: String) {
        let counts = progress.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        if options.json {
            let rows = counts.map { JSONValue.object(["value": .string($0.key), "count": .integer(Int64($0.value))]) }
            Output.line(
                FindingJSON.text([
                    "field": .string(field), "distinct": .integer(Int64(counts.count)),
                    "results": .integer(Int64(progress.results)),
                    "uncounted": .integer(Int64(progress.uncounted)), "counts": .array(rows),
                ]))
        } else {
            for (value, count) in counts { Output.line("\(count)\t\(value)") }
        }
    }

    private func summarise(_ progress: HuntProgress, _ duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        var parts = [
            "\(progress.lines) lines in \(String(format: "%.2f", seconds)) s", "\(progress.results) results",
            "\(progress.blocksRead) blocks read, \(progress.blocksSkipped) skipped",
        ]
        if let countBy = options.countBy { parts.append("\(progress.counts.count) different \(countBy)") }
        if progress.uncounted > 0 { parts.append("\(progress.uncounted) without it") }
        Output.note("archive: \(parts.joined(separator: ", "))")
        for damage in progress.damages { Output.note("damaged: \(damage)") }
    }
}

/// A result as one canonical JSON object.
enum HuntJSON {
    static func text(_ result: HuntResult) -> String {
        if let finding = result.finding { return FindingJSON.text(FindingJSON.value(finding)) }
        return FindingJSON.text([
            "time": .string(result.time.rfc3339), "file": .string(result.origin.source), "line": .integer(result.line),
            "text": .string(result.text),
        ])
    }
}

/// One line on standard error that is written over and over, where that is a terminal; nothing where it is not.
final class ProgressBar {
    private let isShown = isatty(STDERR_FILENO) == 1
    private var shown = -1

    func show(_ progress: HuntProgress) {
        let percent = Int(progress.fraction * 100)
        guard isShown, percent != shown else { return }
        shown = percent
        let filled = percent * 40 / 100
        let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: 40 - filled)
        Output.write("\r[\(bar)] \(percent) %, \(progress.results) results", to: .standardError)
    }

    func clear() {
        if isShown, shown >= 0 { Output.write("\r\u{1B}[K", to: .standardError) }
    }
}

import ArgumentParser
import Detection
import Events
import Foundation
import Ingest
import Journal

struct DetectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "Run rules over files or standard input and print the findings, one JSON object per line.",
        discussion: """
            Findings come in event time, as they are found. Nothing is stored and nothing is sent.

              vigie detect /var/log/nginx/access.log
              journalctl -u ssh -o short-iso | vigie detect --format sshd -
              vigie detect --archive data --since 2026-03-01T00:00:00Z --filter 'source.ip=203.0.113.9'
            """
    )

    @Option(
        help:
            "How the lines are written: \(LogFormat.allCases.map(\.rawValue).joined(separator: ", ")), or one of rules/formats. Default: auto."
    )
    var format: String?

    @Option(help: "RFC 3339 time just after the last line; resolves dates that carry no year. Default: now.")
    var referenceTime: String?

    @Option(help: "A folder of rules, or one rule file; may be given several times. Default: rules.")
    var rules: [String] = []

    @Flag(help: "Print instead one object per line that a rule takes as hostile, before any threshold.")
    var lines = false

    @Flag(
        help: ArgumentHelp(
            "Print on standard error, as one JSON object, how much work the engine did. Slow: counts every literal.",
            visibility: .hidden))
    var statistics = false

    @OptionGroup var hunt: HuntOptions

    @Argument(help: "Log files, also compressed with gzip; '-' for standard input, which is the default.")
    var files: [String] = []

    /// An option that is not looked at would be answered by "nothing found".
    func validate() throws {
        let ofFiles: [(String, Bool)] = [
            ("log files", !files.isEmpty), ("--format", format != nil), ("--reference-time", referenceTime != nil),
            ("--lines", lines), ("--statistics", statistics),
        ]
        if hunt.archive != nil, let given = ofFiles.first(where: { $0.1 }) {
            throw ValidationError(
                "\(given.0) cannot be combined with --archive, which asks lines that were read before; leave one of the two out")
        }
        if hunt.archive == nil, let given = hunt.given.first {
            throw ValidationError(
                "\(given) asks the archive, and is not looked at while files are read; name a data folder with --archive")
        }
    }

    func run() async throws {
        if let data = hunt.archive { return try await ArchiveHunt(options: hunt, rules: rules).run(in: data) }
        let reference = try ReferenceTimeArgument.parse(referenceTime)
        let (ruleSet, formats) = try LoadedRules.loadWithFormats(rules)
        let format = try LogFormatArgument.parse(self.format ?? "auto", formats: formats)
        let plan = JSONFieldPlan(ruleSet.fields, taxonomy: ruleSet.taxonomy)
        var engine = Engine(ruleSet)
        let output = LineBuffer()
        var census = statistics ? LiteralCensus(ruleSet) : nil
        for file in files.isEmpty ? ["-"] : files {
            do {
                var stream = try LogStream(path: file, parser: BatchParser(format: format, plan: plan, formats: formats))
                var batch = EventBatch(origin: BatchOrigin(source: file, generation: 0))
                var findings: [Finding] = []
                while try stream.next(into: &batch, reference: reference) {
                    census?.count(batch)
                    if lines {
                        printHostileLines(batch, &engine, output)
                    } else {
                        engine.consume(batch, into: &findings)
                        for finding in findings { output.add(FindingJSON.text(FindingJSON.value(finding))) }
                        findings.removeAll(keepingCapacity: true)
                    }
                    output.flush()
                }
                report(stream.parser.counters, file)
            } catch {
                throw CommandFailure(.usage, error.description)
            }
        }
        if let census { Output.note(StatisticsJSON.text(engine.statistics, census, engine.correlationStatistics)) }
    }

    private func printHostileLines(_ batch: EventBatch, _ engine: inout Engine, _ output: LineBuffer) {
        var last: Int64 = -1
        engine.matchLines(batch) { event, header in
            // One object per line, whichever of its rules comes first.
            guard event.lineNumber != last else { return }
            last = event.lineNumber
            var object: [String: JSONValue] = [
                "line": .integer(event.lineNumber), "time": .string(event.time.rfc3339), "rule": FindingJSON.rule(header),
            ]
            if let address = batch.range(of: .sourceIP, in: event) { object["source"] = ["ip": .string(batch.text(address))] }
            if let user = batch.range(of: .userName, in: event) { object["user"] = ["name": .string(batch.text(user))] }
            output.add(FindingJSON.text(.object(object)))
        }
    }

    private func report(_ counters: SourceCounters, _ file: String) {
        var parts = ["\(counters.lines) lines", "\(counters.parsed) parsed"]
        let oddities: [(Int, String)] = [
            (counters.plain, "of these as plain text"), (counters.unparsed, "unparsed"), (counters.overlong, "over-long"),
            (counters.invalidUTF8, "not UTF-8"),
            (counters.containingNUL, "with NUL"), (counters.undated, "without a time"), (counters.partial, "without a line end"),
        ]
        for (count, name) in oddities where count > 0 { parts.append("\(count) \(name)") }
        Output.note("\(file): \(parts.joined(separator: ", "))")
    }
}

/// Collects lines and writes them together. Used by one command at a time.
final class LineBuffer {
    private var text = ""

    func add(_ line: String) {
        text += line
        text += "\n"
    }

    func flush() {
        guard !text.isEmpty else { return }
        Output.write(text, to: .standardOutput)
        text.removeAll(keepingCapacity: true)
    }
}

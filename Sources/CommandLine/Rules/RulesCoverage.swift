import ArgumentParser
import Detection
import Events
import Foundation
import Ingest
import Journal
import Server

struct RulesCoverage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Say what the rules cover: ATT&CK, requirements, log sources, fields; and what they leave out.",
        discussion: """
            With logs, fields that rules use and no line of them has are named.

              vigie rules coverage --log /var/log/nginx/access.log
              vigie rules coverage --markdown > docs/detection-coverage.md
            """
    )

    @Argument(help: "Folders of rules, or rule files.")
    var paths: [String] = ["rules"]

    @Option(help: "A log, or a folder of logs; may be given several times.")
    var log: [String] = []

    @Option(help: "How the logs' lines are written.")
    var format = "auto"

    @Flag(help: "Print docs/detection-coverage.md.")
    var markdown = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let (folder, formatFolder) = RuleFolder.read(paths)
        for problem in folder.problems { Output.note("refused: \(problem)") }
        var coverage: RuleCoverage
        do throws(RuleProblem) {
            coverage = try RuleCoverage(folder)
        } catch {
            throw CommandFailure(.failed, error.description)
        }
        let formats = FormatSet(
            formatFolder, fields: coverage.fields, logSources: coverage.knownSources, taxonomy: coverage.taxonomy)
        let format = try LogFormatArgument.parse(format, formats: formats)
        for file in log.flatMap(files) { try record(file, format, formats, &coverage) }
        if markdown {
            Output.write(coverage.markdown(), to: .standardOutput)
        } else if json {
            Output.line(FindingJSON.text(value(coverage)))
        } else {
            show(coverage)
        }
    }

    /// Every ordinary file below a path.
    private func files(_ path: String) -> [String] {
        guard let below = FileManager.default.enumerator(atPath: path) else { return [path] }
        let names = below.compactMap { $0 as? String }.sorted().map { path + "/" + $0 }
        let files = names.filter { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: name)
            return attributes?[.type] as? FileAttributeType == .typeRegular
        }
        return files.isEmpty ? [path] : files
    }

    private func record(_ file: String, _ format: LogFormat, _ formats: FormatSet, _ coverage: inout RuleCoverage) throws {
        do {
            var stream = try LogStream(path: file, parser: BatchParser(format: format, plan: formats.plan, formats: formats))
            var batch = EventBatch(origin: BatchOrigin(source: file, generation: 0))
            while try stream.next(into: &batch, reference: .system) { coverage.record(batch) }
        } catch {
            throw CommandFailure(.usage, error.description)
        }
    }

    private func show(_ coverage: RuleCoverage) {
        let sections: [(String, [RuleCoverage.Topic])] = [
            ("Requirements", coverage.requirements), ("Categories", coverage.categories), ("ATT&CK tactics", coverage.tactics),
            ("ATT&CK techniques", coverage.techniques), ("Log sources", coverage.logSources),
        ]
        Output.line("\(coverage.total) rules")
        for (heading, topics) in sections {
            Output.line("\n\(heading)")
            for topic in topics { Output.line("  \(topic.name.padding(to: 34))\(topic.rules.count)") }
            if topics.isEmpty { Output.line("  none") }
        }
        let gaps: [(String, [String])] = [
            ("Log sources that formats give and no rule looks at", coverage.unwatchedSources),
            ("Rules without samples", coverage.withoutSamples.map(\.title)),
            ("Rules without a technique", coverage.withoutTechnique.map(\.title)),
            (
                log.isEmpty ? "" : "Fields that rules use and none of \(coverage.events) events has",
                coverage.unseenFields.map { "\($0.name)  (\($0.rules.count) rules)" }
            ),
        ]
        for (heading, items) in gaps where !heading.isEmpty {
            Output.line("\n\(heading)")
            for item in items { Output.line("  \(item)") }
            if items.isEmpty { Output.line("  none") }
        }
    }

    private func value(_ coverage: RuleCoverage) -> JSONValue {
        let topics = { (topics: [RuleCoverage.Topic]) in
            JSONValue.object(
                Dictionary(
                    topics.map { ($0.name, JSONValue.array($0.rules.map { .string($0.id) })) },
                    uniquingKeysWith: { first, _ in first }))
        }
        let ids = { (headers: [RuleHeader]) in JSONValue.array(headers.map { .string($0.id) }) }
        var object: [String: JSONValue] = [
            "rules": .integer(Int64(coverage.total)), "requirements": topics(coverage.requirements),
            "categories": topics(coverage.categories), "tactics": topics(coverage.tactics),
            "techniques": topics(coverage.techniques), "log_sources": topics(coverage.logSources),
            "unwatched_log_sources": .array(coverage.unwatchedSources.map { .string($0) }),
            "without_samples": ids(coverage.withoutSamples), "without_technique": ids(coverage.withoutTechnique),
        ]
        if !log.isEmpty {
            object["events"] = .integer(Int64(coverage.events))
            object["unseen_fields"] = topics(coverage.unseenFields)
        }
        return .object(object)
    }
}

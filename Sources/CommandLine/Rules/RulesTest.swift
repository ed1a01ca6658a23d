import ArgumentParser
import Detection
import Events
import Ingest
import Journal

struct RulesTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run every rule on its samples; exit 1 when one gives other findings than it says.",
        discussion: """
            Samples stand beside the rules, in NAME.samples.yml, or in them, under 'vigie.samples'; docs/rules.md describes them.

            --coverage says which search-identifiers, values and branches of conditions the samples exercised: seen to hold, and
            seen not to.
            """
    )

    @Argument(help: "Folders of rules with their samples.")
    var paths: [String] = ["rules"]

    @Flag(help: "Name every sample, not only those that fail; with --coverage, every rule.")
    var verbose = false

    @Flag(help: "Say which parts of each rule the samples exercised.")
    var coverage = false

    @Flag(help: "Print one JSON object per sample, and with --coverage one per rule.")
    var json = false

    func run() throws {
        let (folder, formats) = RuleFolder.read(paths)
        var failures: [String] = []
        var passed = 0
        func fail(_ text: String, file: String, line: Int, name: String? = nil, reason: String) {
            failures.append(text)
            guard json else { return }
            var object: [String: JSONValue] = [
                "file": .string(file), "line": .integer(Int64(line)), "passed": false, "reason": .string(reason),
            ]
            if let name { object["sample"] = .string(name) }
            Output.line(FindingJSON.text(.object(object)))
        }
        func pass(file: String, line: Int, name: String?) {
            passed += 1
            if json {
                var object: [String: JSONValue] = ["file": .string(file), "line": .integer(Int64(line)), "passed": true]
                if let name { object["sample"] = .string(name) }
                Output.line(FindingJSON.text(.object(object)))
            } else if verbose {
                Output.line("ok  \(file):\(line)\(name.map { ": \($0)" } ?? "")")
            }
        }
        func fail(_ problem: RuleProblem) {
            fail(problem.description, file: problem.file, line: problem.line, reason: problem.reason)
        }
        for problem in folder.problems { fail(problem) }
        for problem in formats.problems {
            fail(problem.description, file: problem.file, line: problem.line, reason: problem.reason)
        }
        for result in FormatTrial(formats).run() {
            if let failure = result.failure {
                fail("\(result.file):\(result.line): \(failure)", file: result.file, line: result.line, reason: failure)
            } else {
                pass(file: result.file, line: result.line, name: nil)
            }
        }
        for stray in folder.strayedSamples {
            fail(RuleProblem(file: stray.path, line: 0, reason: "there is no rule file beside it"))
        }
        var recorder = coverage ? SampleCoverageRecorder(folder) : nil
        for rule in folder.rules {
            do throws(RuleProblem) {
                let runner = try RuleSampleRunner(folder: folder, rule: rule, formats: formats)
                for result in runner.run() {
                    if let failure = result.failure {
                        let place = "\(result.file):\(result.line)"
                        fail(
                            "\(place): \(result.name): \(failure)", file: result.file, line: result.line, name: result.name,
                            reason: failure)
                    } else {
                        pass(file: result.file, line: result.line, name: result.name)
                    }
                }
                if let used = recorder {
                    for batch in runner.batches(used.fields, used.logSources, used.taxonomy) {
                        recorder?.record(batch, file: rule.path)
                    }
                }
            } catch {
                fail(error)
            }
        }
        if let recorder { CoverageText.show(recorder.coverage, json: json, verbose: verbose) }
        if !json {
            for failure in failures { Output.line("FAILED  \(failure)") }
            Output.line("\(passed) passed, \(failures.count) failed")
        }
        if !failures.isEmpty { throw CommandFailure(.failed, "rules do not do what their samples say") }
    }
}

/// Shows what samples exercised.
private enum CoverageText {
    static func show(_ coverage: SampleCoverage, json: Bool, verbose: Bool) {
        for rule in coverage.rules {
            if json {
                Output.line(FindingJSON.text(value(rule)))
                continue
            }
            let missing = rule.items.filter { !$0.isExercised }
            guard verbose || !missing.isEmpty else { continue }
            Output.line("\(rule.exercised)/\(rule.items.count)  \(rule.header.title)  \(rule.header.file):\(rule.header.line)")
            for item in missing {
                let what = item.wasTrue ? "never seen not to hold" : item.wasFalse ? "never seen to hold" : "never looked at"
                Output.line("        \(item.kind.rawValue) \(item.text) (line \(item.line)): \(what)")
            }
        }
        guard !json else { return }
        for kind in SampleCoverage.Item.Kind.allCases {
            let items = coverage.rules.flatMap(\.items).filter { $0.kind == kind }
            Output.line("\(items.count(where: \.isExercised)) of \(items.count) \(plural(kind)) exercised")
        }
    }

    private static func plural(_ kind: SampleCoverage.Item.Kind) -> String {
        switch kind {
        case .search: "search-identifiers"
        case .value: "values of lists"
        case .branch: "branches of conditions"
        }
    }

    private static func value(_ rule: SampleCoverage.Rule) -> JSONValue {
        [
            "rule": FindingJSON.rule(rule.header), "file": .string(rule.header.file), "events": .integer(Int64(rule.events)),
            "exercised": .integer(Int64(rule.exercised)), "total": .integer(Int64(rule.items.count)),
            "parts": .array(
                rule.items.map {
                    [
                        "kind": .string($0.kind.rawValue), "text": .string($0.text), "line": .integer(Int64($0.line)),
                        "true": .bool($0.wasTrue), "false": .bool($0.wasFalse),
                    ]
                }),
        ]
    }
}

/// Runs the samples of one rule file.
struct RuleSampleRunner {
    struct Outcome {
        var name: String
        var file: String
        var line: Int
        /// `nil` when the findings were those expected.
        var failure: String?
    }

    let ruleFile: String
    let samples: [RuleSample]
    let ruleSet: RuleSet
    private let formatFolder: FormatFolder
    private let formats: FormatSet

    /// - Throws: `RuleProblem` when the file, or what it counts, is refused, or lacks one of the two kinds of samples.
    init(folder: RuleFolder, rule: RuleSource, formats: FormatFolder) throws(RuleProblem) {
        samples = try folder.samples(of: rule)
        ruleFile = rule.path
        guard !samples.isEmpty else {
            throw RuleProblem(
                file: rule.path, line: 0,
                reason: "it has no samples; write them to \(RuleFolder.samplesPath(of: rule)), or under 'vigie.samples'"
            )
        }
        ruleSet = folder.compile(file: rule.path, logSources: folder.logSources)
        formatFolder = formats
        self.formats = FormatSet(
            formats, fields: ruleSet.fields, logSources: ruleSet.logSources, taxonomy: ruleSet.taxonomy)
        if let problem = ruleSet.problems.first { throw problem }
        let kinds = Set(samples.map(\.expected.isEmpty))
        guard kinds.count == 2 else {
            let missing = kinds.contains(true) ? "that must be found" : "of benign lines that must stay silent (expect: [])"
            throw RuleProblem(file: samples[0].file, line: 0, reason: "it has no sample \(missing)")
        }
    }

    func run() -> [Outcome] {
        samples.map { Outcome(name: $0.name, file: $0.file, line: $0.line, failure: failure(of: $0)) }
    }

    /// The samples' events, under the numbers of another field table.
    func batches(_ fields: FieldTable, _ logSources: LogSourceTable, _ taxonomy: EventTaxonomy) -> [EventBatch] {
        let formats = FormatSet(formatFolder, fields: fields, logSources: logSources, taxonomy: taxonomy)
        return samples.compactMap { sample in
            guard let format = LogFormat(rawValue: sample.format) else { return nil }
            var parser = BatchParser(format: format, plan: formats.plan, formats: formats)
            return RuleSampleRunner.parse(sample, &parser)
        }
    }

    private static func parse(_ sample: RuleSample, _ parser: inout BatchParser) -> EventBatch {
        LogStream.parse(
            sample.lines, name: sample.name, parser: &parser, reference: sample.referenceTime ?? Timestamp(seconds: 1_900_000_000)
        )
    }

    private func failure(of sample: RuleSample) -> String? {
        guard let format = LogFormat(rawValue: sample.format), format.isKnown(in: formats) else {
            return "format '\(sample.format)' is not known"
        }
        var engine = Engine(ruleSet)
        var parser = BatchParser(format: format, plan: formats.plan, formats: formats)
        let batch = RuleSampleRunner.parse(sample, &parser)
        if parser.counters.unparsed > 0, format != .auto {
            return "line not in format \(format.rawValue): \(parser.unparsedSamples.first ?? "")"
        }
        var findings: [Finding] = []
        engine.consume(batch, into: &findings)
        var left = findings.filter { $0.rule.file == ruleFile }
        for expected in sample.expected {
            guard let match = left.firstIndex(where: expected.matches) else {
                return "expected \(expected), found \(left.isEmpty ? "nothing more" : left.map(describe).joined(separator: "; "))"
            }
            left.remove(at: match)
        }
        return left.isEmpty ? nil : "not expected: \(left.map(describe).joined(separator: "; "))"
    }

    private func describe(_ finding: Finding) -> String {
        "'\(finding.rule.title)' {source.ip: \(finding.sourceIP ?? "-"), user.name: \(finding.userName ?? "-"), count: \(finding.count)}"
    }
}

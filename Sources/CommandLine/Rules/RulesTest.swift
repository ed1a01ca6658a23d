import ArgumentParser
import Detection
import Events
import Ingest

struct RulesTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run every rule on its samples; exit 1 when one gives other findings than it says.",
        discussion: "Samples stand beside the rules, in NAME.samples.yml; docs/rules.md describes them."
    )

    @Argument(help: "Folders of rules with their samples.")
    var paths: [String] = ["rules"]

    @Flag(help: "Name every sample, not only those that fail.")
    var verbose = false

    func run() throws {
        let folder = RuleFolder(paths: paths)
        let formats = FormatFolder(paths: paths)
        var failures = folder.problems.map(\.description) + formats.problems.map(\.description)
        var passed = 0
        for result in FormatTrial(formats).run() {
            if let failure = result.failure {
                failures.append("\(result.file):\(result.line): \(failure)")
            } else {
                passed += 1
                if verbose { Output.line("ok  \(result.file):\(result.line)") }
            }
        }
        for source in folder.samples {
            do throws(RuleProblem) {
                for result in try RuleSampleRunner(folder: folder, source: source, formats: formats).run() {
                    if let failure = result.failure {
                        failures.append("\(source.path):\(result.line): \(result.name): \(failure)")
                    } else {
                        passed += 1
                        if verbose { Output.line("ok  \(source.path): \(result.name)") }
                    }
                }
            } catch {
                failures.append(error.description)
            }
        }
        failures += RuleSampleRunner.uncovered(folder)
        for failure in failures { Output.line("FAILED  \(failure)") }
        Output.line("\(passed) passed, \(failures.count) failed")
        if !failures.isEmpty { throw CommandFailure(.failed, "rules do not do what their samples say") }
    }
}

/// Runs the samples of one rule file.
struct RuleSampleRunner {
    struct Outcome {
        var name: String
        var line: Int
        /// `nil` when the findings were those expected.
        var failure: String?
    }

    let ruleFile: String
    let samples: [RuleSample]
    let ruleSet: RuleSet
    let formats: FormatSet

    init(folder: RuleFolder, source: RuleSource, formats: FormatFolder = FormatFolder()) throws(RuleProblem) {
        samples = try RuleSample.parse(source)
        let stem = source.path.dropLast(".samples.yml".count)
        guard let rule = folder.rules.first(where: { $0.path == stem + ".yml" || $0.path == stem + ".yaml" }) else {
            throw RuleProblem(file: source.path, line: 0, reason: "there is no rule file \(stem).yml beside it")
        }
        ruleFile = rule.path
        var logSources = LogSourceTable()
        formats.intern(into: &logSources)
        ruleSet = folder.compile(file: rule.path, logSources: logSources)
        self.formats = FormatSet(
            formats, fields: ruleSet.fields, logSources: ruleSet.logSources, taxonomy: ruleSet.taxonomy)
        if let problem = ruleSet.problems.first { throw problem }
        let kinds = Set(samples.map(\.expected.isEmpty))
        guard kinds.count == 2 else {
            let missing = kinds.contains(true) ? "that must be found" : "of benign lines that must stay silent (expect: [])"
            throw RuleProblem(file: source.path, line: 0, reason: "it has no sample \(missing)")
        }
    }

    func run() -> [Outcome] {
        samples.map { sample in Outcome(name: sample.name, line: sample.line, failure: failure(of: sample)) }
    }

    private func failure(of sample: RuleSample) -> String? {
        guard let format = LogFormat(rawValue: sample.format), format.isKnown(in: formats) else {
            return "format '\(sample.format)' is not known"
        }
        var engine = Engine(ruleSet)
        var parser = BatchParser(format: format, plan: formats.plan, formats: formats)
        let batch = LogStream.parse(
            sample.lines, name: sample.name, parser: &parser, reference: sample.referenceTime ?? Timestamp(seconds: 1_900_000_000)
        )
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

    /// Rule files without samples.
    static func uncovered(_ folder: RuleFolder) -> [String] {
        let tested = Set(folder.samples.map { $0.path.dropLast(".samples.yml".count) })
        return folder.rules.filter { !tested.contains($0.path.prefix(upTo: $0.path.lastIndex(of: ".") ?? $0.path.endIndex)) }
            .map { "\($0.path): it has no samples; write \($0.path.split(separator: "/").last ?? "")'s beside it" }
    }
}

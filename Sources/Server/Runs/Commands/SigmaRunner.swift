import Detection
import Events
import Foundation
import Ingest
import Journal
import Response

/// `sigma` commands: a rule over log files, with the engine that watches live. Only reads.
///
/// The files are those that the step's target names by `file:` addresses; without one, the logs that the server watches.
struct SigmaRunner: Sendable {
    /// Rule folders, for their formats and pipelines.
    var rulePaths: [String]
    var sources: [SourceOption]
    /// Findings that a person is told of one by one.
    static let maximumNamed = 5

    func carryOut(_ request: CommandRequest, seconds: Double) async -> CommandEnding {
        let named = ((request.target ?? request.agent).addresses["url"] ?? []).filter { $0.hasPrefix("file://") }
            .map { String($0.dropFirst("file://".count)) }
        let files = named.isEmpty ? sources : named.map { SourceOption(path: $0) }
        guard !files.isEmpty else { return .finished(CommandResult(.failed, detail: "there are no log files to look at")) }
        let end = ContinuousClock().now + .seconds(seconds)
        // Compiling and reading take a while: no actor waits for it with its own thread.
        let task = Task.detached { [rulePaths] in SigmaRunner.look(request, files, rulePaths, until: end) }
        return await withTaskCancellationHandler {
            .finished(await task.value)
        } onCancel: {
            task.cancel()
        }
    }

    private static func look(
        _ request: CommandRequest, _ files: [SourceOption], _ rulePaths: [String], until end: ContinuousClock.Instant
    ) -> CommandResult {
        var folder = RuleFolder(paths: rulePaths)
        let formatFolder = FormatFolder(paths: rulePaths)
        formatFolder.intern(into: &folder.logSources)
        let ruleSet = RuleSet(
            sources: [RuleSource(path: "command", text: request.text)], pipelines: folder.pipelines, logSources: folder.logSources
        )
        guard ruleSet.problems.isEmpty, ruleSet.count > 0 else {
            let reason = ruleSet.problems.first.map { "line \($0.line): \($0.reason)" } ?? "there is no rule"
            return CommandResult(.failed, detail: "the rule is refused: \(reason)")
        }
        let formats = FormatSet(
            formatFolder, fields: ruleSet.fields, logSources: ruleSet.logSources, taxonomy: ruleSet.taxonomy)
        let plan = JSONFieldPlan(ruleSet.fields, taxonomy: ruleSet.taxonomy)
        var engine = Engine(ruleSet)
        var count = 0
        var lines = 0
        var named: [String] = []
        for file in files {
            do throws(SourceError) {
                var stream = try LogStream(
                    path: file.path, parser: BatchParser(format: file.format, plan: plan, formats: formats))
                var batch = EventBatch(origin: BatchOrigin(source: file.path, generation: 0))
                var findings: [Finding] = []
                while try stream.next(into: &batch, reference: .system) {
                    guard ContinuousClock().now < end, !Task.isCancelled else {
                        return CommandResult(.timedOut, detail: "\(lines) lines were read by then, \(count) findings made")
                    }
                    engine.consume(batch, into: &findings)
                    count += findings.count
                    for finding in findings where named.count < maximumNamed {
                        let place = finding.evidence.last.map { " in \(file.path) at byte \($0.offset)" } ?? ""
                        named.append("\(finding.lastSeen.rfc3339)\(place)")
                    }
                    findings.removeAll(keepingCapacity: true)
                }
                lines += Int(stream.parser.counters.lines)
            } catch {
                return CommandResult(.failed, detail: "\(error)")
            }
        }
        let outputs: [String: JSONValue] = request.results.first.map { [$0: .string("\(count)")] } ?? [:]
        let list = named.isEmpty ? "" : ": " + named.joined(separator: "; ") + (count > named.count ? "; …" : "")
        return CommandResult(.succeeded, outputs: outputs, detail: "\(count) findings in \(lines) lines\(list)")
    }
}

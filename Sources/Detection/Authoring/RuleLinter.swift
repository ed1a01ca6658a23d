import Events
import Yams

/// Looks for what is wrong with rules, or could be better. Reports only what is certain.
package struct RuleLinter {
    let folder: RuleFolder
    /// What loads, compiled; the fields of formats and rules.
    let ruleSet: RuleSet
    /// Every log source that events can have.
    let logSources: [LogSource]
    /// The fields that formats give, and those that pipelines make of Windows events.
    let wellKnown: Set<String>
    var findings: [LintFinding] = []

    private let compiled: [String: Int]
    private var readings: [ReadingKey: PipelineReading] = [:]

    private struct ReadingKey: Hashable {
        var logSource: LogSource
        var taxonomy: String
    }

    /// A document that could be read, with where its parts stand.
    struct Document {
        var header: RuleHeader
        var body: SigmaDocument.Body
        var node: Node
        /// The column of the first key or value of each line.
        var columns: [Int: Int]
    }

    /// Everything there is to say about the rules of a folder, by file and line.
    package static func lint(_ folder: RuleFolder) -> [LintFinding] {
        var linter = RuleLinter(folder)
        linter.run()
        return Array(Set(linter.findings)).sorted {
            ($0.file, $0.line, $0.column, $0.severity, $0.check.rawValue, $0.reason)
                < ($1.file, $1.line, $1.column, $1.severity, $1.check.rawValue, $1.reason)
        }
    }

    private init(_ folder: RuleFolder) {
        self.folder = folder
        let ruleSet = RuleSet(sources: folder.rules, pipelines: folder.pipelines, logSources: folder.logSources)
        self.ruleSet = ruleSet
        logSources = (0..<ruleSet.logSources.count).map { ruleSet.logSources[LogSourceID(rawValue: UInt16($0))] }
        wellKnown = Set(RuleSet(sources: [], pipelines: folder.pipelines, logSources: folder.logSources).fields.names)
        compiled = Dictionary(
            ruleSet.rules.enumerated().map { ($0.element.header.id, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    /// The rule as it runs; `nil` where it was refused.
    func compiled(_ header: RuleHeader) -> CompiledRule? {
        guard let rule = compiled[header.id].map({ ruleSet.rules[$0] }) else { return nil }
        // Of two rules with one id only the first is loaded.
        return rule.header.file == header.file && rule.header.line == header.line ? rule : nil
    }

    /// What the pipelines make of a rule.
    mutating func reading(_ header: RuleHeader, _ logSource: LogSource) -> PipelineReading {
        let key = ReadingKey(logSource: logSource, taxonomy: header.taxonomy)
        if let known = readings[key] { return known }
        let reading = PipelineReading(of: header, logSource, folder.pipelines)
        readings[key] = reading
        return reading
    }

    private mutating func run() {
        var documents: [Document] = []
        for source in folder.rules {
            guard let nodes = try? SigmaParser.nodes(source) else { continue }
            let first = documents.count
            for node in nodes {
                guard case .success(let document) = SigmaParser.document(node, of: source) else { continue }
                var columns: [Int: Int] = [:]
                RuleLinter.collect(node, into: &columns)
                documents.append(Document(header: document.header, body: document.body, node: node, columns: columns))
            }
            checkSamples(of: source, documents[first...].filter { !$0.body.isFilter })
        }
        var titles: [String: [Int: String]] = [:]
        for document in documents { titles[document.header.file, default: [:]][document.header.line] = document.header.title }
        for problem in folder.problems + ruleSet.problems {
            refuse(problem, title: titles[problem.file]?[problem.line] ?? "")
        }
        for document in documents {
            checkMetadata(document)
            switch document.body {
            case .detection(let detection): checkDetection(detection, document)
            case .correlation(let correlation): checkCorrelation(correlation, document, among: documents)
            case .filter(let filter): checkFilter(filter, document)
            }
        }
        checkTitles(documents)
        checkCounting(documents)
    }

    mutating func refuse(_ problem: RuleProblem, title: String) {
        findings.append(
            LintFinding(
                check: .refused, file: problem.file, line: problem.line, column: problem.column, rule: title,
                reason: problem.reason))
    }

    private static func collect(_ node: Node, into columns: inout [Int: Int]) {
        if let mark = node.mark { columns[mark.line] = min(columns[mark.line] ?? .max, mark.column) }
        if let mapping = node.mapping {
            for (key, value) in mapping {
                collect(key, into: &columns)
                collect(value, into: &columns)
            }
        } else if let sequence = node.sequence {
            for element in sequence { collect(element, into: &columns) }
        }
    }

    mutating func report(_ check: LintCheck, _ document: Document, at node: Node?, _ reason: String) {
        let mark = node?.mark
        let line = mark?.line ?? document.header.line
        findings.append(
            LintFinding(
                check: check, file: document.header.file, line: line, column: mark?.column ?? document.columns[line] ?? 0,
                rule: document.header.title, reason: reason))
    }

    mutating func report(_ check: LintCheck, _ document: Document, line: Int, _ reason: String) {
        findings.append(
            LintFinding(
                check: check, file: document.header.file, line: line, column: document.columns[line] ?? 0,
                rule: document.header.title, reason: reason))
    }
}

extension SigmaDocument.Body {
    var isFilter: Bool { if case .filter = self { true } else { false } }
}

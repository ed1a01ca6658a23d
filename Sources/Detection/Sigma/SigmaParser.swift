import Crypto
import Events
import Yams

/// Reads rule files: YAML with one or more Sigma documents.
enum SigmaParser {
    /// Larger files are refused: YAML aliases could make them explode, and no rule is that long.
    static let maximumBytes = 1 << 20

    /// Every document of a file, or why it was refused, each by itself.
    static func parse(_ source: RuleSource) -> [Result<SigmaDocument, RuleProblem>] {
        let nodes: [Node]
        do throws(RuleProblem) {
            nodes = try self.nodes(source)
        } catch {
            return [.failure(error)]
        }
        return nodes.map { document($0, of: source) }
    }

    /// The documents of a rule file as YAML.
    static func nodes(_ source: RuleSource) throws(RuleProblem) -> [Node] {
        let nodes = try compose(source)
        try refuseActions(nodes, source)
        return nodes
    }

    /// One document of a file.
    static func document(_ node: Node, of source: RuleSource) -> Result<SigmaDocument, RuleProblem> {
        do throws(RuleProblem) {
            let hash = try hash(node, of: source)
            return .success(try DocumentParser(file: source.path, hash: hash).document(node))
        } catch {
            return .failure(error)
        }
    }
}

extension SigmaParser {
    /// SHA-256 of the text, in hex.
    static func hash(_ source: RuleSource) -> String {
        SHA256.hash(data: Array(source.text.utf8)).hexadecimal
    }

    /// - Throws: `RuleProblem` where the document is so large or deep that nothing should read it.
    static func hash(_ node: Node, of source: RuleSource) throws(RuleProblem) -> String {
        guard let hash = RuleHash.make(node) else {
            let limits = "\(RuleHash.maximumValues) values, \(RuleHash.maximumDepth) levels"
            throw RuleProblem(
                file: source.path, line: node.mark?.line ?? 0,
                reason: "the document is larger or deeper than it can be (\(limits)); split it, or take its aliases apart")
        }
        return hash
    }

    /// The documents of a YAML file; at least one.
    static func compose(_ source: RuleSource) throws(RuleProblem) -> [Node] {
        guard source.text.utf8.count <= maximumBytes else {
            throw RuleProblem(file: source.path, line: 0, reason: "the file is larger than 1 MiB; split it")
        }
        var nodes: [Node] = []
        var failure: (any Error)?
        do {
            // Asked by hand: the sequence just ends where a document cannot be read, and only this copy knows why.
            var documents = try Yams.compose_all(yaml: source.text)
            while let node = documents.next() { nodes.append(node) }
            failure = documents.error
        } catch {
            failure = error
        }
        if let failure {
            throw RuleProblem(notYAML: source, failure)
        }
        guard !nodes.isEmpty else { throw RuleProblem(file: source.path, line: 0, reason: "the file is empty") }
        return nodes
    }

    /// `action: global`, `reset` and `repeat` gave a document's keys to those that follow it; Sigma 2 has no such thing, and
    /// each document by itself would mean something else.
    private static func refuseActions(_ nodes: [Node], _ source: RuleSource) throws(RuleProblem) {
        for node in nodes {
            guard let action = node.mapping?["action"] else { continue }
            throw RuleProblem(
                file: source.path, line: action.mark?.line ?? 0,
                reason: "'action: \(action.string ?? "")' is Sigma 1; write every rule in full, as a document of its own")
        }
    }
}

/// A rule file's text, read by whoever is at the edge.
package struct RuleSource: Sendable {
    package var path: String
    package var text: String

    package init(path: String, text: String) {
        self.path = path
        self.text = text
    }

    /// The text of the document whose first key stands on a line (from 1): between the `---` around it.
    package func text(ofDocumentAt line: Int) -> String {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard line >= 1, line <= lines.count else { return "" }
        let isSeparator = { (index: Int) in lines[index].starts(with: "---".utf8) }
        let start = (0..<line - 1).last(where: isSeparator).map { $0 + 1 } ?? 0
        let end = (line..<lines.count).first(where: isSeparator) ?? lines.count
        return String(text[lines[start].startIndex..<lines[end - 1].endIndex])
    }
}

extension RuleProblem {
    /// Of a file that Yams does not read: where, and why in a line.
    init(notYAML source: RuleSource, _ error: any Error) {
        var line = 0
        var reason = "it cannot be read"
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            line = mark.line
            reason = problem
        case .duplicatedKeysInMapping(let duplicates, let context):
            line = context.mark.line
            reason = "the same key stands twice: \(duplicates.sorted().joined(separator: ", "))"
        case nil: reason = "\(error)"
        default: break
        }
        self.init(file: source.path, line: line, reason: "not YAML: \(reason)")
    }
}

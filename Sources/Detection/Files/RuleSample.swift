package import Events
import Yams

/// Lines to run a rule on, and the findings they must give: `NAME.samples.yml` beside `NAME.yml`.
package struct RuleSample: Sendable {
    package var name: String
    package var format: String
    /// Resolves dates without a year.
    package var referenceTime: Timestamp?
    /// What must be found, in any order; empty for benign lines.
    package var expected: [Expectation]
    package var lines: String
    package var file: String
    package var line: Int

    /// A finding; only what is set is compared.
    package struct Expectation: Sendable, CustomStringConvertible {
        package var values: [String: String]

        package var description: String {
            "{" + values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
        }

        package func matches(_ finding: Finding) -> Bool {
            values.allSatisfy { key, value in
                switch key {
                case "rule": finding.rule.title == value || finding.rule.id == value || finding.rule.name == value
                case "source.ip": finding.sourceIP == value
                case "user.name": finding.userName == value
                case "count": String(finding.count) == value
                case "category": finding.rule.category.rawValue == value
                case "severity": finding.rule.level.severityCode == value
                default: false
                }
            }
        }
    }

    private static let keys: Set<String> = ["name", "format", "reference_time", "expect", "lines"]
    private static let expectationKeys: Set<String> = ["rule", "source.ip", "user.name", "count", "category", "severity"]

    /// - Throws: `RuleProblem` when the file is not a list of samples.
    package static func parse(_ source: RuleSource) throws(RuleProblem) -> [RuleSample] {
        let node: Node?
        do {
            node = try Yams.compose(yaml: source.text)
        } catch {
            throw RuleProblem(notYAML: source, error)
        }
        guard let sequence = node?.sequence, !sequence.isEmpty else {
            throw RuleProblem(file: source.path, line: node?.mark?.line ?? 0, reason: "a samples file is a list of samples")
        }
        var samples: [RuleSample] = []
        for element in sequence { samples.append(try sample(element, file: source.path)) }
        return samples
    }

    /// The samples that stand in the rules themselves: `vigie: {samples: [...]}`. None where a document cannot be read.
    ///
    /// - Throws: `RuleProblem` when one is not as it should be.
    static func within(_ source: RuleSource) throws(RuleProblem) -> [RuleSample] {
        guard let nodes = try? SigmaParser.nodes(source) else { return [] }
        var samples: [RuleSample] = []
        for node in nodes {
            guard let own = node.mapping?["vigie"]?.mapping?["samples"], RuleHash.make(own) != nil else { continue }
            guard let sequence = own.sequence else {
                throw RuleProblem(file: source.path, line: own.mark?.line ?? 0, reason: "'vigie.samples' is a list of samples")
            }
            for element in sequence { samples.append(try sample(element, file: source.path)) }
        }
        return samples
    }

    private static func sample(_ node: Node, file: String) throws(RuleProblem) -> RuleSample {
        func problem(_ node: Node, _ reason: String) -> RuleProblem {
            RuleProblem(file: file, line: node.mark?.line ?? 0, reason: reason)
        }
        guard let mapping = node.mapping else { throw problem(node, "a sample is a mapping") }
        for (key, _) in mapping where !keys.contains(key.string ?? "") {
            let nearest = NearestName.find(key.string ?? "", among: keys)
            throw problem(key, "'\(key.string ?? "")' is not known" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
        }
        guard let name = mapping["name"]?.string, let lines = mapping["lines"]?.string else {
            throw problem(node, "a sample has a 'name' and 'lines'")
        }
        guard let expect = mapping["expect"]?.sequence else { throw problem(node, "a sample has 'expect', a list; [] for none") }
        var reference: Timestamp?
        if let time = mapping["reference_time"] {
            guard let text = time.scalar?.string, let parsed = Timestamp(rfc3339: text) else {
                throw problem(time, "'reference_time' is an RFC 3339 time")
            }
            reference = parsed
        }
        var expected: [Expectation] = []
        for element in expect {
            var values: [String: String] = [:]
            guard let pairs = element.mapping else { throw problem(element, "an expected finding is a mapping") }
            for (key, value) in pairs {
                guard let key = key.string, expectationKeys.contains(key) else {
                    throw problem(
                        element,
                        "'\(key.string ?? "")' cannot be expected; known are \(expectationKeys.sorted().joined(separator: ", "))")
                }
                values[key] = value.scalar?.string ?? ""
            }
            expected.append(Expectation(values: values))
        }
        return RuleSample(
            name: name, format: mapping["format"]?.string ?? "auto", referenceTime: reference, expected: expected, lines: lines,
            file: file, line: node.mark?.line ?? 0)
    }
}

import ArgumentParser
import Detection
import Journal

struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "List, check, test and explain detection rules.",
        subcommands: [RulesList.self, RulesLint.self, RulesTest.self, RulesExplain.self, RulesCoverage.self]
    )
}

struct RulesList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the rules that load.")

    @Argument(help: "Folders of rules, or rule files.")
    var paths: [String] = ["rules"]

    @Flag(help: "Print one JSON object per rule.")
    var json = false

    func run() throws {
        let ruleSet = try LoadedRules.load(paths)
        for (header, isReported) in ruleSet.headers.sorted(by: { $0.header.file < $1.header.file }) {
            if json {
                Output.line(
                    FindingJSON.text([
                        "id": .string(header.id), "title": .string(header.title), "level": .string(header.level.rawValue),
                        "category": .string(header.category.rawValue), "file": .string(header.file), "hash": .string(header.hash),
                        "reported": .bool(isReported), "attack": .array(header.techniques.map { .string($0) }),
                        "requirements": .array(header.requirements.map { .string($0) }),
                    ]))
            } else {
                let level = header.level.rawValue.padding(to: 14)
                let kind = isReported ? header.category.rawValue : "(counted)"
                Output.line("\(level)\(kind.padding(to: 15))\(header.title)  \(header.file):\(header.line)")
            }
        }
    }
}

extension String {
    /// At least `width` characters, filled up with spaces.
    func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}

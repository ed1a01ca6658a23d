import Foundation
import Testing

@testable import Detection

/// Rules that must be refused: each fixture's first line says on which line and why, and the others go on running.
@Suite struct RefusedRulesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var path: String
        var text: String

        var testDescription: String { (path as NSString).lastPathComponent }

        static let all: [Case] = {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Fixtures/refused").path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
            return names.compactMap { name in
                (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)).map {
                    Case(path: folder + "/" + name, text: $0)
                }
            }
        }()
    }

    @Test func thereAreFixtures() { #expect(Case.all.count >= 15) }

    /// An id may be left out: then file and title say which rule it is, whatever is changed in it and wherever the folder lies.
    @Test func aRuleWithoutAnIDHasOneThatStays() throws {
        let rule = EngineTrial.rule("s: {a: b}\ncondition: s").split(separator: "\n").filter { !$0.hasPrefix("id:") }
            .joined(separator: "\n")
        func id(_ path: String, _ text: String) throws -> String {
            let set = RuleSet(sources: [RuleSource(path: path, text: text)])
            #expect(set.problems.isEmpty)
            return try #require(set.headers.first).header.id
        }
        let first = try id("rules/trial.yml", rule)
        #expect(first == (try id("/etc/vigie/rules/trial.yml", rule.replacing("a: b", with: "a: c"))))
        #expect(first != (try id("rules/other.yml", rule)))
        #expect(first != (try id("rules/trial.yml", rule.replacing("Trial", with: "Another"))))
        #expect(UUID(uuidString: first) != nil)
    }

    @Test(arguments: Case.all)
    func isRefused(_ fixture: Case) throws {
        // `# 7: reason` in the first line.
        let expectation = try #require(fixture.text.split(separator: "\n").first).dropFirst(2)
        let parts = expectation.split(separator: ":", maxSplits: 1)
        let line = try #require(Int(parts[0]))
        let reason = parts[1].trimmingCharacters(in: .whitespaces)
        let good = RuleSource(path: "good.yml", text: EngineTrial.rule("s: {a: b}\ncondition: s"))
        let ruleSet = RuleSet(sources: [RuleSource(path: fixture.path, text: fixture.text), good])
        let problem = try #require(ruleSet.problems.first)
        #expect(ruleSet.problems.count == 1)
        #expect(problem.line == line, "\(problem)")
        #expect(problem.reason.contains(reason), "\(problem)")
        #expect(problem.file == fixture.path)
        #expect(ruleSet.headers.contains { $0.header.file == "good.yml" }, "a refused rule takes no other with it")
    }
}

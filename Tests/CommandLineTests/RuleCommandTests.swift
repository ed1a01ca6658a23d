import ArgumentParser
import Foundation
import Testing

@testable import CommandLine

/// What the commands about rules conclude; what they print is tested where it is made.
@Suite("Commands about rules")
struct RuleCommandTests {
    private let folder = RuleFolderFixture()

    @Test("lint fails on errors, on warnings only when asked to, and not on clean rules")
    func lint() throws {
        try folder.write(RuleFolderFixture.rule, to: "good.yml")
        try RulesLint.parse([folder.path, "--quiet", "--json"]).run()
        try folder.write(RuleFolderFixture.rule.replacing("url.path", with: "url.pth"), to: "good.yml")
        try RulesLint.parse([folder.path]).run()
        let strict = #expect(throws: CommandFailure.self) { try RulesLint.parse([folder.path, "--strict"]).run() }
        #expect(strict?.code == .failed && strict?.message.contains("warnings") == true)
        try folder.write("title: Broken\ndetection: [", to: "broken.yml")
        let broken = #expect(throws: CommandFailure.self) { try RulesLint.parse([folder.path]).run() }
        #expect(broken?.message.contains("1 errors") == true)
    }

    @Test("samples that do what they say pass, with their coverage, and others fail")
    func samples() throws {
        try folder.write(RuleFolderFixture.rule, to: "good.yml")
        try folder.write(RuleFolderFixture.samples, to: "good.samples.yml")
        try RulesTest.parse([folder.path, "--coverage", "--json"]).run()
        try folder.write(RuleFolderFixture.samples.replacing("/admin", with: "/other"), to: "good.samples.yml")
        let failure = #expect(throws: CommandFailure.self) { try RulesTest.parse([folder.path, "--coverage"]).run() }
        #expect(failure?.code == .failed)
    }

    @Test("explain ends with 1 when nothing matches, and with 2 for what it cannot explain")
    func explain() throws {
        try folder.write(RuleFolderFixture.rule, to: "good.yml")
        try folder.write(RuleFolderFixture.line("/admin"), to: "hit.log")
        try folder.write(RuleFolderFixture.line("/"), to: "miss.log")
        func explain(_ rule: String, _ file: String) throws {
            try RulesExplain.parse([rule, folder.file(file), "--rules", folder.path, "--json"]).run()
        }
        try explain("Admin page", "hit.log")
        #expect(#expect(throws: CommandFailure.self) { try explain("Admin page", "miss.log") }?.code == .failed)
        #expect(#expect(throws: CommandFailure.self) { try explain("No such rule", "hit.log") }?.code == .usage)
        #expect(#expect(throws: CommandFailure.self) { try explain("Admin page", "none.log") }?.code == .usage)
    }

    @Test("explain ends as the engine finds: an absence once its time is up, an order only in its order")
    func explainCorrelations() throws {
        try folder.write(RuleFolderFixture.correlations, to: "order.yml")
        func explain(_ rule: String, _ file: String, json: Bool) throws {
            let arguments = [rule, folder.file(file), "--rules", folder.path, "--format", "json"]
            try RulesExplain.parse(arguments + (json ? ["--json"] : [])).run()
        }
        let line = { (minute: Int, action: String) in
            #"{"@timestamp": \#(1_780_000_000 + 60 * minute), "k": "\#(action)", "u": "a"}"# + "\n"
        }
        try folder.write(line(0, "q") + line(20, "z"), to: "silent.log")
        try folder.write(line(0, "q") + line(10, "an"), to: "ordered.log")
        try folder.write(line(0, "an") + line(10, "q"), to: "reversed.log")
        for json in [false, true] {
            try explain("No answer", "silent.log", json: json)
            try explain("Answer", "ordered.log", json: json)
            for (rule, file) in [("No answer", "reversed.log"), ("Answer", "reversed.log"), ("Answer", "silent.log")] {
                let failure = #expect(throws: CommandFailure.self) { try explain(rule, file, json: json) }
                #expect(failure?.code == .failed)
            }
        }
    }

    @Test("coverage reads rules and logs, and names a log that cannot be read")
    func coverage() throws {
        try folder.write(RuleFolderFixture.rule, to: "good.yml")
        try folder.write(RuleFolderFixture.line("/admin"), to: "hit.log")
        try RulesCoverage.parse([folder.path, "--log", folder.file("hit.log"), "--json"]).run()
        let failure = #expect(throws: CommandFailure.self) {
            try RulesCoverage.parse([folder.path, "--log", folder.file("none.log"), "--json"]).run()
        }
        #expect(failure?.code == .usage)
    }
}

/// A folder of rules for one test, removed when the test is over.
final class RuleFolderFixture: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/vigie-rules-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws { try text.write(toFile: file(name), atomically: true, encoding: .utf8) }

    static let rule = """
        title: Admin page
        id: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d10
        status: test
        description: Somebody asks for the page of administrators.
        author: Vigie
        date: 2026-03-01
        logsource: {category: webserver}
        detection: {selection: {url.path: /admin}, condition: selection}
        falsepositives: [Administrators]
        level: low
        tags: [attack.discovery]
        vigie: {category: scan}
        """

    static let correlations = """
        title: Question
        name: q
        id: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d11
        logsource: {category: application}
        detection: {s: {k: q}, condition: s}
        ---
        title: Reply
        name: an
        id: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d12
        logsource: {category: application}
        detection: {s: {k: an}, condition: s}
        ---
        title: No answer
        id: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d13
        correlation:
          type: temporal_ordered
          rules: [q, an]
          aliases: {who: {q: u, an: u}}
          group-by: [who]
          timespan: 15m
          condition: q and not an
        vigie: {absence: true}
        ---
        title: Answer
        id: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d14
        correlation: {type: temporal_ordered, rules: [q, an], group-by: [u], timespan: 15m}
        """

    static func line(_ path: String) -> String {
        #"192.0.2.7 - - [01/Mar/2026:10:00:00 +0000] "GET \#(path) HTTP/1.1" 200 5 "-" "-""# + "\n"
    }

    static let samples = """
        - name: an administrator
          format: combined
          expect:
            - {rule: Admin page}
          lines: |
            192.0.2.7 - - [01/Mar/2026:10:00:00 +0000] "GET /admin HTTP/1.1" 200 5 "-" "-"
        - name: a visitor
          format: combined
          expect: []
          lines: |
            192.0.2.7 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "-"
        """
}

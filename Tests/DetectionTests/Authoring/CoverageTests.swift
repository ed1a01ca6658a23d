import Detection
import Events
import Foundation
import Ingest
import Testing

struct CoverageTests {
    private static let rule = """
        title: Admin pages
        id: 00000000-0000-4000-8000-000000000001
        tags: [attack.t1110.001, attack.credential-access]
        logsource: {category: webserver}
        detection:
          path: {url.path|contains: [/admin, /manager]}
          office: {source.ip|cidr: 192.0.2.0/24}
          condition: path and not office
        level: low
        vigie:
          requirements: [D1, D10]
          samples:
            - name: an admin page
              format: combined
              expect: [{rule: Admin pages}]
              lines: |
                203.0.113.9 - - [01/Mar/2026:10:00:00 +0000] "GET /admin HTTP/1.1" 200 17 "-" "curl"
            - name: another page
              format: combined
              expect: []
              lines: |
                203.0.113.9 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 17 "-" "curl"
        """

    private static var folder: RuleFolder { RuleFolder(rules: [RuleSource(path: "rules/admin.yml", text: rule)]) }

    @Test("Samples in the rule are read, and what they do not exercise is named")
    func samples() throws {
        let folder = CoverageTests.folder
        let samples = try folder.samples(of: folder.rules[0])
        #expect(samples.map(\.name) == ["an admin page", "another page"])
        #expect(samples[0].line == 13 && samples[0].file == "rules/admin.yml")
        var recorder = SampleCoverageRecorder(folder)
        for sample in samples {
            var parser = BatchParser(format: .combined, plan: JSONFieldPlan(recorder.fields))
            recorder.record(
                LogStream.parse(sample.lines, name: sample.name, parser: &parser, reference: Timestamp(seconds: 1_900_000_000)),
                file: "rules/admin.yml")
        }
        let rule = try #require(recorder.coverage.rules.first)
        #expect(rule.events == 2)
        let missing = rule.items.filter { !$0.isExercised }.map { "\($0.kind.rawValue) \($0.text)" }
        // Nothing came from the office, and nobody asked for /manager.
        #expect(missing == ["value url.path|contains: '/manager'", "search office", "branch not office"], "\(missing)")
    }

    @Test func topics() throws {
        var coverage = try RuleCoverage(CoverageTests.folder)
        #expect(coverage.techniques.map(\.name) == ["T1110.001"])
        #expect(coverage.tactics.map(\.name) == ["credential-access"])
        #expect(coverage.requirements.map(\.name) == ["D1", "D10"])
        #expect(coverage.withoutSamples.isEmpty)
        #expect(coverage.unwatchedSources.contains("category authentication, product linux, service sshd"))
        #expect(!coverage.unwatchedSources.contains("category webserver"))
        #expect(coverage.unseenFields.map(\.name) == ["source.ip", "url.path"])
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(coverage.fields))
        coverage.record(
            LogStream.parse(
                #"{"remote_addr":"192.0.2.1","msg":"hello"}"# + "\n", name: "x", parser: &parser, reference: Timestamp(seconds: 0)
            ))
        #expect(coverage.unseenFields.map(\.name) == ["url.path"])
        #expect(coverage.events == 1)
    }

    @Test("The page about what the rules cover is what the rules say")
    func page() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let rules = root.appendingPathComponent("rules").path
        var folder = RuleFolder(paths: [rules])
        FormatFolder(paths: [rules]).intern(into: &folder.logSources)
        let coverage = try RuleCoverage(folder)
        let text = try String(contentsOf: root.appendingPathComponent("docs/detection-coverage.md"), encoding: .utf8)
        #expect(
            text == coverage.markdown(root: root.path + "/"), "run `vigie rules coverage --markdown > docs/detection-coverage.md`"
        )
    }
}

import Detection
import Foundation
import Testing

struct RuleLinterTests {
    private static let samples = """
        - name: one
          format: combined
          expect: []
          lines: |
            192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 17 "-" "curl"
        """

    private func lint(_ text: String, hasSamples: Bool = true) -> [LintFinding] {
        RuleLinter.lint(
            RuleFolder(
                rules: [RuleSource(path: "example.yml", text: text)],
                samples: hasSamples ? [RuleSource(path: "example.samples.yml", text: RuleLinterTests.samples)] : []))
    }

    @Test("Every check objects to its example, and no other of its weight does", arguments: LintCheck.allCases)
    func example(_ check: LintCheck) {
        let found = lint(check.completed, hasSamples: check != .noSamples)
        #expect(found.contains { $0.check == check }, "\(found.map(\.description))")
        // A fault can be a reason for advice as well; no other error or warning may come of it.
        let others = found.filter { $0.check != check && $0.severity < .advice }
        #expect(others.isEmpty, "\(others.map(\.description))")
        for finding in found { #expect(finding.line > 0) }
    }

    @Test("Findings stand at the line and column of what they are about")
    func places() throws {
        let text = LintCheck.unusedSearch.completed
        let finding = try #require(lint(text).first { $0.check == .unusedSearch })
        let line = text.split(separator: "\n", omittingEmptySubsequences: false)[finding.line - 1]
        #expect(line == "  office: {source.ip|cidr: 192.0.2.0/24}")
        #expect(finding.column == 3)
        #expect(finding.description.hasPrefix("example.yml:\(finding.line):3: warning: "))
    }

    @Test(
        "What could match is left alone",
        arguments: [
            "a: {url.path|contains: [x1y, z2w]}\n  b: {url.path|contains: q3r}\n  condition: a and b",
            "a: {http.response.status_code|gte: 400}\n  b: {http.response.status_code|lt: 500}\n  condition: a and b",
            "a: {http.request.method: [GET, POST]}\n  b: {http.request.method: [POST, PUT]}\n  condition: a and b",
            "a: {url.path|startswith: /admin}\n  b: {url.path|endswith: .php}\n  condition: a and not b",
            "a: {url.path|startswith: /ad}\n  b: {url.path|startswith: /admin}\n  condition: a and b",
            "a: {url.path|re: '^/Admin'}\n  b: {url.path: /ADMIN}\n  condition: a and b",
            "a: {url.path: /admin}\n  b: {url.path|contains: ADM}\n  condition: a and b",
            "a: {user.name: null}\n  b: {source.ip|exists: true}\n  condition: a and b",
        ])
    func possible(_ detection: String) {
        let text = LintCheck.neverMatches.completed
        let head = text[..<(text.range(of: "detection:")?.lowerBound ?? text.endIndex)]
        let found = lint(head + "detection:\n  " + detection)
        let wrong: Set<LintCheck> = [.refused, .neverMatches, .contradiction, .alwaysMatches]
        #expect(!found.contains { wrong.contains($0.check) }, "\(found.map(\.description))")
    }

    @Test(
        "What cannot match is found",
        arguments: [
            "a: {user.name: null}\n  b: {user.name|startswith: adm}\n  condition: a and b",
            "a: {user.name|exists: false}\n  b: {user.name: admin}\n  condition: all of them",
            "a: {url.path|re: '^/x'}\n  b: {url.path|re: '^/x'}\n  condition: a and not b",
            "a: {url.path: /x}\n  condition: not (a or not a)",
            "a: {'@timestamp|hour|gt': 23}\n  condition: a",
        ])
    func impossible(_ detection: String) {
        let text = LintCheck.neverMatches.completed
        let head = text[..<(text.range(of: "detection:")?.lowerBound ?? text.endIndex)]
        let found = lint(head + "detection:\n  " + detection)
        #expect(found.contains { $0.check == .neverMatches }, "\(found.map(\.description))")
    }

    @Test(
        "Values and fields that no event has are found, and others left alone",
        arguments: [
            ("source.ip: 300.1.1.1", LintCheck.impossibleValue), ("source.ip: [192.0.2.1, 198.51.100.0/24]", .impossibleValue),
            ("http.response.status_code: [200, 2xx]", .impossibleValue), ("user.name|fieldref: user.nme", .unknownField),
            ("source.ip: [192.0.2.1, '192.0.2.*', '2001:db8::1']", nil), ("source.ip|startswith: '192.0.'", nil),
            ("http.response.status_code: [200, '404', '5??']", nil), ("user.name|fieldref: host.name", nil),
        ])
    func shapes(_ item: String, expected: LintCheck?) {
        let text = LintCheck.impossibleText.completed
        let head = text[..<(text.range(of: "detection:")?.lowerBound ?? text.endIndex)]
        let found = lint(head + "detection:\n  probe: {\(item)}\n  condition: probe").filter { $0.severity < .advice }
        #expect(found.map(\.check) == (expected.map { [$0] } ?? []), "\(found.map(\.description))")
    }

    @Test("A group has one value of what it is grouped by")
    func countedByItself() {
        func checks(_ condition: String, _ group: String) -> [LintCheck] {
            let text = LintCheck.correlationAlways.completed.replacing("event_count", with: "value_count")
                .replacing("group-by: [source.ip]", with: "group-by: [\(group)]").replacing("{gte: 1}", with: condition)
            return lint(text).filter { $0.severity < .advice }.map(\.check)
        }
        #expect(checks("{field: source.ip, gte: 2}", "source.ip") == [.correlationNever])
        #expect(checks("{field: user.name, gte: 2}", "source.ip") == [])
        #expect(checks("{field: source.ip, gte: 2}", "user.name") == [])
    }

    @Test("The page about the checks is what the program says")
    func page() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/rule-lint.md"), encoding: .utf8)
        #expect(text == LintCheck.markdown, "run `vigie rules lint --markdown > docs/rule-lint.md`")
    }

    @Test("The rules that ship have no errors")
    func shipped() {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = RuleFolder(paths: [root.appendingPathComponent("rules").path])
        #expect(folder.rules.count > 10)
        let errors = RuleLinter.lint(folder).filter { $0.severity == .error }
        #expect(errors.isEmpty, "\(errors.map(\.description).joined(separator: "\n"))")
    }
}

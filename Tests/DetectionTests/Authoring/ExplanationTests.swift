import Detection
import Events
import Foundation
import Ingest
import Testing

struct ExplanationTests {
    private static let rules = """
        title: Admin pages
        name: admin_page
        id: 00000000-0000-4000-8000-000000000001
        logsource: {category: webserver}
        detection:
          path:
            url.path|contains: [/admin, /manager]
            http.request.method: POST
          office:
            source.ip|cidr: 192.0.2.0/24
          condition: path and not office
        level: low
        ---
        title: Admin pages sought
        id: 00000000-0000-4000-8000-000000000002
        correlation:
          type: event_count
          rules: [admin_page]
          group-by: [source.ip]
          timespan: 5m
          condition: {gte: 2}
        level: medium
        """

    private static var folder: RuleFolder { RuleFolder(rules: [RuleSource(path: "rules/admin.yml", text: rules)]) }

    private func line(_ address: String, _ request: String, second: Int = 0) -> String {
        "\(address) - - [01/Mar/2026:10:00:0\(second) +0000] \"\(request) HTTP/1.1\" 200 17 \"-\" \"curl\"\n"
    }

    private func explain(_ rule: String, _ text: String, format: LogFormat = .combined) throws -> RuleExplainer.Result {
        let explainer = try RuleExplainer(ExplanationTests.folder, rule: rule)
        var parser = BatchParser(format: format, plan: JSONFieldPlan(explainer.fields))
        let batch = LogStream.parse(text, name: "test", parser: &parser, reference: Timestamp(seconds: 1_900_000_000))
        return explainer.explain(batch)
    }

    private func event(_ rule: String, _ text: String, format: LogFormat = .combined) throws -> Explanation.Event {
        guard case .rule(let explanation) = try explain(rule, text, format: format) else {
            throw RuleProblem(file: "", line: 0, reason: "a correlation")
        }
        return try #require(explanation.events.first)
    }

    @Test("Every part says whether it holds, and what the event has instead")
    func tree() throws {
        let event = try event("admin_page", line("203.0.113.9", "GET /x/manager/"))
        #expect(event.isRouted && !event.matches && !event.condition.holds)
        #expect(event.condition.text == "path and not office")
        let path = try #require(event.condition.steps.first)
        #expect(path.text == "path" && !path.holds)
        let contains = try #require(path.steps.first)
        #expect(contains.holds && contains.actual == ["/x/manager/"])
        #expect(contains.steps.map(\.holds) == [false, true])
        let method = try #require(path.steps.last)
        #expect(!method.holds && method.note == "value is 'GET'")
        #expect(event.condition.steps.last?.holds == true, "not office")
    }

    @Test func match() throws {
        let event = try event("Admin pages", line("203.0.113.9", "POST /admin"))
        #expect(event.matches && event.condition.holds)
    }

    @Test("An event of another log source is not compared at all")
    func routing() throws {
        let event = try event(
            "00000000-0000-4000-8000-000000000001",
            "Mar  1 10:00:00 host sshd[1]: Failed password for root from 203.0.113.9 port 22 ssh2\n", format: .sshd)
        #expect(!event.isRouted && !event.matches)
        #expect(event.logSource == "category authentication, product linux, service sshd")
    }

    @Test func absentField() throws {
        let event = try event(
            "admin_page", #"{"request_uri":"/admin","status":200,"remote_addr":"203.0.113.9"}"# + "\n", format: .json)
        let method = event.condition.steps.first?.steps.last
        #expect(method?.note?.hasPrefix("field absent") == true, "\(method?.note ?? "")")
    }

    @Test("A correlation shows its group after each line, and agrees with the engine on what fires")
    func correlation() throws {
        let text =
            line("203.0.113.9", "POST /admin", second: 1) + line("203.0.113.8", "POST /admin", second: 2)
            + line("203.0.113.9", "GET /", second: 3) + line("203.0.113.9", "POST /manager", second: 4)
        guard case .correlation(let explanation) = try explain("Admin pages sought", text) else {
            Issue.record("not a correlation")
            return
        }
        #expect(explanation.wants == "gte 2 events within 5m, per source.ip")
        #expect(explanation.steps.map(\.line) == [1, 2, 4])
        #expect(explanation.steps.map(\.value) == [1, 1, 2])
        #expect(explanation.steps.map { $0.finding != nil } == [false, false, true])
        #expect(explanation.matches)
    }

    @Test("A rule that is not there, and a file with several, are told apart")
    func names() {
        #expect(throws: RuleProblem.self) { try RuleExplainer(ExplanationTests.folder, rule: "admin_pag") }
        #expect(throws: RuleProblem.self) { try RuleExplainer(ExplanationTests.folder, rule: "admin.yml") }
        do throws(RuleProblem) {
            _ = try RuleExplainer(ExplanationTests.folder, rule: "admin_pag")
        } catch {
            #expect(error.reason.contains("did you mean 'admin_page'"))
        }
    }

    @Test("Explanation and engine agree on every rule that ships and every line of its samples")
    func agreement() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = RuleFolder(paths: [
            root.appendingPathComponent("rules/web/path_traversal.yml").path,
            root.appendingPathComponent("rules/web/path_traversal.samples.yml").path,
            root.appendingPathComponent("rules/auth").path,
        ])
        var compared = 0
        for source in folder.rules {
            let ruleSet = folder.compile(file: source.path)
            for (header, _) in ruleSet.headers where header.file == source.path && ruleSet.logSource(of: header.id) != nil {
                let explainer = try RuleExplainer(folder, rule: header.id)
                for sample in try folder.samples(of: source) {
                    var parser = BatchParser(
                        format: LogFormat(rawValue: sample.format) ?? .auto, plan: JSONFieldPlan(explainer.fields))
                    let batch = LogStream.parse(
                        sample.lines, name: sample.name, parser: &parser,
                        reference: sample.referenceTime ?? Timestamp(seconds: 1_900_000_000))
                    guard case .rule(let explanation) = explainer.explain(batch) else { continue }
                    for event in explanation.events {
                        // The whole rule is judged by the engine, the tree is put together from its parts.
                        #expect(event.matches == (event.isRouted && event.condition.holds), "\(header.title): \(event.text)")
                        compared += 1
                    }
                }
            }
        }
        #expect(compared > 100, "\(compared)")
    }
}

import Events
import Foundation
import Ingest
import Testing

@testable import Detection

/// Pipelines: what they make of rules and of events.
@Suite struct PipelineTests {
    private static let webserver = "{category: webserver}"

    private func ruleSet(_ detection: String, _ pipelines: String, logsource: String = webserver) throws -> RuleSet {
        let parsed = try Pipeline.parse(RuleSource(path: "pipelines/p.yml", text: pipelines))
        return RuleSet(
            sources: [RuleSource(path: "r.yml", text: EngineTrial.rule(detection, logsource: logsource))], pipelines: parsed)
    }

    private func matches(_ detection: String, _ pipelines: String, _ event: String, logsource: String = webserver) throws -> Bool
    {
        let rules = try ruleSet(detection, pipelines, logsource: logsource)
        #expect(rules.problems.isEmpty, "\(rules.problems)")
        return try WindowsEvents.matches(rules, event, format: .json)
    }

    @Test(arguments: [
        ("fields: {cs-method: http.request.method}", true), ("logsource: {category: proxy}\nfields: {cs-method: method}", false),
        ("fields: {cs-method: [absent, http.request.method]}", true), ("fields: {cs-method: absent}", false),
        ("prefixes: {cs-: http.request.}", true),
        ("nest: [{logsource: {category: webserver}, prefixes: {cs-: http.request.}}]", true),
        ("nest: [{logsource: {product: x}, prefixes: {cs-: http.request.}}]", false),
    ])
    func fieldsAreMapped(pipeline: String, matches: Bool) throws {
        let event = #"{"http.request.method": "GET", "url": "/"}"#
        #expect(try self.matches("s: {cs-method: GET}\ncondition: s", pipeline, event) == matches)
    }

    @Test func prefixAndSuffixAreAddedToWhatNothingElseMaps() throws {
        let event = #"{"a.b.c": "x", "d": "y", "url": "/"}"#
        let pipeline = "fields: {d: d}\nadd_prefix: a.\nadd_suffix: .c"
        #expect(try matches("s: {b: x, d: y}\ncondition: s", pipeline, event))
    }

    @Test(arguments: [("null", false), ("x", true), ("y", true)])
    func aNameForSeveralFieldsIsAbsentOnlyWhenAllAre(value: String, matches: Bool) throws {
        let event = #"{"one": "x", "two": "y", "url": "/"}"#
        #expect(try self.matches("s: {a: \(value)}\ncondition: s", "fields: {a: [one, two]}", event) == matches)
        #expect(try self.matches("s: {a|neq: z}\ncondition: s", "fields: {a: [one, two]}", event))
        #expect(try !self.matches("s: {a|neq: y}\ncondition: s", "fields: {a: [one, two]}", event))
        #expect(try !self.matches("s: {a|exists: false}\ncondition: s", "fields: {a: [gone, two]}", event))
        #expect(try self.matches("s: {a|exists: false}\ncondition: s", "fields: {a: [gone, lost]}", event))
    }

    @Test(arguments: [
        ("a|expand: '%Servers%'", true), ("a|expand: 'x%Servers%'", false), ("a|expand: '\\%Servers%'", false),
        ("a|contains|expand: '%part%'", true), ("a|expand: '%part%-%number%'", true),
    ])
    func placeholders(item: String, matches: Bool) throws {
        let pipeline = "placeholders: {Servers: [db*, web-1], part: web, number: [1, 2]}"
        let event = #"{"a": "web-1", "url": "/"}"#
        #expect(try self.matches("s: {\(item)}\ncondition: s", pipeline, event) == matches)
    }

    @Test func aPlaceholderWithoutValuesIsRefused() throws {
        let rules = try ruleSet("s: {a|expand: '%Other%'}\ncondition: s", "placeholders: {Servers: web-1}")
        #expect(
            rules.problems.map(\.reason) == ["placeholder '%Other%' has no values; give them under 'placeholders' in a pipeline"])
    }

    @Test func theLogSourceIsChanged() throws {
        let pipeline = "logsource: {category: web}\nchange_logsource: {category: webserver}\nfields: {m: http.request.method}"
        let event = #"{"http.request.method": "GET", "url": "/"}"#
        #expect(try matches("s: {m: GET}\ncondition: s", pipeline, event, logsource: "{category: web}"))
    }

    @Test(arguments: [
        ("{b: y}", true), ("{b: z}", false), ("{not: {b: z}}", true), ("[{b: y}, {not: {b: y}}]", false),
    ])
    func conditionsAreAdded(condition: String, matches: Bool) throws {
        let event = #"{"a": "x", "b": "y", "url": "/"}"#
        #expect(try self.matches("s: {a: x}\ncondition: s", "add_condition: \(condition)", event) == matches)
    }

    @Test func attributesAreSet() throws {
        let rules = try ruleSet(
            "s: {a: x}\ncondition: s", "set_custom_attribute: {vigie.category: token, vigie.hostile: false, team: web}")
        let header = try #require(rules.headers.first?.header)
        #expect(header.category == .token && !header.isHostile && header.attributes == ["team": "web"])
    }

    @Test(arguments: [
        ("field: {a: b}", "did you mean 'fields'?"), ("fields: [a]", "'fields' is a mapping"), ("[a]", "a pipeline is a mapping"),
        ("nest: {a: b}", "'nest' is a list of pipelines"), ("fields: {a: {b: c}}", "one text, or a list of them"),
        ("events: {format: json}", "only windows can be described"), ("fields: {a: [b, [c]]}", "one text, or a list"),
        ("events: {format: windows, logsources: [{service: x}]}", "'when' says"),
    ])
    func whatIsNoPipelineIsRefused(text: String, reason: String) {
        #expect {
            try Pipeline.parse(RuleSource(path: "p.yml", text: text))
        } throws: {
            ($0 as? RuleProblem)?.reason.contains(reason) == true
        }
    }

    @Test func theShippedPipelinesLoad() throws {
        let folder = RuleFolder(paths: [WindowsEvents.pipelines])
        #expect(folder.problems == [])
        #expect(folder.pipelines.count >= 10)
        #expect(RuleSet(sources: [], pipelines: folder.pipelines).problems == [])
    }
}

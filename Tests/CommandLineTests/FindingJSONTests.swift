import Detection
import Events
import Ingest
import Journal
import Testing

@testable import CommandLine

/// What `vigie detect` prints is a contract that other programs read.
@Suite struct FindingJSONTests {
    private static let rule = """
        title: Refused
        id: 00000000-0000-4000-8000-000000000001
        tags: [attack.credential-access, attack.t1110.001]
        logsource: {category: application}
        detection: {s: {event.action: fail}, condition: s}
        level: high
        vigie: {category: brute_force}
        """

    private func finding(isLowerBound: Bool = false) throws -> JSONValue {
        let ruleSet = RuleSet(sources: [RuleSource(path: "r.yml", text: Self.rule)])
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(ruleSet.fields))
        let line = #"{"time": "2026-03-01T10:00:00Z", "event": "fail", "ip": "203.0.113.9", "user": "ana\n"}"#
        let batch = LogStream.parse(line, name: "app.jsonl", parser: &parser, reference: Timestamp(seconds: 1_900_000_000))
        var engine = Engine(ruleSet)
        var findings: [Finding] = []
        engine.consume(batch, into: &findings)
        var finding = try #require(findings.first)
        finding.isLowerBound = isLowerBound
        return FindingJSON.value(finding)
    }

    @Test func everyKeyOfTheContractIsThere() throws {
        let object = try finding()
        #expect(object["time"] == "2026-03-01T10:00:00Z")
        #expect(object["rule"]?["level"] == "high")
        #expect(object["rule"]?["hash"]?.stringValue?.count == 64)
        #expect(object["category"] == "brute_force")
        #expect(object["severity"] == "P1")
        #expect(object["source"] == ["ip": "203.0.113.9"])
        #expect(object["user"] == ["name": "ana\n"])
        #expect(object["attack"] == ["T1110.001"])
        #expect(object["count"] == 1)
        #expect(object["first_seen"] == object["last_seen"])
        #expect(object["evidence"] == [["file": "app.jsonl", "line": 1]])
        #expect(object["id"]?.stringValue?.count == 32)
    }

    @Test func aFindingIsOneLineWhateverItHolds() throws {
        #expect(!FindingJSON.text(try finding()).contains("\n"))
    }

    @Test func aCountThatIsALowerBoundSaysSo() throws {
        #expect(try finding()["count_is_lower_bound"] == nil)
        #expect(try finding(isLowerBound: true)["count_is_lower_bound"] == true)
    }

    @Test func theSameBytesGiveTheSameID() throws {
        #expect(try finding()["id"] == finding()["id"])
    }
}

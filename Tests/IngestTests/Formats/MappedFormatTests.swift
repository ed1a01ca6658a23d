import Events
import Foundation
import Ingest
import Testing

@Suite("Keys that a file of one's own maps")
struct MappedFormatTests {
    private static let table = FieldTable(with: ["event.action", "resource.id", "EventID", "Image", "Channel"])

    private struct Formats {
        var set: FormatSet
        var logSources: LogSourceTable
    }

    private func formats(_ text: String) throws -> Formats {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("formats"), withIntermediateDirectories: false)
        try text.write(toFile: folder.file("formats/mine.yml"), atomically: true, encoding: .utf8)
        let read = FormatFolder(paths: [folder.path])
        #expect(read.problems.isEmpty, "\(read.problems)")
        var logSources = LogSourceTable()
        read.intern(into: &logSources)
        return Formats(set: FormatSet(read, fields: Self.table, logSources: logSources), logSources: logSources)
    }

    private func read(_ line: String, _ format: LogFormat, _ formats: Formats? = nil) -> ReadEvent? {
        var parser = BatchParser(format: format, plan: JSONFieldPlan(Self.table), formats: formats?.set ?? .none)
        return LogStream.parse(line, name: "", parser: &parser, reference: Reading.reference)
            .copied(Self.table, formats?.logSources ?? LogSourceTable()).first
    }

    private static let mapping = """
        name: mine
        title: Mine
        logsource: {category: application, product: mine}
        keys:
          '@timestamp': [when]
          source.ip: [peer.addr]
          user.name: [who, actor.name]
          resource.id: [what]
        samples:
          - line: '{"when":1772359200,"peer":{"addr":"192.0.2.7"},"who":"jane"}'
            auto: false
            fields: {source.ip: 192.0.2.7, user.name: jane, '@timestamp': '2026-03-01T10:00:00Z'}
        """

    @Test("a mapping alone is a format, for sources that are said to have it, as JSON and as key=value")
    func keysOnly() throws {
        let formats = try formats(Self.mapping)
        let format = try #require(LogFormat(rawValue: "mine"))
        let json = try #require(
            read(
                #"{"when":"2026-03-01T10:00:00Z","peer":{"addr":"192.0.2.7"},"actor":{"name":"jane"},"what":7}"#, format, formats)
        )
        #expect(json.fields["source.ip"] == ["192.0.2.7"] && json.fields["user.name"] == ["jane"])
        #expect(json.fields["resource.id"] == ["7"])
        #expect(json.time.rfc3339 == "2026-03-01T10:00:00Z")
        let pairs = try #require(read("when=1772359200 peer.addr=192.0.2.7 who=jane", format, formats))
        #expect(pairs.fields["source.ip"] == ["192.0.2.7"] && pairs.time.rfc3339 == "2026-03-01T10:00:00Z")
    }

    @Test(
        "what says that there is nothing is no value: an account's next key is asked",
        arguments: [#""-""#, #""--""#, #""""#, "false", "null"])
    func absent(_ nothing: String) throws {
        let formats = try formats(Self.mapping)
        let format = try #require(LogFormat(rawValue: "mine"))
        let line = #"{"when":1772359200,"who":\#(nothing),"what":\#(nothing),"user":\#(nothing)}"#
        #expect(try #require(read(line, format, formats)).fields["user.name"] == nil)
        let second = #"{"who":\#(nothing),"actor":{"name":"jane"}}"#
        #expect(try #require(read(second, format, formats)).fields["user.name"] == ["jane"])
        #expect(try #require(read(line, .json)).fields["user.name"] == nil)
        guard nothing.hasPrefix("\"") || nothing == "false" else { return }
        #expect(try #require(read("when=1772359200 who=\(nothing) what=7", format, formats)).fields["user.name"] == nil)
        #expect(try #require(read("time=1772359200 user=\(nothing) n=7", .keyValue)).fields["user.name"] == nil)
    }

    @Test("somebody may be called false, and other fields may say so")
    func quotedFalse() throws {
        let formats = try formats(Self.mapping)
        let format = try #require(LogFormat(rawValue: "mine"))
        let event = try #require(read(#"{"when":1772359200,"who":"false","what":false}"#, format, formats))
        #expect(event.fields["user.name"] == ["false"] && event.fields["resource.id"] == ["false"])
        #expect(try #require(read(#"{"user":"false"}"#, .json)).fields["user.name"] == ["false"])
    }

    @Test("a format's patterns read the message, and its keys and cases win over them")
    func ownMessage() throws {
        let formats = try formats(
            Self.mapping.replacing(
                "samples:",
                with: """
                    patterns:
                      - pattern: 'Refused {user.name:text} at {source.ip}'
                        set: {event.action: refused}
                    cases:
                      - when: {kind: refusal}
                      - when: {kind: named}
                        set: {event.action: named}
                    samples:
                    """))
        let quiet = try #require(read(#"{"kind":"refusal","message":"Refused bob \u00e9 at 192.0.2.9"}"#, .auto, formats))
        #expect(quiet.fields["user.name"] == ["bob é"] && quiet.fields["source.ip"] == ["192.0.2.9"])
        #expect(quiet.fields["event.action"] == ["refused"])
        let line = #"{"kind":"named","who":"jane","peer":{"addr":"192.0.2.7"},"message":"Refused bob at 192.0.2.9"}"#
        let keyed = try #require(read(line, .auto, formats))
        #expect(keyed.fields["user.name"] == ["jane"] && keyed.fields["source.ip"] == ["192.0.2.7"])
        #expect(keyed.fields["event.action"] == ["named"])
    }

    @Test("it is not applied to sources that are not said to have it")
    func notNamed() throws {
        let event = try #require(read(#"{"who":"jane","what":7}"#, .auto, try formats(Self.mapping)))
        #expect(event.fields["resource.id"] == nil)
    }

    @Test(
        "Windows' events are recognised by keys of their own",
        arguments: [
            #"{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Image":"C:\\a.exe"}"#,
            ##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"x"}},"EventID":1},"EventData":{"Image":"C:\\a.exe"}}}"##,
        ])
    func windows(_ line: String) throws {
        let event = try #require(read(line, .auto))
        #expect(event.fields["EventID"] == ["1"] && event.fields["Image"] == [#"C:\a.exe"#])
    }

    @Test(
        "what a client may have sent makes no line one of Windows' events",
        arguments: [
            #"{"event":"login","params":{"EventID":1,"Channel":"x"}}"#,
            #"{"event":"login","list":[{"EventID":1,"Channel":"x"}]}"#,
            #"{"event":"login","text":"\"EventID\":1,\"Channel\":\"x\""}"#, #"{"event":"EventID","Channel":"x"}"#,
        ])
    func forgedWindows(_ line: String) throws {
        #expect(try #require(read(line, .auto)).fields["event.action"]?.isEmpty == false)
    }
}

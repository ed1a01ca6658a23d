import Events
import Ingest
import Testing

@Suite("OpenTelemetry's logs")
struct OTLPLogsTests {
    private static func export(_ records: [[UInt8]]) -> [UInt8] {
        let resource = Protobuf.bytes(1, Protobuf.pair(1, "service.name", "shop") + Protobuf.pair(1, "host.name", "web1"))
        return Protobuf.bytes(1, Protobuf.bytes(2, records.flatMap { Protobuf.bytes(2, $0) }) + resource)
    }

    private static let login =
        Protobuf.fixed64(1, 1_772_366_399_000_000_000) + Protobuf.text(3, "WARN")
        + Protobuf.bytes(5, Protobuf.text(1, "sign-in refused"))
        + Protobuf.pair(6, "client.address", "203.0.113.9") + Protobuf.pair(6, "event.category", "authentication")
        + Protobuf.pair(6, "event.outcome", "failure") + Protobuf.pair(6, "user.name", "bob")
        + Protobuf.bytes(9, Array(0..<16)) + Protobuf.text(12, "login")

    @Test("attributes become fields, and the body the message")
    func attributes() throws {
        let bytes = Self.export([Self.login])
        var lines = ReceivedLines()
        try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
        let event = try #require(lines.read(fields: ["trace.id", "service.name"]).first)
        #expect(event["source.ip"] == "203.0.113.9" && event["user.name"] == "bob" && event["event.action"] == "login")
        #expect(event["message"] == "sign-in refused" && event["log.level"] == "WARN" && event["host.name"] == "web1")
        #expect(event["service.name"] == "shop" && event["process.name"] == "shop")
        #expect(event["trace.id"] == "000102030405060708090a0b0c0d0e0f")
        #expect(event.logSource.categories == ["application", "authentication"])
        #expect(event.time.seconds == 1_772_366_399)
    }

    @Test("a body that is a line of another program's log is read as that")
    func body() throws {
        let line = #"203.0.113.9 - - [01/Mar/2026:11:59:58 +0000] "GET /a HTTP/1.1" 404 12"#
        let bytes = Self.export([Protobuf.bytes(5, Protobuf.text(1, line))])
        var lines = ReceivedLines()
        try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
        let event = try #require(lines.read(fields: ["service.name"]).first)
        #expect(event["url.path"] == "/a" && event["service.name"] == "shop" && event.logSource.categories == ["webserver"])
    }

    @Test("JSON: names in lowerCamelCase, numbers as texts, maps, and unknown names passed over")
    func json() throws {
        let text = """
            {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"future":[1],
            "scopeLogs":[{"logRecords":[
            {"timeUnixNano":"1772366399000000000","severityText":"WARN","traceId":"0aff","body":{"stringValue":"sign-in \\"refused\\""},
            "attributes":[{"key":"client.address","value":{"stringValue":"203.0.113.9"}},{"key":"http.response.status_code","value":{"intValue":"401"}},
            {"key":"deep","value":{"kvlistValue":{"values":[{"key":"flag","value":{"boolValue":true}}]}}}]},
            {"observedTimeUnixNano":1772366398000000000,"body":{"kvlistValue":{"values":[{"key":"user.name","value":{"stringValue":"bob"}}]}}}
            ]}]}]}
            """
        let bytes = Array(text.utf8)
        var lines = ReceivedLines()
        try OTLPLogs.decode(json: bytes.span, into: &lines)
        let events = lines.read(fields: ["deep.flag", "trace.id"])
        try #require(events.count == 2)
        #expect(events[0]["source.ip"] == "203.0.113.9" && events[0]["http.response.status_code"] == "401")
        #expect(
            events[0]["deep.flag"] == "true" && events[0]["message"] == "sign-in \"refused\"" && events[0]["trace.id"] == "0aff")
        #expect(events[1]["user.name"] == "bob" && events[1].time.seconds == 1_772_366_398)
    }

    private static func array(_ values: [[UInt8]]) -> [UInt8] { Protobuf.bytes(5, values.flatMap { Protobuf.bytes(1, $0) }) }

    private static func map(_ pairs: [(String, [UInt8])]) -> [UInt8] {
        Protobuf.bytes(6, pairs.flatMap { Protobuf.bytes(1, Protobuf.text(1, $0.0) + Protobuf.bytes(2, $0.1)) })
    }

    /// A body, as protobuf and as JSON has it, and the message that it is.
    private static let bodies: [(protobuf: [UInt8], json: String, message: String)] = [
        (Protobuf.number(2, 1), #"{"boolValue":true}"#, "true"),
        (Protobuf.number(3, UInt64(bitPattern: -42)), #"{"intValue":"-42"}"#, "-42"),
        (Protobuf.fixed64(4, 1.5.bitPattern), #"{"doubleValue":1.5}"#, "1.5"),
        (Protobuf.bytes(7, [0xFB, 0xEF, 0x00, 0x41]), #"{"bytesValue":"++8AQQ=="}"#, "++8AQQ=="),
        (
            array([Protobuf.text(1, "a\"b"), Protobuf.number(3, 7), map([("k", Protobuf.number(2, 0))])]),
            #"{"arrayValue":{"values":[{"stringValue":"a\"b"},{"intValue":"7"},{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}]}}"#,
            #"["a\"b",7,{"k":false}]"#
        ),
        (
            map([("user.name", Protobuf.text(1, "bob"))]),
            #"{"kvlistValue":{"values":[{"key":"user.name","value":{"stringValue":"bob"}}]}}"#, #"{"user.name":"bob"}"#
        ),
        (
            map([("msg", Protobuf.text(1, "hello"))]),
            #"{"kvlistValue":{"values":[{"key":"msg","value":{"stringValue":"hello"}}]}}"#, "hello"
        ),
    ]

    @Test("a body that is no text is the message all the same", arguments: OTLPLogsTests.bodies.indices)
    func bodyOfAnyKind(_ index: Int) throws {
        let body = Self.bodies[index]
        let bytes = Self.export([Protobuf.bytes(5, body.protobuf)])
        let text = Array(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":\#(body.json)}]}]}]}"#.utf8)
        var (lines, same) = (ReceivedLines(), ReceivedLines())
        try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
        try OTLPLogs.decode(json: text.span, into: &same)
        #expect(lines.read().map { $0["message"] } == [body.message])
        #expect(same.read().map { $0["message"] } == [body.message])
        #expect(lines.counters == ReceivedCounters() && same.counters == ReceivedCounters())
    }

    @Test(
        "a severity without a text is the level of its number",
        arguments: [(1, "TRACE"), (8, "DEBUG"), (9, "INFO"), (13, "WARN"), (20, "ERROR"), (24, "FATAL"), (25, nil)]
            as [(Int, String?)])
    func severities(_ number: Int, _ level: String?) throws {
        let bytes = Self.export([Protobuf.number(2, UInt64(number)) + Protobuf.bytes(5, Protobuf.text(1, "x"))])
        let text = Array(
            #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":\#(number),"body":{"stringValue":"x"}}]}]}]}"#.utf8)
        var (lines, same) = (ReceivedLines(), ReceivedLines())
        try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
        try OTLPLogs.decode(json: text.span, into: &same)
        #expect(lines.text.contains(#""log.level""#) == (level != nil) && same.text.contains(#""log.level""#) == (level != nil))
        if let level {
            #expect(lines.text.contains(#""log.level":"\#(level)""#) && same.text.contains(#""log.level":"\#(level)""#))
        }
    }

    @Test("each element of an array is a value of its attribute; what has no room is counted")
    func arrays() throws {
        func attribute(_ value: [UInt8]) -> [UInt8] {
            Self.export([Protobuf.bytes(6, Protobuf.text(1, "tags") + Protobuf.bytes(2, value))])
        }
        var lines = ReceivedLines()
        let bytes = attribute(Self.array([Protobuf.text(1, "one"), Protobuf.text(1, "two")]))
        try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
        let text = Array(
            #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"one"},{"stringValue":"two"}]}}}]}]}]}]}"#
                .utf8)
        try OTLPLogs.decode(json: text.span, into: &lines)
        #expect(lines.text.split(separator: "\n").allSatisfy { $0.contains(#""tags":["one","two"]"#) })
        #expect(lines.count == 2 && lines.counters.lostFields == 0)
        var large = ReceivedLines()
        let long = attribute(Self.array([[UInt8]](repeating: Protobuf.text(1, String(repeating: "x", count: 999)), count: 99)))
        try OTLPLogs.decode(protobuf: long.span, into: &large)
        #expect(large.count == 1 && large.counters.lostFields == 1 && large.read().count == 1)
    }

    @Test("an array as a body is cut where a message is, and counted")
    func longBody() throws {
        var lines = ReceivedLines()
        let values = [[UInt8]](repeating: Protobuf.text(1, String(repeating: "\n", count: 999)), count: 99)
        let bytes = Self.export([Protobuf.bytes(5, Self.array(values))])
        try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
        #expect(lines.counters.cutMessages == 1 && lines.read().count == 1)
        #expect(lines.bytes.count < LineAssembler.maximumLineBytes)
    }

    @Test("maps within maps end somewhere")
    func depth() throws {
        var value = Protobuf.text(1, "x")
        for _ in 0..<100 { value = Protobuf.bytes(6, Protobuf.bytes(1, Protobuf.text(1, "k") + Protobuf.bytes(2, value))) }
        let bytes = Self.export([Protobuf.bytes(6, Protobuf.text(1, "deep") + Protobuf.bytes(2, value))])
        var lines = ReceivedLines()
        try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
        #expect(lines.count == 1 && lines.counters.lostFields == 1)
    }

    @Test("every shorter beginning of an export is refused or gives whole lines")
    func truncated() {
        let bytes = Self.export([Self.login, Self.login])
        for count in 0..<bytes.count {
            var lines = ReceivedLines()
            let part = Array(bytes[..<count])
            try? OTLPLogs.decode(protobuf: part.span, into: &lines)
            #expect(lines.read().count == lines.count)
        }
    }
}

import Events
import Foundation
import Ingest
import Testing

@Suite("Loki's push API")
struct LokiPushTests {
    private static let line = #"203.0.113.9 - bob [01/Mar/2026:11:59:58 +0000] "GET /a?b=%27 HTTP/1.1" 404 12 "-" "curl \"8\"""#

    private static func push(
        _ labels: String, _ lines: [String], metadata: [(String, String)] = [], seconds: UInt64 = 1_772_366_399
    )
        -> [UInt8]
    {
        let entries = lines.flatMap { line in
            Protobuf.bytes(
                2,
                Protobuf.bytes(1, Protobuf.number(1, seconds) + Protobuf.number(2, 5)) + Protobuf.text(2, line)
                    + metadata.flatMap { Protobuf.bytes(3, Protobuf.text(1, $0.0) + Protobuf.text(2, $0.1)) })
        }
        return Protobuf.bytes(1, Protobuf.text(1, labels) + entries)
    }

    @Test("a stream of nginx lines gives web events, with what the labels say beside them")
    func nginx() throws {
        let request = Self.push(#"{host="web1", job="a \"b\"", format="combined"}"#, [Self.line], metadata: [("pod", "x\ny")])
        let block = Snappy.encode(request)
        let decoded = try SnappyBlock.decode(block.span, limit: 1 << 20)
        var lines = ReceivedLines()
        try LokiPush.decode(protobuf: decoded.span, into: &lines)
        #expect(lines.count == 1)
        let event = try #require(lines.read(fields: ["labels.pod", "labels.job"]).first)
        #expect(event.logSource.categories == ["webserver"])
        #expect(event["source.ip"] == "203.0.113.9" && event["user.name"] == "bob" && event["url.path"] == "/a")
        #expect(event["vigie.url.decoded"] == "/a?b='")
        #expect(event["host.name"] == "web1" && event["labels.pod"] == "x\ny" && event["labels.job"] == #"a "b""#)
        #expect(event.time == Timestamp(seconds: 1_772_366_398))
    }

    /// Fixtures/loki/README.md says where the bytes are from.
    @Test("a push as promtail's own libraries write it")
    func promtail() throws {
        let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let block = [UInt8](try Data(contentsOf: place.appendingPathComponent("Fixtures/loki/push.snappy")))
        #expect(block.count == 405)
        let decoded = try SnappyBlock.decode(block.span, limit: 1 << 20)
        #expect(decoded.count == 515, "the block has copies")
        var lines = ReceivedLines()
        try LokiPush.decode(protobuf: decoded.span, into: &lines)
        let events = lines.read(fields: ["labels.pod", "labels.trace_id", "labels.job", "trace.id"])
        #expect(events.map { $0["source.ip"] } == ["203.0.113.9", "203.0.113.9", "203.0.113.9"])
        #expect(
            events.map { $0["user.name"] } == ["bob", "bob", "bob"] && events.map { $0["host.name"] } == ["web1", "web1", "web1"])
        #expect(events.map { $0["url.query"] } == ["b=%27", "b=%28", nil])
        #expect(events.map { $0.logSource.categories } == [["webserver"], ["webserver"], ["authentication"]])
        #expect(events.map { $0["labels.job"] } == ["nginx", "nginx", "auth"] && events[2]["labels.pod"] == "web-1")
        #expect(lines.isRecognisable)
    }

    @Test("JSON gives the same as protobuf")
    func json() throws {
        let quoted = Self.line.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let text =
            #"{"streams":[{"values":[["1772366399000000005","\#(quoted)"],["1772366399000000006","plain"]],"stream":{"host":"web1"}}]}"#
        let bytes = Array(text.utf8)
        var fromJSON = ReceivedLines()
        try LokiPush.decode(json: bytes.span, into: &fromJSON)
        var first = ReceivedLines()
        let request = Self.push(#"{host="web1"}"#, [Self.line])
        try LokiPush.decode(protobuf: request.span, into: &first)
        #expect(fromJSON.text.hasPrefix(first.text))
        let events = fromJSON.read()
        #expect(events.count == 2 && events[1]["message"] == "plain" && events[1]["host.name"] == "web1")
        #expect(events[1].time == Timestamp(nanoseconds: 1_772_366_399_000_000_006))
    }

    @Test("a time a year off counts as none and is counted", arguments: [-31_536_000, 31_536_000])
    func forgedTime(_ distance: Int) throws {
        let request = Self.push("{}", ["hello"], seconds: UInt64(1_772_366_400 + distance))
        var lines = ReceivedLines()
        try LokiPush.decode(protobuf: request.span, into: &lines)
        #expect(lines.counters.implausibleTimes == 1)
        #expect(lines.read().first?.time == ReceivedLines.received)
    }

    @Test("a line whose own date is a year off is given the time of its reception")
    func forgedInnerTime() throws {
        let request = Self.push("{}", [Self.line.replacing("2026", with: "2027"), Self.line.replacing("2026", with: "2024")])
        var lines = ReceivedLines()
        try LokiPush.decode(protobuf: request.span, into: &lines)
        #expect(lines.read().map(\.time.seconds) == [1_772_366_399, 1_772_366_399])
    }

    @Test("a message longer than a line may be is cut, and the line is whole")
    func long() throws {
        let request = Self.push("{}", [String(repeating: "\"é", count: 40_000)])
        var lines = ReceivedLines()
        try LokiPush.decode(protobuf: request.span, into: &lines)
        #expect(lines.counters.cutMessages == 1)
        #expect(lines.bytes.count < LineAssembler.maximumLineBytes)
        let event = try #require(lines.read().first)
        #expect(event.line.last == UInt8(ascii: "}"))
        let message = try #require(event["message"])
        #expect(message.hasPrefix("\"é\"é") && !message.contains("\u{FFFD}"))
    }

    @Test("many entries under large labels are refused rather than multiplied")
    func amplification() throws {
        let labels = "{a=\"\(String(repeating: "x", count: 10_000))\"}"
        let request = Self.push(labels, Array(repeating: "y", count: 10_000))
        var lines = ReceivedLines()
        let refusal = #expect(throws: ReceiverRefusal.self) { try LokiPush.decode(protobuf: request.span, into: &lines) }
        #expect(refusal?.code == .tooLarge)
    }

    @Test("every shorter beginning of a push is refused or gives whole lines")
    func truncated() {
        let request = Self.push(#"{host="web1"}"#, ["one", "two"])
        for count in 0..<request.count {
            var lines = ReceivedLines()
            let part = Array(request[..<count])
            try? LokiPush.decode(protobuf: part.span, into: &lines)
            #expect(lines.read().count == lines.count)
        }
    }
}

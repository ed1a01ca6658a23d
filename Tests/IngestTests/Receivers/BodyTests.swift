import Events
import Foundation
import Ingest
import Testing

@Suite("Bodies of requests")
struct BodyTests {
    /// `printf 'hello hello zip\n' | gzip -9n`.
    private static let gzip = [UInt8](
        Data(base64Encoded: "H4sIAAAAAAACA8tIzcnJV8gAk1WZBVwAxALwkhAAAAA=") ?? Data())

    @Test("a body of lines: each is an event, and each that is none is refused by itself")
    func lines() throws {
        let bytes = Array(
            "{\"event.action\":\"login\",\"source.ip\":\"203.0.113.9\"}\r\n\nnot json\n{\"a\":1}\n[1]\n{\"b\":".utf8)
        var lines = ReceivedLines()
        try EventLines.decode(ndjson: bytes.span, into: &lines)
        #expect(lines.count == 2 && lines.counters.rejected == 3)
        #expect(lines.counters.firstRejection?.hasPrefix("line 3: ") == true)
        let event = try #require(lines.read().first)
        #expect(event["source.ip"] == "203.0.113.9" && event["event.action"] == "login" && event.time == ReceivedLines.received)
    }

    @Test("text lines are read as what they are")
    func text() throws {
        let bytes = Array("<38>Mar  1 11:59:59 web sshd[7]: Invalid user bob from 203.0.113.9 port 22\nplain\n".utf8)
        var lines = ReceivedLines()
        try EventLines.decode(text: bytes.span, into: &lines)
        let events = lines.read()
        #expect(events.map { $0["message"] }.count == 2 && events[0]["user.name"] == "bob" && events[1]["message"] == "plain")
    }

    @Test(
        "JSON is refused where it is none, at any depth",
        arguments: [
            "", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1 2]", "{\"a\":\"\u{1}\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
            "1 2",
        ])
    func json(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: ReceiverRefusal.self) { try JSONCursor.check(bytes.span, 0..<bytes.count) }
    }

    @Test("JSON nested a hundred thousand deep is refused")
    func depth() {
        let bytes = Array(repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: ReceiverRefusal.self) { try JSONCursor.check(bytes.span, 0..<bytes.count) }
    }

    @Test("gzip is undone, wherever it is cut")
    func inflate() throws {
        for cut in 0...Self.gzip.count {
            var inflater = try GzipInflater(limit: 100)
            try inflater.push(Array(Self.gzip[..<cut]))
            try inflater.push(Array(Self.gzip[cut...]))
            #expect(String(decoding: try inflater.finish(), as: UTF8.self) == "hello hello zip\n")
        }
    }

    @Test("compressed data that is cut, damaged, followed by something or too large is refused")
    func refused() throws {
        for count in 0..<Self.gzip.count {
            #expect(throws: ReceiverRefusal.self) {
                var inflater = try GzipInflater(limit: 100)
                try inflater.push(Array(Self.gzip[..<count]))
                _ = try inflater.finish()
            }
        }
        #expect(throws: ReceiverRefusal.self) {
            var inflater = try GzipInflater(limit: 100)
            try inflater.push(Self.gzip + [1])
        }
        let refusal = #expect(throws: ReceiverRefusal.self) {
            var inflater = try GzipInflater(limit: 8)
            try inflater.push(Self.gzip)
        }
        #expect(refusal?.code == .tooLarge)
    }
}

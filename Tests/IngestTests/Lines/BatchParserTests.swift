import Events
import Testing

@testable import Ingest

@Suite("Lines to events")
struct BatchParserTests {
    @Test("every kind of line is counted once, and blank lines are no events")
    func counters() {
        let bytes =
            Array("{\"message\":\"a\"}\n\n \t\r\nnothing\n{\"time\":\"2026-03-01T10:00:00Z\"}\n".utf8) + [
                0xFF, 0x0A, 0x61, 0x00, 0x0A, 0x68,
            ]
        let reading = Reading(bytes, .json)
        #expect(reading.counters.lines == 8)
        #expect(reading.counters.parsed == 2)
        #expect(reading.counters.unparsed == 4)
        #expect(reading.counters.blank == 2)
        #expect(reading.counters.invalidUTF8 == 1)
        #expect(reading.counters.containingNUL == 1)
        #expect(reading.counters.partial == 1)
        #expect(reading.counters.undated == 1)
        #expect(reading.counters.bytes == bytes.count)
        #expect(reading.events.map(\.number) == [1, 4, 5, 6, 7, 8])
    }

    @Test("bytes are counted once however the stream is cut")
    func bytesOnce() {
        let bytes = Array(String(repeating: "a line of some length\n", count: 20).utf8) + Array("half".utf8)
        for step in 1...30 {
            let reading = Reading(bytes, .combined, cuts: Array(stride(from: step, to: bytes.count, by: step)))
            #expect(reading.counters.bytes == bytes.count)
            #expect(reading.counters.lines == 21)
        }
    }

    @Test("a line without a time is given the newest before it, or the reference before there is one")
    func times() {
        let reading = Reading(
            """
            {"message":"first"}
            {"time":"2026-03-01T10:00:00Z"}
            {"message":"second"}
            {"time":"2026-03-01T09:00:00Z"}
            nonsense
            """, .json)
        #expect(reading.events.map(\.hasOwnTime) == [false, true, false, true, false])
        #expect(
            reading.events.map(\.time.rfc3339) == [
                "2026-03-01T12:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z",
                "2026-03-01T10:00:00Z",
            ])
    }

    @Test("the newest unparsed lines are kept, cut to a readable length")
    func samples() {
        let lines = (1...9).map { "line \($0) " + String(repeating: "é", count: 400) }
        let reading = Reading(lines.joined(separator: "\n"), .combined)
        #expect(reading.samples.count == BatchParser.maximumSamples)
        #expect(reading.samples.map { $0.prefix(7) } == ["line 5 ", "line 6 ", "line 7 ", "line 8 ", "line 9 "])
        #expect(reading.samples.allSatisfy { $0.utf8.count <= BatchParser.maximumSampleBytes + 2 })
    }

    @Test(
        "text that no format knows is counted and shown, without its wrapper",
        arguments: [
            (#"{"log":"unknown gibberish ;;\n","stream":"stdout","time":"2026-03-01T10:00:00Z"}"#, "unknown gibberish ;;"),
            ("2026-03-01T10:00:00.1Z stdout F random text", "random text"),
            ("Mar  1 10:00:00 web app: random text", "Mar  1 10:00:00 web app: random text"),
            ("2026-03-01 10:00:00 random text", "2026-03-01 10:00:00 random text"),
            ("7:M 01 Mar 2026 10:00:00.123 * DB saved on disk", "7:M 01 Mar 2026 10:00:00.123 * DB saved on disk"),
        ])
    func plain(_ line: String, _ shown: String) {
        let reading = Reading(line, .auto)
        #expect(reading.counters.parsed == 1 && reading.counters.plain == 1 && reading.counters.unparsed == 0)
        #expect(reading.plainSamples == [shown] && reading.samples.isEmpty)
        #expect(reading.events.first?.time.rfc3339.hasPrefix("2026-03-01T10:00:00") == true)
    }

    @Test("likewise where a receiver took it")
    func plainReceived() throws {
        var record = ReceivedRecord()
        record.setMessage("random text")
        var lines = ReceivedLines()
        try lines.append(line: record)
        let reading = Reading(lines.text, .json)
        #expect(reading.counters.parsed == 1 && reading.counters.plain == 1 && reading.plainSamples == ["random text"])
    }

    @Test("text is what a source is said to have, and other programs are left to a source of sshd's")
    func plainByName() {
        #expect(Reading("2026-03-01 10:00:00 random text", .text).counters.plain == 0)
        #expect(Reading("Mar  1 10:00:00 web cron[1]: random text", .sshd).counters.plain == 0)
    }

    @Test(
        "what begins as a format's lines do and goes on otherwise is unparsed, and keeps what could be told of it",
        arguments: [
            "192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] GET / 200 1",
            "www.example.org 192.0.2.1 - - [01/Mar/2026:10:00:00 +0000]",
            #"192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET /"#,
            "Mar  1 10:00:00 web nginx: 192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] GET / 200 1",
            "2026-03-01T10:00:00Z stdout F 192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] GET / 200 1",
        ])
    func broken(_ line: String) {
        let reading = Reading(line, .auto)
        #expect(reading.counters.unparsed == 1 && reading.counters.parsed == 0 && reading.counters.plain == 0)
        #expect(reading.samples.count == 1 && reading.plainSamples.isEmpty)
        #expect(reading.events.first?.time.rfc3339 == "2026-03-01T10:00:00Z")
    }

    @Test("so is JSON that was cut off")
    func brokenJSON() {
        let reading = Reading(#"{"time":"2026-03-01T10:00:00Z","msg":"cut"#, .auto)
        #expect(reading.counters.unparsed == 1 && reading.counters.parsed == 0)
    }

    @Test("formats are told apart line by line")
    func mixed() {
        let reading = Reading(
            """
            {"status":200,"message":"json"}
            192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"
            Mar  1 10:00:00 web sshd[1]: Failed password for root from 192.0.2.2 port 22 ssh2
            {"message":"json again"}
            ~~~
            """, .auto)
        #expect(reading.counters.parsed == 4 && reading.counters.unparsed == 1)
        #expect(reading.events.map { $0["source.ip"] } == [nil, "192.0.2.1", "192.0.2.2", nil, nil])
        #expect(reading.events[2]["event.action"] == "ssh_login")
    }

    @Test("what is UTF-8 and what is not is told as the standard library tells it")
    func utf8() {
        var generator = SeededGenerator(state: 11)
        let pieces: [[UInt8]] = [
            [0xC2, 0x80], [0xE0, 0xA0, 0x80], [0xED, 0x9F, 0xBF], [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80],
            [0xF4, 0x8F, 0xBF, 0xBF],
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0x80], [0xBF], [0xFE], [0xFF], [0xE2, 0x82], [0xF0, 0x9F], [0xC3], Array("é".utf8),
            Array("🦆".utf8),
        ]
        var valid = 0
        for _ in 0..<6_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes += repeatElement(0x61, count: .random(in: 0...17, using: &generator))
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.append(.random(in: 0x0B ... .max, using: &generator))
                case 1: bytes += pieces[Int.random(in: 0..<6, using: &generator)]
                case 2: bytes += pieces[20]
                default: bytes += pieces[Int.random(in: 0..<pieces.count, using: &generator)]
                }
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            if isValid { valid += 1 }
            #expect(Reading(bytes, .combined).counters.invalidUTF8 == (isValid ? 0 : 1), "\(bytes)")
        }
        #expect((1_000...5_000).contains(valid))
    }

    @Test("a NUL is found at every place of a line")
    func nul() {
        for length in 2...33 {
            #expect(Reading([UInt8](repeating: 0x01, count: length) + [0x61], .json).counters.containingNUL == 0)
            for place in 0..<length {
                var bytes = [UInt8](repeating: 0x80, count: length)
                if place.isMultiple(of: 2) { bytes = [UInt8](repeating: 0x61, count: length) }
                bytes[place] = 0
                #expect(Reading(bytes, .json).counters.containingNUL == 1)
            }
        }
    }
}

import Events
import Ingest
import Testing

/// What formats remember from line to line saves work and changes nothing: a line read after others yields what it yields
/// when a parser that has seen nothing reads it.
@Suite("Lines read after others")
struct MemoryTests {
    private static let combined = [
        #"192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 12 "-" "Mozilla/5.0 (X11; Linux x86_64)""#,
        #"192.0.2.1 - - [01/Mar/2026:10:00:01 +0000] "GET /a+b?c+d HTTP/1.1" 200 12 "https://e.org/" "curl/8 +x""#,
        #"2001:db8::1 - - [01/Mar/2026:23:59:60 +0100] "POST /%61 HTTP/2.0" 404 - "-" "-""#,
        #"example.org 192.0.2.9 - bob [02/Mar/2026:00:00:00 +0000] "-" 400 0"#,
        #"192.0.2.1 - - [31/Feb/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1"#,
        #"192.0.2.1 - - [01/Mar/2026:24:00:00 +0000] "GET / HTTP/1.1" 200 1"#,
        #"192.0.2.1 - - [01/Mar/2026:1:00:000 +0000] "GET / HTTP/1.1" 200 1"#,
    ]
    private static let json = [
        #"{"time":"2026-03-01T10:00:00Z","remote_addr":"192.0.2.1","request":{"uri":"/a","method":"GET"},"status":200}"#,
        #"{"time":"2026-03-01T10:00:01.5Z","remote_addr":"192.0.2.2","request":{"uri":"/b%20c","remote_ip":"x"},"status":2}"#,
        #"{"time":"2026-03-01T25:00:00Z","request":{"method":"PUT"},"method":"POST","a":{"b":1},"b":2,"a.b":3}"#,
        #"{"a":1,"b":{"a":{"c":"x"}},"status":404,"user":["a","b"],"time":"2026-03-01T10:00:00.1234567890Z"}"#,
        #"{"a":{"b":1,"b":{"a":{"c":"y"}}},"\u0061":{"b":7},"a":[{"b":"1"},{"b":"\n"}],"http_user_agent_string":"z"}"#,
        #"{"http_user_agent":"a","http_user_agent_string":"b","time":"2026-03-01T10:00:00\u002B01:00"}"#,
    ]

    private func mutated(_ line: String, _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = Array(line.utf8)
        let syntax = Array("\"\\[]{}:,%&+ -/0123456789abT.Z\u{0}\u{ff}".utf8)
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes.remove(at: index)
            case 1: bytes.insert(syntax[Int.random(in: 0..<syntax.count, using: &generator)], at: index)
            default: bytes[index] = syntax[Int.random(in: 0..<syntax.count, using: &generator)]
            }
        }
        return bytes
    }

    private func describe(_ event: ReadEvent) -> String {
        let fields = event.fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "\(event.hasOwnTime ? event.time.rfc3339 : "undated") \(event.logSource) \(fields)"
    }

    @Test("combined and JSON", arguments: [LogFormat.combined, .json])
    func independent(_ format: LogFormat) {
        var generator = SeededGenerator(state: 44)
        let seeds = format == .json ? Self.json : Self.combined
        let names = ["a", "b", "a.b", "b.a.c", "a.b.a.c"]
        var lines: [[UInt8]] = []
        for _ in 0..<3_000 { lines.append(mutated(seeds[Int.random(in: 0..<seeds.count, using: &generator)], &generator)) }
        let together = Reading(Array(lines.joined(separator: [0x0A])), format, fields: names)
        #expect(together.events.count == lines.count)
        #expect((300...2_900).contains(together.counters.parsed))
        for (line, event) in zip(lines, together.events) {
            let alone = Reading(line, format, fields: names).events.first.map(describe)
            #expect(alone == describe(event), "\(String(decoding: line, as: UTF8.self))")
        }
    }

    @Test("more different keys than are remembered are read all the same")
    func manyKeys() throws {
        let lines = (0..<5_000).map { #"{"k\#($0)":\#($0),"status":\#($0 % 600),"k\#($0 / 3)":{"status":1}}"# }
        let reading = Reading(lines.joined(separator: "\n"), .json, fields: ["k7", "k4999"])
        #expect(reading.counters.parsed == 5_000)
        for (index, event) in reading.events.enumerated() {
            #expect(event["http.response.status_code"] == "\(index % 600)")
            #expect(event["k7"] == (index == 7 ? "7" : nil) && event["k4999"] == (index == 4_999 ? "4999" : nil))
        }
    }

    @Test(
        "what has to be decoded is found at every place of a text of any length",
        arguments: [
            ("%41", "A"), ("&lt;", "<"), ("/*x*/", " "), ("  ", " "), ("\\x41", "A"), ("\u{1}", " "), ("\u{7F}", " "),
        ])
    func everyPlace(_ written: String, meant: String) throws {
        for length in 0...40 {
            for place in 0...length {
                let (before, after) = (String(repeating: "a", count: place), String(repeating: "b", count: length - place))
                let line =
                    #"192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "\#(before + written + after)""#
                let event = try #require(Reading(line, .combined).events.first)
                #expect(event.fields["vigie.request.decoded"] == ["/", before + meant + after], "\(line)")
            }
        }
    }
}

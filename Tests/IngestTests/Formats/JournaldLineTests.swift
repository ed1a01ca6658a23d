import Events
import Ingest
import Testing

@Suite("journald's entries whose message is an array of bytes")
struct JournaldLineTests {
    /// As `journalctl --output=json` writes them, whose keys stand in any order.
    private func entry(_ message: [UInt8], first: String = "__CURSOR", space: String = "") -> String {
        let numbers = message.map { "\($0)" }.joined(separator: "," + space)
        let array = "\"MESSAGE\":\(space)[\(numbers)]"
        let others = [
            "\"__CURSOR\":\(space)\"s=1;i=2\"", "\"_PID\":\(space)\"10\"", "\"SYSLOG_IDENTIFIER\":\(space)\"sshd\"",
            "\"__REALTIME_TIMESTAMP\":\(space)\"1772366400000000\"", array,
        ]
        let parts = others.filter { $0.hasPrefix("\"\(first)\"") } + others.filter { !$0.hasPrefix("\"\(first)\"") }
        return "{\(parts.joined(separator: "," + space))}\n"
    }

    @Test(
        "what sshd says is read as if the message were a text", arguments: ["__CURSOR", "MESSAGE", "SYSLOG_IDENTIFIER", "_PID"],
        ["", " "])
    func sshd(first: String, space: String) throws {
        let message = Array("Failed password for ro\u{1}ot from 203.0.113.9 port 22 ssh2".utf8)
        for format in [LogFormat.json, .auto] {
            let line = entry(message, first: first, space: space)
            let reading = Reading(line, format)
            let event = try #require(reading.events.first)
            #expect(event["source.ip"] == "203.0.113.9" && event["user.name"] == "ro\u{1}ot")
            #expect(event["message"] == String(decoding: message, as: UTF8.self) && event.logSource.service == "sshd")
            #expect(event.time == Timestamp(seconds: 1_772_366_400) && event.hasOwnTime && event.text + "\n" == line)
            #expect(reading.events.count == 1 && reading.counters.parsed == 1 && reading.counters.invalidUTF8 == 0)
        }
    }

    @Test("bytes that are no UTF-8 are kept, and counted as in any other line")
    func invalid() throws {
        let message = Array("Failed password for ro".utf8) + [0xFF] + Array("ot from 203.0.113.9 port 22 ssh2".utf8)
        let reading = Reading(entry(message), .auto)
        let event = try #require(reading.events.first)
        #expect(event["source.ip"] == "203.0.113.9" && event["user.name"] == "ro\u{FFFD}ot")
        #expect(reading.counters.invalidUTF8 == 1)
    }

    @Test("quotation marks, backslashes and line ends in a message are what they are")
    func special() throws {
        let text = #"a "quoted" \word\ "# + "\n\r\t\u{1B}[31m]\u{7F} \\\" end"
        let event = try #require(Reading(entry(Array(text.utf8)), .json).events.first)
        #expect(event["message"] == text && event["process.pid"] == "10")
    }

    @Test("keywords are found in it")
    func keywords() throws {
        let event = try #require(
            Reading(entry(Array("pam: \u{1} attack".utf8)), .json, fields: ["vigie.line.decoded"]).events.first)
        #expect(event["vigie.line.decoded"]?.contains("\"MESSAGE\":\"pam: \u{1} attack\"") == true)
    }

    @Test("of an entry that is too long for a line the beginning is read")
    func overlong() throws {
        let reading = Reading(entry([1] + Array(repeating: UInt8(ascii: "x"), count: 40_000)), .json)
        let event = try #require(reading.events.first)
        #expect(event["message"]?.hasPrefix("\u{1}xxxx") == true && (event["message"]?.utf8.count ?? 0) > 15_000)
        #expect(reading.counters.overlong == 1 && reading.counters.parsed == 1)
    }

    @Test(
        "other arrays stay arrays",
        arguments: [
            (#"{"MESSAGE":[70,97],"NAME":"somebody's own program"}"#, ["70", "97"]),
            (#"{"__CURSOR":"s=1;i=2;b=3;m=4","MESSAGE":[70,256]}"#, ["70", "256"]),
            (#"{"__CURSOR":"s=1;i=2;b=3;m=4","MESSAGE":["a","b"]}"#, ["a", "b"]),
            (#"{"__CURSOR":"s=1;i=2;b=3;m=4","MESSAGE":[70,-1]}"#, ["70", "-1"]),
            (#"{"__CURSOR":"\"MESSAGE\":[70,97]","MESSAGE":"said"}"#, ["said"]),
            (#"{"__CURSOR":"s=1;i=2;b=3","A_MESSAGE":[70],"MESSAGE":"said"}"#, ["said"]),
        ])
    func others(line: String, values: [String]) throws {
        let event = try #require(Reading(line + "\n", .json).events.first)
        #expect(event.fields["message"] == values)
    }
}

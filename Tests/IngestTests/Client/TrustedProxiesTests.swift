import Events
import Testing

@testable import Ingest

@Suite("Whose address it is")
struct TrustedProxiesTests {
    private let proxies = TrustedProxies(["10.0.0.0/8", "2001:db8:ff::/48"].compactMap { AddressBlock($0) })

    private func read(_ line: String, _ format: LogFormat) -> String? {
        let table = FieldTable()
        var parser = BatchParser(format: format, plan: JSONFieldPlan(table), proxies: proxies)
        let batch = LogStream.parse(line, name: "test", parser: &parser, reference: Reading.reference)
        return batch.copied(table).first?["source.ip"]
    }

    private func access(_ peer: String, _ forwarded: String) -> String? {
        let line = "\(peer) - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"curl\" \"\(forwarded)\""
        return read(line, .combined)
    }

    @Test("behind a trusted proxy the address that it saw counts, read from the right")
    func chain() {
        #expect(access("10.0.0.1", "203.0.113.9") == "203.0.113.9")
        #expect(access("10.0.0.1", "6.6.6.6, 203.0.113.9") == "203.0.113.9")
        #expect(access("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2, 2001:db8:ff::2") == "203.0.113.9")
        #expect(access("10.0.0.1", "for=6.6.6.6, for=\\x22[2001:db8::7]\\x22") == "2001:db8::7")
        #expect(access("10.0.0.1", "10.0.0.9, 10.0.0.8") == "10.0.0.9")
    }

    @Test("a header from a peer that is no proxy changes nothing")
    func forged() {
        #expect(access("203.0.113.9", "6.6.6.6") == "203.0.113.9")
        #expect(access("203.0.113.9", "10.0.0.1, 6.6.6.6") == "203.0.113.9")
        let line = #"{"remote_addr":"203.0.113.9","http_x_forwarded_for":"6.6.6.6","status":200,"uri":"/"}"#
        #expect(read(line, .json) == "203.0.113.9")
    }

    @Test("rubbish in the header leaves the peer's address, or the last one that is sure")
    func rubbish() {
        #expect(access("10.0.0.1", "-") == "10.0.0.1")
        #expect(access("10.0.0.1", "unknown") == "10.0.0.1")
        #expect(access("10.0.0.1", "6.6.6.6, unknown, 10.0.0.3") == "10.0.0.3")
    }

    @Test("JSON's header field, and RFC 7239's form")
    func json() {
        let line = #"{"remote_addr":"10.0.0.1","http_x_forwarded_for":"6.6.6.6, 203.0.113.9:4711","status":200,"uri":"/"}"#
        #expect(read(line, .json) == "203.0.113.9")
        let standard = Array("for=6.6.6.6;by=1.1.1.1, for=\"[2001:db8::7]:4711\";proto=https".utf8)
        let found = IPAddress("10.0.0.1").flatMap { proxies.client(peer: $0, forwarded: 0..<standard.count, in: standard.span) }
        #expect(found.map { String(decoding: standard[$0], as: UTF8.self) } == "2001:db8::7")
    }

    @Test(
        "RFC 7239's quotes are read as nginx, Apache and JSON log them",
        arguments: [
            (#"for="[2001:db8::49]:99""#, "2001:db8::49"), (#"For="203.0.113.53:80";proto=https"#, "203.0.113.53"),
            (#"for=6.6.6.6, proto=https;FOR="203.0.113.53""#, "203.0.113.53"),
            (#"for="[2001:db8::61]", for=10.0.0.2"#, "2001:db8::61"),
            (#"for="[2001:db8::61]:4711", for="10.0.0.2:80""#, "2001:db8::61"),
            (#"for="203.0.113.9", for="[2001:db8:ff::2]:1""#, "203.0.113.9"), ("for=203.0.113.9", "203.0.113.9"),
            // A parameter's name stands where a pair begins, and nowhere else.
            ("host=or=x;for=203.0.113.9", "203.0.113.9"), ("host=for=6.6.6.6;for=203.0.113.9", "203.0.113.9"),
            (#"host="a;for=6.6.6.6";for=203.0.113.9"#, "203.0.113.9"), (#"for=203.0.113.9;host="a, for=6.6.6.6""#, "203.0.113.9"),
            (#"for=203.0.113.9;host="a\", for=6.6.6.6""#, "203.0.113.9"), ("by=6.6.6.6;for=203.0.113.9", "203.0.113.9"),
            // A quotation mark that the client left open.
            (#"for="6.6.6.6, for=203.0.113.9"#, "203.0.113.9"), (#"for="6.6.6.6, for="203.0.113.9""#, "203.0.113.9"),
            // Nothing that is sure: the proxy is all that is known.
            ("for=6.6.6.6;for=203.0.113.9", "10.0.0.1"), (#"for="_hidden""#, "10.0.0.1"), ("for=unknown", "10.0.0.1"),
            ("proto=https;by=203.0.113.9", "10.0.0.1"), ("for=", "10.0.0.1"), (#"for=""#, "10.0.0.1"), (#"for="""#, "10.0.0.1"),
        ])
    func standard(_ header: String, _ client: String) {
        let nginx = header.replacing("\\", with: "\\x5C").replacing("\"", with: "\\x22")
        #expect(access("10.0.0.1", nginx) == client)
        let apache = header.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        #expect(access("10.0.0.1", apache) == client)
        let json = header.replacing("\\", with: "\\\\").replacing("\"", with: "\\u0022")
        for value in [apache, json] {
            #expect(read(#"{"remote_addr":"10.0.0.1","forwarded":"\#(value)","status":200,"uri":"/"}"#, .json) == client)
            #expect(read(#"{"remote_addr":"203.0.113.1","forwarded":"\#(value)","uri":"/"}"#, .json) == "203.0.113.1")
            let both = #""forwarded":"\#(value)","http_x_forwarded_for":"203.0.113.77""#
            #expect(read(#"{"remote_addr":"10.0.0.1",\#(both),"status":200,"uri":"/"}"#, .json) == "203.0.113.77")
        }
        #expect(access("203.0.113.1", nginx) == "203.0.113.1")
    }

    /// A client may leave its user agent out.
    @Test("the header is read where there is no user agent, too, and where a container or a receiver has wrapped the line")
    func wrapped() throws {
        let line = "10.0.0.1 - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"AGENT\" \"6.6.6.6, 203.0.113.9\""
        for agent in ["-", "", "curl"] {
            let line = line.replacing("AGENT", with: agent)
            let quoted = line.replacing("\"", with: "\\\"")
            #expect(read(line, .combined) == "203.0.113.9")
            #expect(read(#"{"log":"\#(quoted)\n","stream":"stdout","time":"2026-03-01T10:00:00Z"}"#, .auto) == "203.0.113.9")
            #expect(read("2026-03-01T10:00:00.1Z stdout F \(line)", .auto) == "203.0.113.9")
            var record = ReceivedRecord()
            record.setMessage(line)
            var lines = ReceivedLines()
            try lines.append(line: record)
            #expect(read(lines.text, .json) == "203.0.113.9")
        }
    }

    @Test(
        "what a trusted proxy said in its PROXY header is the nearest hop, whatever the request's headers say",
        arguments: [
            ("203.0.113.9", "6.6.6.6", "203.0.113.9"), ("203.0.113.9", "10.0.0.7", "203.0.113.9"),
            ("203.0.113.9", "-", "203.0.113.9"),
            ("10.0.0.2", "6.6.6.6, 203.0.113.9", "203.0.113.9"), ("10.0.0.2", "-", "10.0.0.2"),
            ("2001:db8::7", "6.6.6.6", "2001:db8::7"),
            // The connection had no header.
            ("-", "203.0.113.9", "203.0.113.9"), ("", "203.0.113.9", "203.0.113.9"),
        ])
    func proxyProtocol(_ told: String, _ forwarded: String, _ client: String) {
        let access = "10.0.0.1 - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\" \"\(forwarded)\" 0.003"
        #expect(read("\(access) proxy_protocol_addr=\(told)", .combined) == client)
        #expect(read("\(access) proxy_protocol_addr=\"\(told)\" rt=1", .combined) == client)
        for pair in [#""proxy_protocol_addr":"\#(told)""#, #""proxy_protocol_addr" : "\#(told)""#] {
            let forwarded = #""http_x_forwarded_for":"\#(forwarded)""#
            #expect(read(#"{"remote_addr":"10.0.0.1",\#(pair),\#(forwarded),"status":200,"uri":"/"}"#, .json) == client)
            #expect(read(#"{"remote_addr":"10.0.0.1",\#(forwarded),"status":200,"uri":"/",\#(pair)}"#, .json) == client)
        }
    }

    @Test("what a client writes is no PROXY header, nor is one of a peer that is no proxy")
    func forgedProxyProtocol() {
        func access(_ peer: String, _ agent: String, _ forwarded: String, _ rest: String = "") -> String? {
            read(
                "\(peer) - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"\(agent)\" \"\(forwarded)\"\(rest)",
                .combined)
        }
        let forged = "x proxy_protocol_addr=6.6.6.6 "
        #expect(access("10.0.0.1", forged, "203.0.113.9") == "203.0.113.9")
        #expect(access("10.0.0.1", "curl", forged) == "10.0.0.1")
        #expect(
            access("10.0.0.1", "a\\\"", "x\\\" proxy_protocol_addr=6.6.6.6 \\\"", " proxy_protocol_addr=203.0.113.9")
                == "203.0.113.9")
        #expect(access("203.0.113.9", "curl", "-", " proxy_protocol_addr=6.6.6.6") == "203.0.113.9")
        let agent = #"\"proxy_protocol_addr\":\"6.6.6.6\",\"proxy_protocol_addr"#
        let line = #"{"remote_addr":"10.0.0.1","http_user_agent":"\#(agent)","http_x_forwarded_for":"203.0.113.9","uri":"/"}"#
        #expect(read(line, .json) == "203.0.113.9")
        #expect(
            read(#"{"remote_addr":"203.0.113.9","proxy_protocol_addr":"6.6.6.6","status":200,"uri":"/"}"#, .json) == "203.0.113.9"
        )
    }

    @Test("a source that only ever names one private address says so, until another one comes")
    func soleAddress() {
        func count(_ addresses: [String]) -> Int? {
            let lines = addresses.map { "\($0) - - [01/Mar/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1" }
            return Reading(lines.joined(separator: "\n"), .combined).counters.fromOnePrivateAddress
        }
        #expect(count(Array(repeating: "172.18.0.2", count: 120)) == 120)
        #expect(count(Array(repeating: "172.18.0.2", count: 99)) == nil)
        #expect(count(Array(repeating: "203.0.113.9", count: 120)) == nil)
        #expect(count(Array(repeating: "172.18.0.2", count: 120) + ["203.0.113.9"]) == nil)
    }
}

import Events
import Foundation
import Ingest
import Testing

@Suite("JSON lines")
struct JSONFormatTests {
    private static let names = ["a", "b", "c", "a.b", "a.c", "b.a.c", "b.b.b", "c.c", "tenant.id", "é"]

    /// What the line's wanted fields are, according to Foundation.
    private func flattened(_ value: Any, _ path: String, into fields: inout [String: [String]]) {
        if let object = value as? [String: Any] {
            for (key, inner) in object { flattened(inner, path.isEmpty ? key : path + "." + key, into: &fields) }
        } else if let array = value as? [Any] {
            for inner in array { flattened(inner, path, into: &fields) }
        } else if let text = value as? String {
            fields[path, default: []].append(text)
        } else if let number = value as? NSNumber, !(value is NSNull) {
            let isBoolean = CFGetTypeIDIsBoolean(number)
            fields[path, default: []].append(isBoolean ? (number.boolValue ? "true" : "false") : number.stringValue)
        }
    }

    private func CFGetTypeIDIsBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }

    @Test("texts of every length come out as they went in, wherever their escapes stand")
    func escapesAnywhere() throws {
        var generator = SeededGenerator(state: 21)
        let pieces = ["a", "b", "\\", "\"", "/", "\n", "é", "😀", "abcdefgh", "0123456789abcdef"]
        let lengths = Array(0...80)
        var expected: [String] = []
        var text = ""
        for length in lengths {
            let value = (0..<length).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let encoded = value.unicodeScalars.map { scalar in
                switch scalar {
                case "\\", "\"": "\\" + String(scalar)
                case "\n": "\\n"
                case "é": Bool.random(using: &generator) ? "é" : #"\u00e9"#
                case "😀": Bool.random(using: &generator) ? "😀" : #"\uD83D\uDE00"#
                default: String(scalar)
                }
            }
            expected.append(value)
            text += #"{"a":"\#(encoded.joined())","b":"end"}"# + "\n"
        }
        let events = Reading(text, .json, fields: Self.names).events
        #expect(events.count == lengths.count)
        for (event, value) in zip(events, expected) {
            #expect(event.fields["a"] == [value])
            #expect(event.fields["b"] == ["end"])
        }
    }

    @Test("generated objects are read as Foundation reads them")
    func generated() throws {
        var generator = SeededGenerator(state: 20)
        var text = ""
        var expected: [[String: [String]]] = []
        for _ in 0..<600 {
            var writer = Writer(generator: generator)
            let line = writer.object(depth: 0, names: ["a", "b", "c", "é", "tenant.id", "unknown", "x y"])
            generator = writer.generator
            var fields: [String: [String]] = [:]
            flattened(try JSONSerialization.jsonObject(with: Data(line.utf8)), "", into: &fields)
            expected.append(fields.filter { Self.names.contains($0.key) })
            text += line + "\n"
        }
        let reading = Reading(text, .json, fields: Self.names)
        #expect(reading.counters.parsed == 600)
        var count = 0
        for (event, fields) in zip(reading.events, expected) {
            #expect(event.fields == fields, "\(event.text)")
            count += fields.count
        }
        #expect(count > 600)
    }

    /// Writes random JSON: escapes, white space and nesting as they come. Every name occurs once in an object.
    private struct Writer {
        var generator: SeededGenerator

        mutating func object(depth: Int, names: [String]) -> String {
            var members: [String] = []
            for name in names.shuffled(using: &generator).prefix(Int.random(in: 0...4, using: &generator)) {
                // A dotted name and the nested one are the same field: only one of them at a time.
                let inner = depth > 0 && name.contains(".") ? "unknown\(members.count)" : name
                members.append("\(space())\"\(inner)\"\(space()):\(space())\(value(depth: depth + 1))\(space())")
            }
            return "{\(space())\(members.joined(separator: ","))}"
        }

        private mutating func value(depth: Int) -> String {
            switch Int.random(in: 0..<(depth < 4 ? 9 : 6), using: &generator) {
            case 0: return "\(Int.random(in: -1_000_000...1_000_000, using: &generator))"
            case 1: return ["true", "false", "null"].randomElement(using: &generator) ?? "null"
            case 2...5: return string()
            case 6:
                return "[" + (0..<Int.random(in: 0...4, using: &generator)).map { _ in string() + space() }.joined(separator: ",")
                    + "]"
            default: return object(depth: depth, names: ["a", "b", "c", "unknown"])
            }
        }

        private mutating func string() -> String {
            var text = "\""
            for _ in 0..<Int.random(in: 0...8, using: &generator) {
                let pieces = [
                    "a", "z", "é", "🦆", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83e\\udd86", "\\u0041", "{", "}", "[", ",",
                    ":", "\\t", " ",
                ]
                text += pieces.randomElement(using: &generator) ?? ""
            }
            return text + "\""
        }

        private mutating func space() -> String {
            [" ", "", "", "\t", "  "].randomElement(using: &generator) ?? ""
        }
    }

    @Test(
        "ECS names, nested or dotted, and the names that programs use",
        arguments: [
            (#"{"source":{"ip":"192.0.2.1"}}"#, "source.ip", "192.0.2.1"),
            (#"{"source.ip":"192.0.2.1"}"#, "source.ip", "192.0.2.1"),
            (#"{"remote_addr":"192.0.2.1"}"#, "source.ip", "192.0.2.1"),
            (#"{"ClientHost":"192.0.2.1"}"#, "source.ip", "192.0.2.1"),
            (#"{"request":{"remote_ip":"192.0.2.1"}}"#, "source.ip", "192.0.2.1"),
            (#"{"status":404}"#, "http.response.status_code", "404"),
            (#"{"DownstreamStatus":404}"#, "http.response.status_code", "404"),
            (#"{"method":"GET"}"#, "http.request.method", "GET"),
            (#"{"request_uri":"/a?b"}"#, "url.original", "/a?b"), (#"{"request":{"uri":"/a?b"}}"#, "url.query", "b"),
            (#"{"username":"bob"}"#, "user.name", "bob"), (#"{"http_user_agent":"curl"}"#, "user_agent.original", "curl"),
            (#"{"referer":"x"}"#, "http.request.referrer", "x"), (#"{"msg":"hello"}"#, "message", "hello"),
            (#"{"event":"login"}"#, "event.action", "login"), (#"{"level":"warn"}"#, "log.level", "warn"),
        ])
    func names(_ line: String, field: String, value: String) throws {
        #expect(try #require(Reading(line, .json).events.first)[field] == value)
    }

    /// nginx writes `""` with `escape=json` and `"-"` without, as its access log does, where neither counts either.
    @Test(
        "a header that was not sent is no value, nor is a user who is nobody",
        arguments: [
            ("http_referer", "http.request.referrer"), ("http_user_agent", "user_agent.original"), ("remote_user", "user.name"),
        ])
    func nothing(_ key: String, field: String) throws {
        for value in ["", "-"] {
            let event = try #require(
                Reading("{\"request_uri\":\"/a\",\"\(key)\":\"\(value)\",\"status\":200}", .json).events.first)
            #expect(event[field] == nil)
            #expect(event.fields["vigie.request.decoded"] == ["/a"])
            #expect(event["http.response.status_code"] == "200")
        }
        #expect(try #require(Reading("{\"\(key)\":\"x\"}", .json).events.first)[field] == "x")
        // In other fields they are what the program says.
        #expect(try #require(Reading(#"{"message":"-"}"#, .json).events.first)["message"] == "-")
    }

    @Test(
        "a request line is read where its parts have no keys of their own",
        arguments: [
            (#"{"request":"GET /a?b=1 HTTP/1.1","status":200}"#, "GET", "/a", "b=1", "1.1", true),
            (#"{"request":"GET /a?b=\"x\" HTTP/2.0","status":"200"}"#, "GET", "/a", #"b="x""#, "2.0", true),
            (#"{"status":200,"request_line":"POST \/a?b\u003d1 HTTP\/1.0"}"#, "POST", "/a", "b=1", "1.0", true),
            (#"{"request":"GET /x HTTP/1.1","request_uri":"/a?b=1","request_method":"PUT"}"#, "PUT", "/a", "b=1", nil, true),
            (#"{"request":"GET /a?b=1 HTTP/1.1","method":"PUT"}"#, "PUT", "/a", "b=1", "1.1", true),
            (#"{"request":"6f1c-77","message":"done"}"#, nil, nil, nil, nil, false),
            (#"{"request":{"method":"GET","uri":"/a?b=1"}}"#, "GET", "/a", "b=1", nil, true),
        ])
    func requestLine(
        _ line: String, method: String?, path: String?, query: String?, version: String?, isRequest: Bool
    ) throws {
        let event = try #require(Reading(line, .json).events.first)
        #expect(event["http.request.method"] == method)
        #expect(event["url.path"] == path)
        #expect(event["url.query"] == query)
        #expect(event["http.version"] == version)
        #expect(event["vigie.url.decoded"] == path.map { "\($0)?\(query ?? "")" })
        #expect(event["http.request.line"] == nil)
        #expect(event.logSource.categories.contains("webserver") == isRequest)
    }

    @Test("what a client sent that is no request is kept")
    func noRequest() throws {
        let event = try #require(
            Reading(#"{"remote_addr":"192.0.2.1","request":"\u0016\u0003x","status":400}"#, .json).events.first)
        #expect(event["http.request.line"] == "\u{16}\u{3}x")
        #expect(event["url.original"] == nil)
    }

    @Test("a request's derived fields follow its escapes")
    func escapedTarget() throws {
        let event = try #require(Reading(#"{"url":"\/a%2Fb?c=\u0027x\u0026d=%3C","user_agent":"\"q\""}"#, .json).events.first)
        #expect(event["url.original"] == "/a%2Fb?c='x&d=%3C")
        #expect(event["url.path"] == "/a%2Fb")
        #expect(event["url.query"] == "c='x&d=%3C")
        #expect(event["vigie.url.decoded"] == "/a/b?c='x&d=<")
        #expect(event["vigie.path.decoded"] == "/a/b")
        #expect(event.fields["vigie.request.decoded"] == ["/a/b?c='x&d=<", "\"q\""])
        #expect(event.logSource.categories == ["application", "webserver"])
    }

    @Test(
        "a request whose path and query are named apart has a target of both",
        arguments: [
            (
                #"{"http":{"request":{"method":"GET"}},"url":{"path":"/a%2Fb","query":"c=%27x+y"}}"#, "/a%2Fb?c=%27x+y",
                "/a/b?c='x y"
            ),
            (#"{"url.query":"c=\u00271","url.path":"\/a","status":200}"#, "/a?c='1", "/a?c='1"),
            (#"{"url.path":"/a","url.query":"?c=1","method":"GET"}"#, "/a?c=1", "/a?c=1"),
            (#"{"url.path":"/a","status":404}"#, "/a", "/a"), (#"{"url.path":"/a","url.query":"","status":404}"#, "/a", "/a"),
            (#"{"url.path":"/a?c=%41","status":404}"#, "/a?c=%41", "/a?c=A"),
        ])
    func splitTarget(_ line: String, target: String, decoded: String) throws {
        let event = try #require(Reading(line, .json).events.first)
        #expect(event["url.original"] == target)
        #expect(event["vigie.url.decoded"] == decoded)
        #expect(event["vigie.path.decoded"] == decoded.split(separator: "?").first.map(String.init))
        #expect(event.fields["vigie.request.decoded"] == [decoded])
        #expect(event.logSource.categories == ["application", "webserver"])
    }

    @Test("a path that no request is named beside makes none")
    func pathWithoutRequest() throws {
        for line in [#"{"url.path":"/a","url.query":"b=1"}"#, #"{"url.path":"a b","status":200}"#] {
            let event = try #require(Reading(line, .json).events.first)
            #expect(event["url.original"] == nil)
            #expect(event.logSource.categories == ["application"])
        }
    }

    @Test(
        "escapes are undone; broken ones stay or become a replacement character",
        arguments: [
            (#"\" \\ \/ \b \f \n \r \t"#, "\" \\ / \u{8} \u{C} \n \r \t"), (#"\u0041\u00e9\u20AC"#, "Aé€"),
            (#"\ud83d\ude00"#, "😀"),
            (#"\ud83d"#, "\u{FFFD}"), (#"\ude00\ud83d"#, "\u{FFFD}\u{FFFD}"), (#"\ud83d\ud83d\ude00"#, "\u{FFFD}😀"),
            (#"\ud83dx"#, "\u{FFFD}x"),
            (#"\u12"#, #"\u12"#), (#"\uzzzz"#, #"\uzzzz"#), (#"\q"#, #"\q"#), (#"\u0000"#, "\u{0}"), (#"\\u0041"#, #"\u0041"#),
        ])
    func escapes(_ written: String, meant: String) throws {
        #expect(try #require(Reading("{\"message\":\"\(written)\"}", .json).events.first)["message"] == meant)
    }

    @Test(
        "what is no object is refused",
        arguments: [
            "[]", "1", "\"x\"", "null", "{", "}", "{}}", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
            "{\"a\":1", "{\"a\":\"x}",
            "{\"a\":\"x\\\"}", "{\"a\":[}", "{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":1 \"b\":2}", "{\"a\":\"\\", "{,}",
            "{\"a\"::1}", "{\"a\":[[1]",
        ])
    func refused(_ line: String) {
        let reading = Reading(line, .json, fields: ["a"])
        #expect(reading.counters.parsed == 0, "\(line)")
        #expect(reading.counters.unparsed == 1)
    }

    @Test("nesting is followed to its limit and refused beyond, at no cost in stack")
    func depth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        }
        let path = Array(repeating: "a", count: 32).joined(separator: ".")
        let deepest = Reading(nested(32), .json, fields: [path])
        #expect(deepest.events.first?[path] == "1" && deepest.counters.parsed == 1)
        #expect(Reading(nested(33), .json).counters.unparsed == 1)
        for hostile in [
            String(repeating: "{\"a\":", count: 10_000), String(repeating: "[", count: 60_000),
            "{\"a\":" + String(repeating: "[", count: 60_000), "{\"a\":" + String(repeating: "[{\"a\":", count: 8_000),
            "{\"a\":" + String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000) + "}",
        ] {
            #expect(Reading(hostile, .json, fields: ["a"]).counters.lines == 1)
        }
    }

    @Test("of two names for one field the first counts, wherever they stand")
    func firstWins() throws {
        let apart = try #require(
            Reading(#"{"remote_addr":"192.0.2.1","status":200,"client_ip":"203.0.113.1"}"#, .json).events.first)
        #expect(apart.fields["source.ip"] == ["192.0.2.1"])
    }

    @Test(
        "of two neighbouring names for one field the first counts too",
        arguments: [
            #"{"remote_addr":"192.0.2.1","client_ip":"203.0.113.1"}"#, #"{"source.ip":"192.0.2.1","source.ip":"203.0.113.1"}"#,
        ])
    func neighbours(_ line: String) throws {
        #expect(try #require(Reading(line, .json).events.first).fields["source.ip"] == ["192.0.2.1"])
    }

    @Test("the values of one path in an array's objects are neighbours, whatever stands between them")
    func arraysOfObjects() throws {
        let text = #"{"a":[{"b":"1","c":"x"},{"c":"\u0079","b":"\u0032"},{"b":"3"}],"a":{"b":"4"},"c":"5","a":[{"b":"6"}]}"#
        let table = FieldTable(with: ["a.b", "a.c"])
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(table))
        let batch = LogStream.parse(text, name: "test", parser: &parser, reference: Reading.reference)
        #expect(batch.isGrouped)
        let event = try #require(batch.copied(table).first)
        #expect(event.fields["a.b"] == ["1", "2", "3"])
        #expect(event.fields["a.c"] == ["x", "y"])
    }

    @Test("all values of an array count")
    func arrays() throws {
        let event = try #require(Reading(#"{"user":["a","b",null,"c"],"x":1,"message":[]}"#, .json).events.first)
        #expect(event.fields["user.name"] == ["a", "b", "c"])
        #expect(event.fields["message"] == nil)
    }

    @Test(
        "times as programs write them",
        arguments: [
            (#""2026-03-01T10:00:00Z""#, "2026-03-01T10:00:00Z"), (#""2026-03-01 10:00:00,250""#, "2026-03-01T10:00:00.250Z"),
            ("1772359200", "2026-03-01T10:00:00Z"), ("1772359200.5", "2026-03-01T10:00:00.500Z"),
            (#""1772359200""#, "2026-03-01T10:00:00Z"),
            ("1772359200250", "2026-03-01T10:00:00.250Z"), ("1772359200250000", "2026-03-01T10:00:00.250Z"),
        ])
    func times(_ value: String, meant: String) throws {
        let event = try #require(Reading("{\"time\":\(value)}", .json).events.first)
        #expect(event.hasOwnTime && event.time.rfc3339 == meant)
    }

    @Test(
        "times as fewer programs write them",
        arguments: [
            ("1772359200250000000", "2026-03-01T10:00:00.250Z"), (#""01/Mar/2026:10:00:00 +0000""#, "2026-03-01T10:00:00Z"),
            (#""2026-03-01T10:00:00\u002B00:00""#, "2026-03-01T10:00:00Z"), ("1772359200250.5", "2026-03-01T10:00:00.250500Z"),
        ])
    func rareTimes(_ value: String, meant: String) throws {
        let event = try #require(Reading("{\"time\":\(value)}", .json).events.first)
        #expect(event.hasOwnTime && event.time.rfc3339 == meant)
    }

    @Test(
        "times that are none leave the line undated",
        arguments: [
            "null", "true", "\"\"", "\"soon\"", "-1", "1e9", "99999999999999999999", "\"2026-02-30T00:00:00Z\"", "{}", "[]",
            "\".\"", "0x10",
        ])
    func noTimes(_ value: String) throws {
        let event = try #require(Reading("{\"time\":\(value)}", .json).events.first)
        #expect(!event.hasOwnTime && event.time == Reading.reference)
    }

    @Test(
        "what a message seems to say does not stand beside what a key says",
        arguments: [
            (#"{"user.name":"brun","password":"brun","message":"login attempt by user attempt"}"#, "brun"),
            (
                #"{"user.name":"brun","SYSLOG_IDENTIFIER":"sshd","message":"Failed password for root from 192.0.2.1 port 2 ssh2"}"#,
                nil
            ),
        ] as [(String, String?)])
    func messageBesideKeys(_ line: String, user: String?) throws {
        let table = FieldTable()
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(table))
        let batch = LogStream.parse(line, name: "", parser: &parser, reference: Reading.reference)
        #expect(batch.isGrouped)
        let event = try #require(batch.copied(table).first)
        #expect(event.fields["user.name"]?.count == 1)
        if let user { #expect(event["user.name"] == user) }
    }
}

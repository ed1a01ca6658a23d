import Events
import HTTPTypes
import Testing

@testable import Guard

@Suite struct RequestIdentifierTests {
    @Test(arguments: [
        "short", "has space in it", "quote\"quote\"", "line\nbreak1", "ünïcödé-id", String(repeating: "a", count: 65),
        "a;b=c,d=e",
    ])
    func `what could break a line is not taken over`(_ text: String) {
        #expect(!RequestIdentifier.isSafe(text))
    }

    @Test(arguments: ["0d9f0d9f", "6f1c2a9e-7b1d-4c53-9b0f-0f7e3a7f2b11", "req_1.2-3_abc", String(repeating: "a", count: 64)])
    func `what is safe is taken over`(_ text: String) {
        #expect(RequestIdentifier.isSafe(text))
    }

    @Test func `identifiers differ, and are trace ids`() {
        let ids = (0..<10_000).map { _ in RequestIdentifier.make() }
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy(RequestIdentifier.isTraceID))
    }
}

@Suite struct TraceParentTests {
    static let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func `the parts are read`() throws {
        let trace = try #require(TraceParent(Self.good))
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.parentID == "00f067aa0ba902b7")
        #expect(trace.flags == "01")
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more", "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
    ])
    func `what the Recommendation says to ignore is ignored`(_ text: String) {
        #expect(TraceParent(text) == nil)
    }

    @Test func `a later version may say more`() {
        #expect(TraceParent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")?.flags == "01")
    }
}

@Suite struct TrustedProxiesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var peer = "10.0.0.1"
        var forwardedFor: [String] = []
        var forwarded: [String] = []
        var client: String
    }

    static let cases = [
        Case(
            testDescription: "an untrusted peer says what it likes", peer: "203.0.113.9", forwardedFor: ["1.2.3.4"],
            client: "203.0.113.9"),
        Case(
            testDescription: "an untrusted peer, Forwarded", peer: "203.0.113.9", forwarded: ["for=1.2.3.4"],
            client: "203.0.113.9"),
        Case(testDescription: "one proxy", forwardedFor: ["203.0.113.9"], client: "203.0.113.9"),
        Case(
            testDescription: "what stands left of the client was invented by it", forwardedFor: ["1.2.3.4, 203.0.113.9"],
            client: "203.0.113.9"),
        Case(testDescription: "a chain of proxies", forwardedFor: ["203.0.113.9, 10.0.0.7"], client: "203.0.113.9"),
        Case(testDescription: "several lines are one list", forwardedFor: ["1.2.3.4", "203.0.113.9"], client: "203.0.113.9"),
        Case(
            testDescription: "a trusted address smuggled in is passed over only to the next",
            forwardedFor: ["1.2.3.4, 203.0.113.9, 10.9.9.9"], client: "203.0.113.9"),
        Case(testDescription: "garbage ends the search at the proxy", forwardedFor: ["1.2.3.4, unknown"], client: "10.0.0.1"),
        Case(testDescription: "an empty entry does, too", forwardedFor: ["1.2.3.4,"], client: "10.0.0.1"),
        Case(testDescription: "ports are dropped", forwardedFor: ["203.0.113.9:4711"], client: "203.0.113.9"),
        Case(testDescription: "IPv6 with a port", forwardedFor: ["[2001:db8::9]:4711"], client: "2001:db8::9"),
        Case(testDescription: "bare IPv6", forwardedFor: ["2001:db8::9"], client: "2001:db8::9"),
        Case(testDescription: "nobody said anything", client: "10.0.0.1"),
        Case(
            testDescription: "RFC 7239", forwarded: [#"for=1.2.3.4, for="[2001:db8::9]:80";proto=https"#], client: "2001:db8::9"),
        Case(testDescription: "RFC 7239, obfuscated", forwarded: ["for=203.0.113.9, for=_hidden"], client: "10.0.0.1"),
        Case(
            testDescription: "RFC 7239, a comma in quotes", forwarded: [#"for=203.0.113.9;by="a,for=1.2.3.4""#],
            client: "203.0.113.9"),
        Case(
            testDescription: "a mapped peer is its IPv4 address", peer: "::ffff:10.0.0.1", forwardedFor: ["203.0.113.9"],
            client: "203.0.113.9"),
    ]

    @Test(arguments: cases)
    func `the client is the first from the right that is not trusted`(_ sample: Case) throws {
        let proxies = try TrustedProxies(["10.0.0.0/8"])
        var headers = HTTPFields()
        for value in sample.forwardedFor { headers.append(HTTPField(name: .xForwardedFor, value: value)) }
        for value in sample.forwarded { headers.append(HTTPField(name: .forwarded, value: value)) }
        let peer = try #require(IPAddress(sample.peer))
        #expect(proxies.client(peer: peer, headers: headers).description == sample.client)
    }

    @Test(arguments: ["everybody", "10.0.0.0/33", "", "10.0.0.0/-1"])
    func `a proxy that cannot be read is refused at the start`(_ text: String) {
        #expect(throws: ConfigurationFailure.self) { try TrustedProxies([text]) }
    }

    @Test func `any bytes are read without harm`() throws {
        let proxies = try TrustedProxies(["0.0.0.0/0", "::/0"])
        let peer = try #require(IPAddress("10.0.0.1"))
        var random = SeededGenerator(seed: 5)
        let alphabet = Array("0123456789abcdef.:,;=[]\"% \tfor_-")
        for _ in 0..<5_000 {
            let text = String(
                (0..<Int.random(in: 0...80, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? " " })
            var headers = HTTPFields()
            headers[Bool.random(using: &random) ? .xForwardedFor : .forwarded] = text
            _ = proxies.client(peer: peer, headers: headers)
            _ = TraceParent(text)
        }
    }
}

@Suite(.timeLimit(.minutes(20))) struct IdentificationOnTheWireTests {
    @Test func `a forged address and a dangerous identifier change nothing`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            let answer = try await ask(
                port, "/whoami",
                headers: ["X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "X-Request-ID: a b{}", "traceparent: 00-zz"])
            let parts = answer.body.split(separator: " ")
            #expect(parts[1] == "127.0.0.1")
            #expect(answer.header("x-request-id") == String(parts[0]))
            #expect(!answer.body.contains("a b{}"))
            #expect(parts[2].hasPrefix("00-\(parts[0])-"))
        }
    }

    @Test func `a proxy on the loopback is believed where it is trusted, and identifiers are passed on`() async throws {
        let world = try World { $0.trustedProxies = ["127.0.0.0/8"] }
        try await withApplication(world.router()) { port async throws in
            let answer = try await ask(
                port, "/whoami",
                headers: ["X-Forwarded-For: 203.0.113.9", "X-Request-ID: 0d9f-0d9f", "traceparent: \(TraceParentTests.good)"])
            #expect(answer.body.hasPrefix("0d9f-0d9f 203.0.113.9 00-4bf92f3577b34da6a3ce929d0e0e4736-"))
            #expect(!answer.body.contains("00f067aa0ba902b7"))
            #expect(answer.header("x-request-id") == "0d9f-0d9f")
        }
    }
}

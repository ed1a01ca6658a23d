import Events
import Foundation
import Ingest
import Testing

@testable import Server

/// Senders that hold connections without getting on. What a test is not about has all the time there is: on a busy machine nothing comes
/// soon.
@Suite("Slow senders", .timeLimit(.minutes(20)))
struct SlowSenderTests {
    private static let ready = "GET /ready HTTP/1.1\r\nHost: a\r\n\r\n"

    private static func withHTTP(
        _ world: World, _ change: (inout HTTPReceiverOptions) -> Void,
        _ body: @escaping @Sendable (_ port: Int, _ counters: ReceiverCounters) async throws -> Void
    ) async throws {
        try await world.withReceivers { options in
            options.receivers.http[0].patience = .hours
            change(&options.receivers.http[0])
        } _: { server, ports in
            let events = try #require(server.receivers.intakes.first { $0.name == "events" })
            try await body(try #require(ports["http"]), events.counters)
        }
    }

    @Test("a connection beyond the limit is answered 503 at once, and counted; once one has ended, the next is taken")
    func overTheLimit() async throws {
        let world = try World()
        try await Self.withHTTP(world) {
            $0.limits.connections = 2
            $0.limits.connectionsPerAddress = 2
        } _: { port, counters in
            var open: [RawConnection] = []
            for _ in 0..<2 {
                let connection = try RawConnection(port: port)
                try connection.send(Self.ready)
                #expect(try await connection.receive().hasPrefix("HTTP/1.1 200"))
                try connection.send("GET /rea")
                open.append(connection)
            }
            let third = try RawConnection(port: port)
            let answer = try await third.receive()
            #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("Retry-After: 5"))
            #expect(counters.snapshot.refused == ["connections": 1])
            #expect(counters.snapshot.lastRefusal == "127.0.0.1: more than 2 connections")
            open.removeAll()
            try await eventually("there is room again") {
                let next = try RawConnection(port: port)
                try? next.send(Self.ready)
                return (try? await next.receive().hasPrefix("HTTP/1.1 200")) == true
            }
        }
    }

    @Test("one address has its share of the connections, over HTTP and over syslog; others still get in")
    func share() async throws {
        let world = try World()
        @Sendable func header(_ source: String) -> String { "PROXY TCP4 \(source) 10.0.0.1 50122 8631\r\n" }
        try await Self.withHTTP(world) {
            $0.proxies = ["127.0.0.1"].compactMap { AddressBlock($0) }
            $0.limits.connectionsPerAddress = 1
        } _: { port, counters in
            let first = try RawConnection(port: port)
            try first.send(header("203.0.113.9") + Self.ready)
            #expect(try await first.receive().hasPrefix("HTTP/1.1 200"))
            let second = try RawConnection(port: port)
            try second.send(header("203.0.113.9"))
            #expect(try await second.receive().isEmpty)
            let other = try RawConnection(port: port)
            try other.send(header("203.0.113.10") + Self.ready)
            #expect(try await other.receive().hasPrefix("HTTP/1.1 200"))
            #expect(counters.snapshot.refused == ["connections": 1])
            #expect(counters.snapshot.lastRefusal == "203.0.113.9: more than 1 connections of one address")
        }
        let other = try World()
        try await other.withReceivers { options in
            options.receivers.http = []
            var syslog = SyslogReceiverOptions(listen: ListenAddress(host: "127.0.0.1", port: 0), transport: .tcp)
            syslog.limits.connectionsPerAddress = 1
            options.receivers.syslog = [syslog]
        } _: { server, ports in
            let intake = try #require(server.receivers.intakes.first)
            let first = try RawConnection(port: try #require(ports[intake.name]))
            try first.send("<13>one\n")
            try await eventually("the first is taken") { intake.counters.snapshot.events == 1 }
            let second = try RawConnection(port: try #require(ports[intake.name]))
            #expect(try await second.receive().isEmpty)
            #expect(intake.counters.snapshot.refused == ["connections": 1])
        }
    }

    @Test("an IPv6 /64 is one address, and a connection gives back what it had, once")
    func slots() throws {
        let slots = ConnectionSlots(limit: 3, share: 2)
        let connections = (0..<5).map { _ in NSObject() }
        let (near, beside, far) = (IPAddress("2001:db8::1"), IPAddress("2001:db8::2"), IPAddress("2001:db8:0:1::1"))
        try slots.take(connections[0], of: near)
        try slots.take(connections[1], of: beside)
        #expect(throws: ConnectionRefusal(reason: "more than 2 connections of one address")) {
            try slots.take(connections[2], of: near)
        }
        try slots.take(connections[3], of: nil)
        #expect(throws: ConnectionRefusal(reason: "more than 3 connections")) { try slots.take(connections[4], of: far) }
        // Said by a proxy: refused, it has its place until it is closed.
        #expect(throws: ConnectionRefusal.self) { try slots.assign(connections[3], to: try #require(near)) }
        slots.give(connections[0])
        slots.give(connections[0])
        try slots.assign(connections[3], to: try #require(near))
        #expect(throws: ConnectionRefusal.self) { try slots.take(connections[2], of: beside) }
        try slots.take(connections[4], of: far)
    }

    @Test(
        "headers that do not end have a deadline, as has a connection over which nothing comes", arguments: ["GET /ready HT", ""])
    func headers(_ start: String) async throws {
        let world = try World()
        try await Self.withHTTP(world) {
            $0.patience.headers = .milliseconds(50)
        } _: { port, counters in
            let connection = try RawConnection(port: port)
            try? connection.send(start)
            await connection.end()
            try await eventually("it is counted") { counters.snapshot.refused == ["slow": 1] }
            #expect(counters.snapshot.lastRefusal.hasPrefix("127.0.0.1: the headers of a request did not come"))
        }
    }

    @Test("what is left of a body that was refused has to end")
    func rest() async throws {
        let world = try World()
        try await Self.withHTTP(world) {
            $0.patience.rest = .milliseconds(50)
        } _: { port, counters in
            let connection = try RawConnection(port: port)
            try connection.send("POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 100\r\n\r\n<")
            #expect(try await connection.receive().hasPrefix("HTTP/1.1 415"))
            await connection.end()
            #expect(counters.snapshot.refused == ["slow": 1])
        }
    }

    @Test("over TLS a connection that sends no handshake is closed, and counted")
    func handshake() async throws {
        let world = try World()
        let folder = world.path
        guard let pair = try SelfSigned.make(in: folder) else { try Test.cancel("not run: openssl is not here") }
        try await Self.withHTTP(world) {
            $0.tls = ReceiverTLSOptions(certificate: pair.certificate, key: pair.key)
            $0.patience.handshake = .milliseconds(50)
        } _: { port, counters in
            let connection = try RawConnection(port: port)
            await connection.end()
            #expect(counters.snapshot.refused == ["handshake": 1])
        }
    }

    @Test("an upload's entry that has begun has to get on; whatever was refused is answered 408")
    func upload() async throws {
        let world = try World()
        try await world.withReceivers { options in
            options.receivers.http[0].patience = .hours
            options.receivers.http[0].patience.entry = EntryPace(window: .zero, bytes: 1_000)
        } _: { server, ports in
            let journald = try #require(server.receivers.intakes.first { $0.name == "journald" })
            let connection = try RawConnection(port: try #require(ports["http"]))
            try connection.send(
                "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/vnd.fdo.journal\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for number in 0..<3 { try connection.send("5\r\nA\(number)=b\n\r\n") }
            #expect(try await connection.receive().hasPrefix("HTTP/1.1 408"))
            #expect(journald.counters.snapshot.refused == ["slow": 1])
        }
    }

    @Test("an upload may be silent between entries, and as long as it likes; what came fast buys a stalled entry no time")
    func entries() throws {
        let start = ContinuousClock.now
        var pace = EntryPace()
        func take(_ text: String, after seconds: Int) throws {
            try pace.take(Array(text.utf8), at: start + .seconds(seconds))
        }
        try take("MESSAGE=one\n\n", after: 0)
        try take("MESSAGE=two\n", after: 3_600)
        try take("\n", after: 3_629)
        try take("MESSAGE=three\n", after: 7_200)
        try take("\nMESSAGE=four\n", after: 7_229)
        try take(String(repeating: "x", count: 30 << 10), after: 7_260)
        try take(String(repeating: "x", count: 1 << 20), after: 7_270)
        try take("x", after: 7_291)
        try take("x", after: 7_321)
        #expect(throws: HTTPRefusal.self) { try take("x", after: 7_322) }
        var other = EntryPace()
        try other.take(Array("MESSAGE=a".utf8), at: start)
        #expect(throws: HTTPRefusal.self) { try other.take(Array("b".utf8), at: start + .seconds(31)) }
    }
}

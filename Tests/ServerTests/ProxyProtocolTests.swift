import Events
import Foundation
import Ingest
import Journal
import Synchronization
import Testing

@testable import Server

@Suite("Receivers behind a proxy of connections", .timeLimit(.minutes(20)))
struct ProxyProtocolTests {
    private static let header = "PROXY TCP4 203.0.113.9 10.0.0.1 50122 6514\r\n"
    /// Version 2 of the same.
    private static let binary =
        "\r\n\r\n\u{0}\r\nQUIT\n"
        + String(decoding: [0x21, 0x11, 0, 12, 0x3D, 0x00, 0x71, 0x09, 10, 0, 0, 1, 1, 2, 3, 4], as: UTF8.self)

    private static func withSyslog(
        _ world: World, proxies: [String], _ body: @escaping @Sendable (Intake, Int, VigieServer) async throws -> Void
    ) async throws {
        try await world.withReceivers { options in
            options.receivers.http = []
            var syslog = SyslogReceiverOptions(listen: ListenAddress(host: "127.0.0.1", port: 0), transport: .tcp)
            syslog.patience = .hours
            syslog.proxies = proxies.compactMap { AddressBlock($0) }
            options.receivers.syslog = [syslog]
        } _: { server, ports in
            let intake = try #require(server.receivers.intakes.first)
            try await body(intake, try #require(ports[intake.name]), server)
        }
    }

    @Test(
        "a trusted proxy says whose messages they are, by either version, wherever the header is cut", arguments: [false, true])
    func trusted(_ isBinary: Bool) async throws {
        let world = try World()
        try await Self.withSyslog(world, proxies: ["127.0.0.0/8"]) { intake, port, server in
            let header = isBinary ? Self.binary : Self.header
            let sender = isBinary ? "61.0.113.9" : "203.0.113.9"
            let whole = try RawConnection(port: port)
            try whole.send(header + "<13>one\n")
            let cut = try RawConnection(port: port)
            try cut.send(String(header.prefix(7)))
            try await eventually("the first is taken") { intake.counters.snapshot.events == 1 }
            try cut.send(String(header.dropFirst(7)))
            try cut.send("<13>two\n<13>three\n")
            try await eventually("all are taken") { intake.counters.snapshot.events == 3 }
            #expect(intake.counters.snapshot.refused.isEmpty)
            let spooled = try String(contentsOfFile: intake.spool.path, encoding: .utf8).split(separator: "\n").dropFirst()
            #expect(spooled.count == 3 && spooled.allSatisfy { $0.contains("\"log.source.address\":\"\(sender)\"") })
        }
    }

    @Test("a connection that ends at once after its message still has its sender")
    func short() async throws {
        let world = try World()
        try await Self.withSyslog(world, proxies: ["127.0.0.1"]) { intake, port, server in
            for _ in 0..<50 { try RawConnection(port: port).send(Self.header + "<13>one") }
            try await eventually("all are taken") { intake.counters.snapshot.events == 50 }
            let spooled = try String(contentsOfFile: intake.spool.path, encoding: .utf8)
            #expect(spooled.split(separator: "\"log.source.address\":\"203.0.113.9\"").count == 51)
        }
    }

    @Test("from anybody else a header is refused, and messages are taken as before; a proxy without one is refused")
    func untrusted() async throws {
        let world = try World()
        try await Self.withSyslog(world, proxies: ["192.0.2.1"]) { intake, port, _ in
            let forged = try RawConnection(port: port)
            try forged.send(Self.header + "<13>forged\n")
            #expect(try await forged.receive().isEmpty)
            let honest = try RawConnection(port: port)
            try honest.send("<13>honest\n")
            let short = try RawConnection(port: port)
            try short.send("PROX\n")
            try await eventually("what is no header is taken") { intake.counters.snapshot.events == 2 }
            #expect(intake.counters.snapshot.refused == ["proxy": 1])
            #expect(intake.counters.snapshot.lastRefusal.contains("127.0.0.1 is no proxy"))
        }
        let other = try World()
        try await Self.withSyslog(other, proxies: ["127.0.0.1"]) { intake, port, _ in
            let bare = try RawConnection(port: port)
            try bare.send("<13>bare\n")
            #expect(try await bare.receive().isEmpty)
            let broken = try RawConnection(port: port)
            try broken.send("PROXY TCP4 somebody\r\n<13>broken\n")
            #expect(try await broken.receive().isEmpty)
            #expect(intake.counters.snapshot.events == 0 && intake.counters.snapshot.refused == ["proxy": 2])
        }
    }

    @Test("where no proxy is configured a header is a message like any other")
    func unconfigured() async throws {
        let world = try World()
        try await Self.withSyslog(world, proxies: []) { intake, port, _ in
            let connection = try RawConnection(port: port)
            try connection.send(Self.header + "<13>one\n")
            try await eventually("both are taken") { intake.counters.snapshot.events == 2 }
            #expect(intake.counters.snapshot.refused.isEmpty)
        }
    }

    @Test("HTTP is spoken behind the header; a refusal names who sent, not the proxy")
    func http() async throws {
        let world = try World()
        try await world.withReceivers { options in
            // SHA-256 of "secret".
            options.receivers.http[0].tokens = ["2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]
            options.receivers.http[0].proxies = ["127.0.0.1"].compactMap { AddressBlock($0) }
        } _: { server, ports in
            let port = try #require(ports["http"])
            let events = try #require(server.receivers.intakes.first { $0.name == "events" })
            for (header, token, status) in [
                (Self.header, "secret", "HTTP/1.1 200"), (Self.binary, "secret", "HTTP/1.1 200"),
                (Self.header, "wrong", "HTTP/1.1 401"),
                ("", "secret", ""),
            ] {
                let connection = try RawConnection(port: port)
                try connection.send(
                    "\(header)POST /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Length: 8\r\n\r\n{\"a\":1}\n"
                )
                #expect(try await connection.receive().prefix(12) == status)
            }
            let counts = events.counters.snapshot
            #expect(counts.events == 2 && counts.refused == ["token": 1, "proxy": 1])
        }
    }

    @Test("the record of a configuration names networks as it does")
    func record() throws {
        let parsed = try Configuration(
            parsing:
                "{trusted_proxies: [10.0.0.0/8, '2001:db8::/32'], receivers: {http: {proxy_protocol: [192.0.2.1, 192.0.2.0/24]}}}",
            file: "test")
        var options = ServerOptions()
        options.apply(parsed)
        #expect(options.record["trusted_proxies"] == .array([.string("10.0.0.0/8"), .string("2001:db8::/32")]))
        #expect(
            options.record["receivers"]?["http"]?.arrayValue?.first?["proxy_protocol"]
                == .array([.string("192.0.2.1"), .string("192.0.2.0/24")]))
    }

    @Test("datagrams have no such header")
    func datagrams() {
        #expect(throws: ConfigurationError.self) {
            try Configuration(parsing: "receivers: {syslog: {transport: udp, proxy_protocol: [127.0.0.1]}}", file: "test")
        }
        #expect(throws: ConfigurationError.self) {
            try Configuration(parsing: "receivers: {http: {proxy_protocol: [everybody]}}", file: "test")
        }
        let parsed = try? Configuration(
            parsing: "receivers: {http: {proxy_protocol: 10.0.0.0/8}, syslog: {transport: tcp, proxy_protocol: [10.0.0.1]}}",
            file: "test")
        #expect(parsed?.receivers?.http.first?.proxies.count == 1 && parsed?.receivers?.syslog.first?.proxies.count == 1)
    }
}

import Events
import Foundation
import FoundationNetworking
import Glibc
import Identity
import Ingest
import Logging
import Synchronization
import Testing

@testable import Server

@Suite("Receivers", .timeLimit(.minutes(20)))
struct ReceiverTests {
    @Test(
        "what can be reached from other machines needs TLS, and a token or a client certificate",
        arguments: [
            "http: {listen: 0.0.0.0:8631}", "http: {listen: 0.0.0.0:8631, tokens: ['sha256:TOKEN']}",
            "http: {listen: 0.0.0.0:8631, tls: {certificate: a, key: b}}", "syslog: {listen: 0.0.0.0:514}",
            "syslog: {listen: 0.0.0.0:514, transport: tcp}", "syslog: {listen: 0.0.0.0:6514, tls: {certificate: a, key: b}}",
            "syslog: {transport: tls}", "syslog: {transport: sctp}", "http: {tokens: [secret]}", "http: {tls: {certificate: a}}",
            "http: {limits: {connections: 0}}", "https: {}",
            // Names, of which the second is no address either.
            "http: {listen: '127.example.org:8631'}", "syslog: {listen: '127.0.0.1.example.org:514'}",
        ])
    func refusedConfigurations(_ text: String) {
        let text = text.replacing("TOKEN", with: String(repeating: "a", count: 64))
        #expect(throws: ConfigurationError.self) { try Configuration(parsing: "receivers: {\(text)}", file: "test") }
    }

    @Test("what is allowed, and what it amounts to")
    func configurations() throws {
        let digest = String(repeating: "a", count: 64)
        let text = """
            receivers:
              http:
                - {}
                - {listen: "0.0.0.0:444", tls: {certificate: a, key: b}, tokens: [accounts]}
                - {listen: "0.0.0.0:443", tls: {certificate: a, key: b}, tokens: "sha256:\(digest)", limits: {backlog_mib: 2, connections: 9, connections_per_address: 3}}
              syslog:
                - {listen: "[::1]:514"}
                - {listen: "0.0.0.0:6514", tls: {certificate: a, key: b, client_authority: c}, format: nginx_error}
            """
        let receivers = try #require(try Configuration(parsing: text, file: "test").receivers)
        #expect(receivers.http.map(\.listen.text) == ["127.0.0.1:8631", "0.0.0.0:444", "0.0.0.0:443"])
        #expect(receivers.http.map(\.takesAccountTokens) == [false, true, false])
        #expect(receivers.http[2].tokens == [digest] && receivers.http[2].limits.backlogBytes == 2 << 20)
        #expect(receivers.http.map(\.limits.connectionShare) == [128, 128, 3])
        #expect(receivers.syslog.map(\.transport) == [.udp, .tls])
        #expect(receivers.syslog[1].format == .named("nginx_error"))
    }

    @Test("an event is durable before it is acknowledged, and becomes a finding; twice the same alert becomes one")
    func acknowledged() async throws {
        let world = try World()
        try await world.withReceivers { server, ports in
            let port = try #require(ports["http"])
            let line = "203.0.113.9 - - [\(Self.now())] \"GET /?attack=1 HTTP/1.1\" 200 5"
            let body = Array(
                #"{"streams":[{"stream":{},"values":[["\#(Timestamp.system.nanoseconds)","\#(line.replacing("\"", with: "\\\""))"]]}]}"#
                    .utf8)
            let answer = try await Sender.send(port, "/loki/api/v1/push", body)
            #expect(answer.status == 204)
            let spooled = try String(contentsOfFile: server.folder.spool("loki"), encoding: .utf8)
            #expect(spooled.contains("attack=1"))
            try await eventually("it is found") { try await world.findings().count == 1 }
            #expect(await server.watch.statuses.contains { $0.name == server.folder.spool("loki") && $0.counters.parsed == 1 })
        }
    }

    @Test("a full spool answers 429 with Retry-After, and so does a spent rate; nothing of it is taken")
    func full() async throws {
        let world = try World()
        try await world.withReceivers { options in
            options.receivers.http[0].limits.backlogBytes = 1
            options.receivers.syslog = []
        } _: { server, ports in
            // The header of the file alone is more than the limit, until it is read.
            let port = try #require(ports["http"])
            let before = try Data(contentsOf: URL(fileURLWithPath: server.folder.spool("events"))).count
            var statuses: Set<Int> = []
            for _ in 0..<50 {
                let answer = try await Sender.send(port, "/api/v1/events", Array("{\"a\":1}\n".utf8))
                statuses.insert(answer.status)
                if answer.status == 429 {
                    #expect(answer.headers["Retry-After"] as? String == "5")
                    break
                }
            }
            #expect(statuses.contains(429))
            let after = try Data(contentsOf: URL(fileURLWithPath: server.folder.spool("events"))).count
            #expect(after - before < 50 * 200)
            let counts = server.receivers.intakes.first { $0.name == "events" }?.counters.snapshot
            #expect((counts?.refused["full"] ?? 0) > 0)
        }
    }

    @Test("a token is asked for where one is configured")
    func tokens() async throws {
        let world = try World()
        try await world.withReceivers { options in
            // SHA-256 of "secret".
            options.receivers.http[0].tokens = ["2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"]
        } _: { server, ports in
            let port = try #require(ports["http"])
            let body = Array("{\"a\":1}\n".utf8)
            for (header, status) in [
                ("", 401), ("Bearer wrong", 401), ("Bearer secret", 200), ("Basic eDpzZWNyZXQ=", 200),
                ("Basic eDp3cm9uZw==", 401),
            ] {
                let answer = try await Sender.send(
                    port, "/api/v1/events", body, headers: header.isEmpty ? [:] : ["authorization": header])
                #expect(answer.status == status, "\(header)")
            }
            let counts = server.receivers.intakes.first { $0.name == "events" }?.counters.snapshot
            #expect(counts?.refused == ["token": 3] && counts?.events == 2)
        }
    }

    @Test(
        "an account's token with the scope ingest opens a receiver that takes those, until it is revoked or the account disabled")
    func accountTokens() async throws {
        let world = try World()
        try await world.withReceivers { options in
            options.receivers.http[0].takesAccountTokens = true
        } _: { server, ports in
            let port = try #require(ports["http"])
            let author = AuditAuthor(id: "uid:0", name: nil, address: "")
            let now = Timestamp.system
            _ = try await server.accounts.invite("shipper", role: .viewer, by: author, at: now)
            let account = try #require(try await server.accounts.accounts().first { $0.name == "shipper" })
            let make = { @Sendable (scopes: Set<TokenScope>) in
                try await server.accounts.createToken(
                    for: account.id, name: "log", scopes: scopes, days: 1, by: author, at: now)
            }
            let (good, other) = (try await make([.ingest]), try await make([.read, .respond, .admin]))
            @Sendable func status(_ token: String) async throws -> Int {
                try await Sender.send(
                    port, "/api/v1/events", Array("{\"a\":1}\n".utf8), headers: ["authorization": "Bearer \(token)"]
                ).status
            }
            #expect(try await status(good.secret.text) == 200)
            #expect(try await status(other.secret.text) == 401, "admin is not ingest")
            #expect(try await status("vigie_" + String(repeating: "0", count: 40)) == 401)
            #expect(try await status("") == 401)
            let event = """
                {"routing_key":"\(good.secret.text)","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"error"}}
                """
            #expect(try await Sender.send(port, "/v2/enqueue", Array(event.utf8)).status == 202)
            try await server.accounts.revokeToken(id: good.token.id, owner: nil, by: author, at: now)
            #expect(try await status(good.secret.text) == 401)
            let second = try await make([.ingest])
            #expect(try await status(second.secret.text) == 200)
            try await server.accounts.disable(accountID: account.id, by: author, at: now)
            #expect(try await status(second.secret.text) == 401)
        }
    }

    @Test("what is no event is refused with its reason, and counted; the next is taken")
    func refused() async throws {
        let world = try World()
        try await world.withReceivers { server, ports in
            let port = try #require(ports["http"])
            for (path, type, body, status) in [
                ("/loki/api/v1/push", "application/x-protobuf", [UInt8]("nonsense".utf8), 400),
                ("/loki/api/v1/push", "application/x-protobuf", [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0], 413),
                ("/v1/logs", "application/x-protobuf", [0x0A, 0x7F, 1], 400), ("/v1/logs", "text/xml", [], 415),
                ("/webhooks/alertmanager", "application/json", [UInt8]("{".utf8), 400),
                ("/v2/enqueue", "application/json", [UInt8]("{}".utf8), 400),
                ("/upload", "application/vnd.fdo.journal", [UInt8]("what?\n".utf8), 400), ("/upload", "text/plain", [], 415),
            ] {
                let answer = try await Sender.send(port, path, body, type: type)
                #expect(answer.status == status, "\(path): \(answer.text)")
                #expect(!answer.text.isEmpty)
            }
            #expect(try await Sender.send(port, "/api/v1/events", Array("{\"a\":1}\n".utf8)).status == 200)
            let refused = server.receivers.intakes.map { $0.counters.snapshot.refused.values.reduce(0, +) }.reduce(0, +)
            #expect(refused == 8)
        }
    }

    @Test("a journal that is compressed is refused with the reason")
    func compressedUpload() async throws {
        let world = try World()
        try await world.withReceivers { server, ports in
            let port = try #require(ports["http"])
            let answer = try await Sender.send(
                port, "/upload", [0x1F, 0x8B], type: "application/vnd.fdo.journal", headers: ["content-encoding": "gzip"])
            #expect(answer.status == 415 && answer.text.contains("'gzip' is not taken here"))
            let journald = try #require(server.receivers.intakes.first { $0.name == "journald" })
            #expect(journald.counters.snapshot.refused == ["unsupported": 1])
        }
    }

    /// Its sender is known only once it has been read. The answer comes before anything of the body is there.
    @Test("an event of PagerDuty's that is larger than theirs may be is refused unread")
    func strangers() async throws {
        let world = try World()
        try await world.withReceivers { server, ports in
            let connection = try RawConnection(port: try #require(ports["http"]))
            try connection.send(
                "POST /v2/enqueue HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: \(600 << 10)\r\n\r\n")
            #expect(try await connection.receive().hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test("a body has to end, whatever it began with")
    func pace() throws {
        let pace = BodyPace(limit: 8 << 20)
        try pace.check(0, after: .seconds(30))
        try pace.check(100 << 10, after: .seconds(100))
        try pace.check(8 << 20, after: .seconds(158))
        #expect(throws: HTTPRefusal.self) { try pace.check(39 << 10, after: .seconds(40)) }
        #expect(throws: HTTPRefusal.self) { try pace.check(8 << 20, after: .seconds(160)) }
        #expect(throws: HTTPRefusal.self) { try BodyPace(limit: 512 << 10).check(512 << 10, after: .seconds(40)) }
    }

    @Test("what a body takes is counted for as long as there is the body")
    func bodyBudget() throws {
        let budget = BodyBudget(limit: 1_000)
        let lease = BodyBudget.Lease(budget)
        try lease.extend(by: 600)
        let body = Shared<ReceivedBody?>(ReceivedBody(bytes: [UInt8](repeating: 0, count: 600), lease: consume lease))
        #expect(budget.inUse == 600)
        #expect(throws: IntakeRefusal.self) { try body.value?.count(more: 500) }
        try body.value?.count(more: 300)
        #expect(budget.inUse == 900)
        body.value = nil
        #expect(budget.inUse == 0)
    }

    @Test("an upload that is sent again while the first is still under way is taken once")
    func overlappingUploads() async throws {
        let world = try World()
        try await world.withReceivers { options in
            options.receivers.http[0].patience = .hours
        } _: { server, ports in
            let port = try #require(ports["http"])
            let entries = (1...10).map { "__CURSOR=s=abc;i=\(String($0, radix: 16))\nMESSAGE=m\($0)\n\n" }.joined()
            let first = try RawConnection(port: port)
            try first.send(
                "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/vnd.fdo.journal\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "\(String(entries.utf8.count, radix: 16))\r\n\(entries)\r\n")
            let second = try await Sender.send(port, "/upload", Array(entries.utf8), type: "application/vnd.fdo.journal")
            #expect(second.status == 202)
            try first.send("0\r\n\r\n")
            #expect(try await first.receive().hasPrefix("HTTP/1.1 202"))
            let counts = try #require(server.receivers.intakes.first { $0.name == "journald" }).counters.snapshot
            #expect(counts.events == 10 && counts.received.repeated == 10)
        }
    }

    @Test("a full disk keeps senders of syslog waiting, and loses nothing of what they sent")
    func fullDisk() async throws {
        let world = try World()
        let disk = world.data.spools
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        guard mount("tmpfs", disk, "tmpfs", 0, "size=4m,mode=0700") == 0 else {
            try Test.cancel("not run: this user cannot mount a small file system")
        }
        defer { umount2(disk, Int32(MNT_DETACH)) }
        try await world.withReceivers { options in
            options.receivers.http = []
            options.receivers.syslog = [SyslogReceiverOptions(listen: ListenAddress(host: "127.0.0.1", port: 0), transport: .tcp)]
        } _: { server, ports in
            let intake = try #require(server.receivers.intakes.first)
            let connection = try RawConnection(port: try #require(ports[intake.name]))
            try connection.send("<13>one\n")
            try await eventually("the first is taken") { intake.counters.snapshot.events == 1 }
            let ballast = open(disk + "/ballast", O_WRONLY | O_CREAT, 0o600)
            let block = [UInt8](repeating: 1, count: 4_096)
            while write(ballast, block, block.count) > 0 {}
            close(ballast)
            try connection.send("<13>two\n")
            try await eventually("the disk refuses") { !intake.counters.snapshot.refused.isEmpty }
            #expect(intake.counters.snapshot.refused == ["disk": 1])
            try connection.send("<13>three\n")
            unlink(disk + "/ballast")
            try await eventually("all are taken") { intake.counters.snapshot.events == 3 }
            #expect(intake.counters.snapshot.refused == ["disk": 1])
        }
    }

    private static func now() -> String {
        let text = Timestamp.system.rfc3339
        let parts = text.split(separator: "T")
        let date = parts[0].split(separator: "-")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(date[2])/\(months[(Int(date[1]) ?? 1) - 1])/\(date[0]):\(parts[1].prefix(8)) +0000"
    }
}

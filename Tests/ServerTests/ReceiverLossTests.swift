import Events
import Foundation
import Ingest
import Testing

@testable import Server

/// What a receiver does not keep, or not whole, where users look for it.
@Suite("What receivers lose", .timeLimit(.minutes(20)))
struct ReceiverLossTests {
    private static func syslogOnly(_ options: inout ServerOptions) {
        options.receivers.http = []
        var syslog = SyslogReceiverOptions(listen: ListenAddress(host: "127.0.0.1", port: 0), transport: .tcp)
        syslog.patience = .hours
        options.receivers.syslog = [syslog]
    }

    private static func counters(_ server: VigieServer, _ intake: Intake) async -> SourceCounters? {
        await server.watch.statuses.first { $0.name == intake.spool.path }?.counters
    }

    @Test("messages of syslog that were cut are over-long, in either framing, as are lines of files; so they stay over a restart")
    func overlong() async throws {
        let world = try World()
        let saved = Shared("")
        try await world.withReceivers(Self.syslogOnly) { server, ports in
            let intake = try #require(server.receivers.intakes.first)
            saved.value = intake.spool.path
            let port = try #require(ports[intake.name])
            let text = "<13>" + String(repeating: "x", count: 199_996)
            let lines = try RawConnection(port: port)
            try lines.send("\(text)\n<13>short\n")
            let counted = try RawConnection(port: port)
            try counted.send("200000 \(text)9 <13>short")
            try await eventually("all are taken") { intake.counters.snapshot.events == 4 }
            #expect(intake.counters.snapshot.received.cutMessages == 2)
            #expect(await Self.counters(server, intake)?.overlong == 2)
            #expect(intake.counters.snapshot.problem.contains("2 messages cut"))
        }
        let state = try DetectionSnapshot.load(world.data)?.states.first { $0.path == saved.value }
        #expect(state?.counters.overlong == 2)
        try await world.withReceivers(Self.syslogOnly) { server, _ in
            let intake = try #require(server.receivers.intakes.first)
            #expect(await Self.counters(server, intake)?.overlong == 2)
        }
    }

    @Test("what the kernel let go and what could not be kept is dropped, and saved though no line came")
    func dropped() async throws {
        let world = try World()
        let saved = Shared("")
        try await world.withReceivers(Self.syslogOnly) { server, _ in
            let intake = try #require(server.receivers.intakes.first)
            saved.value = intake.spool.path
            intake.counters.setKernelDrops(5)
            intake.counters.setKernelDrops(7)
            intake.counters.lose(2)
            #expect(await Self.counters(server, intake)?.dropped == 9)
            #expect(intake.counters.snapshot.problem.contains("7 datagrams dropped by the kernel"))
            #expect(intake.counters.snapshot.problem.contains("2 messages lost"))
        }
        let state = try DetectionSnapshot.load(world.data)?.states.first { $0.path == saved.value }
        #expect(state?.counters.dropped == 9)
    }

    @Test("an event that is refused by itself is dropped; a request that is refused as a whole is its sender's to send again")
    func rejected() async throws {
        let world = try World()
        try await world.withReceivers { server, ports in
            let port = try #require(ports["http"])
            let events = try #require(server.receivers.intakes.first { $0.name == "events" })
            #expect(try await Sender.send(port, "/api/v1/events", Array("{\"a\":1}\nnone\n".utf8)).status == 200)
            #expect(await Self.counters(server, events)?.dropped == 1)
            let otlp = try #require(server.receivers.intakes.first { $0.name == "otlp" })
            #expect(try await Sender.send(port, "/v1/logs", Array("[]".utf8)).status == 400)
            #expect(await Self.counters(server, otlp)?.dropped == 0)
        }
    }
}

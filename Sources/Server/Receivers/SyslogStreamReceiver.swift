import Events
import Foundation
import Ingest
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// Syslog over TCP, plain or within TLS (RFC 6587, RFC 5425).
///
/// A connection is read no faster than its messages become durable, and not at all while detection is too far behind: the sender's own
/// queue then keeps what is still to come.
struct SyslogStreamReceiver: Sendable {
    let options: SyslogReceiverOptions
    let intake: Intake
    let logger: Logger
    private let peers = ProxiedPeers()
    /// How often a connection that may not be read looks whether it may.
    private static let waitForRoom = Duration.milliseconds(100)

    private typealias Connection = NIOAsyncChannel<ByteBuffer, Never>

    /// Runs until the server stops.
    func run(listening: @Sendable (_ port: Int) async -> Void) async throws {
        let context = try options.tls.map { try NIOSSLContext(configuration: $0.configuration()) }
        let slots = ConnectionSlots(options.limits)
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: options.listen.host, port: options.listen.port) { setUp($0, slots, context) }
        await listening(server.channel.localAddress?.port ?? options.listen.port)
        // Cancelling it would trap in swift-nio when a connection has been accepted that nobody has taken yet: it is closed instead.
        try await withGracefulShutdownHandler {
            try await accept(server, slots)
        } onGracefulShutdown: {
            server.channel.close(promise: nil)
        }
    }

    private func setUp(
        _ channel: any Channel, _ slots: ConnectionSlots, _ context: NIOSSLContext?
    ) -> EventLoopFuture<Connection> {
        let (counters, proxies, peers, patience) = (intake.counters, TrustedProxies(options.proxies), peers, options.patience)
        do throws(ConnectionRefusal) {
            try slots.take(channel, of: proxies.owner(of: channel))
        } catch {
            let peer = channel.remoteAddress?.ipAddress
            counters.refuse(ConnectionRefusal.code, [peer, error.reason].compactMap { $0 }.joined(separator: ": "))
            // swift-nio leaves a connection open whose setup has failed.
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(error)
        }
        let connection: EventLoopFuture<Connection> = channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if !proxies.isEmpty {
                try pipeline.addHandler(
                    ProxyHeaderHandler(
                        proxies: proxies, peers: peers, slots: slots, limit: patience.proxyHeader
                    ) { counters.refuse($0, $1) })
            }
            if let context {
                try pipeline.addHandler(NIOSSLServerHandler(context: context))
                try pipeline.addHandler(HandshakeDeadline(limit: patience.handshake) { counters.refuse("handshake", $0) })
            }
            return try Connection(
                wrappingChannelSynchronously: channel,
                configuration: .init(backPressureStrategy: .init(lowWatermark: 1, highWatermark: 4)))
        }
        connection.whenFailure { _ in slots.give(channel) }
        return connection
    }

    /// A connection has its slot until all that came over it is taken: one that has ended may still wait for room.
    private func accept(_ server: NIOAsyncChannel<Connection, Never>, _ slots: ConnectionSlots) async throws {
        try await server.executeThenClose { connections in
            await withDiscardingTaskGroup { group in
                do {
                    for try await connection in connections {
                        group.addTask {
                            await serve(connection)
                            slots.give(connection.channel)
                        }
                    }
                } catch {
                    logger.error("the syslog receiver on \(options.listen.text) takes no more connections: \(error)")
                }
                group.cancelAll()
            }
        }
    }

    private func serve(_ connection: Connection) async {
        let channel = connection.channel
        defer { peers.forget(channel) }
        let own = channel.remoteAddress?.ipAddress ?? ""
        // Who is behind a proxy is known once something has come.
        func peer() -> String { peers.address(behind: channel) ?? own }
        // When the message that is arriving has begun.
        let began = MessageStart()
        let watchdog = Task { [peers] in await closeIfStalled(channel, began) { peers.address(behind: channel) ?? own } }
        defer { watchdog.cancel() }
        do {
            try await connection.executeThenClose { inbound in
                var framing = SyslogFraming()
                var messages = SyslogMessages()
                for try await buffer in inbound {
                    let bytes = Array(buffer.readableBytesView)
                    try framing.push(bytes.span, into: &messages)
                    if !messages.ranges.isEmpty { began.clear() }
                    try await take(&messages, peer())
                    if framing.isWithinMessage { began.note() } else { began.clear() }
                }
                framing.end(into: &messages)
                try await take(&messages, peer())
            }
        } catch let refusal as ReceiverRefusal {
            intake.counters.refuse(refusal.code.rawValue, "\(peer()): \(refusal.reason)")
        } catch let refusal as IntakeRefusal {
            intake.counters.refuse(refusal.code.rawValue, "\(peer()): \(refusal.reason)")
        } catch is CancellationError {
            // The end of the server.
        } catch {
            intake.counters.refuse("broken", "\(peer()): \(error)")
        }
    }

    /// A sender that begins a message and does not end it holds a connection that others need.
    private func closeIfStalled(_ channel: any Channel, _ began: MessageStart, _ peer: () -> String) async {
        while (try? await Task.sleep(for: .seconds(5))) != nil {
            guard let start = began.value, ContinuousClock.now - start > options.patience.message else { continue }
            intake.counters.refuse("slow", "\(peer()): a message takes longer than \(options.patience.message)")
            try? await channel.close()
            return
        }
    }

    private func take(_ messages: inout SyslogMessages, _ peer: String) async throws {
        guard !messages.ranges.isEmpty else { return }
        let sender = peer.isEmpty || IPAddress(peer)?.isLoopback == true ? nil : peer
        var lines = intake.lines(options.format)
        try messages.append(to: &lines, sender: sender)
        messages.removeAll()
        do {
            try await keep(lines)
        } catch {
            intake.counters.lose(lines.count)
            throw error
        }
    }

    private func keep(_ lines: ReceivedLines) async throws {
        var said: IntakeRefusal.Code?
        while true {
            while intake.refusal() != nil { try await Task.sleep(for: SyslogStreamReceiver.waitForRoom) }
            var attempt = lines
            do throws(IntakeRefusal) {
                return try await intake.commit(&attempt)
            } catch {
                guard error.code != .failed else { throw error }
                // Nobody hears a refusal over this protocol: what has been read is kept until there is room, and nothing more is read.
                if error.code != said { intake.counters.refuse(error.code.rawValue, error.reason) }
                said = error.code
            }
            try await Task.sleep(for: SyslogStreamReceiver.waitForRoom)
        }
    }
}

/// When the message began that has not ended yet.
private final class MessageStart: Sendable {
    private let start = Mutex<ContinuousClock.Instant?>(nil)

    var value: ContinuousClock.Instant? { start.withLock { $0 } }

    func note() { start.withLock { $0 = $0 ?? .now } }

    func clear() { start.withLock { $0 = nil } }
}

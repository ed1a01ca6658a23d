import Console
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Runs the console on a free port of the loopback for the length of `body`, which speaks to it in raw bytes.
func withServer(_ world: World, _ body: @escaping @Sendable (_ port: Int) async throws -> Void) async throws {
    try await withServer(world) { stop in
        { port in
            try await body(port)
            await stop()
        }
    }
}

/// As above, but `body` stops the server itself, the way SIGTERM does; returns when the server has ended.
func withServer(
    _ world: World,
    stopping body:
        @escaping @Sendable (_ stop: @escaping @Sendable () async -> Void) -> @Sendable (_ port: Int) async throws -> Void
) async throws {
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let application = Application(
        router: world.console.makeRouter(), server: Console.server(idle: .seconds(36_000)),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in found.yield(channel.localAddress?.port ?? 0) }, logger: logger)
    let services = ServiceGroup(configuration: .init(services: [application], logger: logger))
    // A task of its own, stopped gracefully whatever happens: cancelling a server traps in swift-nio when it has accepted a connection
    // that nobody has taken yet.
    let serving = Task {
        defer { found.finish() }
        try await services.run()
    }
    var iterator = ports.makeAsyncIterator()
    let port = await iterator.next(isolation: #isolation) ?? 0
    do {
        try await body { await services.triggerGracefulShutdown() }(port)
    } catch {
        await services.triggerGracefulShutdown()
        try await serving.value
        throw error
    }
    try await serving.value
}

/// One connection: sends `request`, and hands each piece of the answer to `body`.
func withConnection<Result: Sendable>(
    port: Int, sending request: String, _ body: @escaping @Sendable (inout Incoming) async throws -> Result
) async throws -> Result {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(ByteBuffer(string: request))
        var incoming = Incoming(iterator: inbound.makeAsyncIterator())
        return try await body(&incoming)
    }
}

struct Incoming {
    var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private(set) var text = ""

    init(iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.iterator = iterator }

    /// Reads until `marker` has come, or the server closes.
    mutating func read(until marker: String) async throws -> String {
        while !text.contains(marker), let bytes = try await iterator.next(isolation: #isolation) { text += String(buffer: bytes) }
        return text
    }

    mutating func readToEnd() async throws -> String {
        do {
            while let bytes = try await iterator.next(isolation: #isolation) { text += String(buffer: bytes) }
        } catch is IOError {
            // A server that closes while we still send resets the connection; what came before counts.
        }
        return text
    }
}

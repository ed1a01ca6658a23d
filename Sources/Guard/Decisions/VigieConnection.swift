import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks Vigie over HTTP/1.1: one request per connection, the answer as it comes.
struct VigieConnection: Sendable {
    let endpoint: VigieEndpoint
    let vigie: Vigie
    /// After so long without a byte the connection counts as dead: three of Vigie's heartbeats.
    let silence: TimeAmount

    struct Answer {
        let status: Int
        var parts: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator

        /// The next piece of the body; `nil` at its end.
        ///
        /// - Throws: ``VigieFailure`` when the connection ends before the body does.
        mutating func next() async throws -> ByteBuffer? {
            switch try await parts.next(isolation: #isolation) {
            case .body(let buffer): return buffer
            case .end: return nil
            case .head, nil: throw VigieFailure("Vigie's answer broke off")
            }
        }
    }

    /// Requests `path`, and hands the answer to `body`.
    func get<Result: Sendable>(_ path: String, _ body: (inout Answer) async throws -> Result) async throws -> Result {
        let channel = try await connect()
        return try await channel.executeThenClose { inbound, outbound in
            var headers = HTTPHeaders()
            headers.add(name: "host", value: endpoint.host)
            headers.add(name: "authorization", value: "Bearer \(vigie.token)")
            headers.add(name: "accept", value: "application/json, application/x-ndjson")
            headers.add(name: "connection", value: "close")
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: endpoint.base + path, headers: headers)
            try await outbound.write(.head(head))
            try await outbound.write(.end(nil))
            var parts = inbound.makeAsyncIterator()
            while let part = try await parts.next(isolation: #isolation) {
                guard case .head(let head) = part else { break }
                // 1xx announce the real one.
                guard head.status.code >= 200 else { continue }
                var answer = Answer(status: Int(head.status.code), parts: parts)
                return try await body(&answer)
            }
            throw VigieFailure("Vigie closed the connection without an answer")
        }
    }

    private func connect() async throws -> NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart> {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(.seconds(5))
        let initialise:
            @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>> =
                { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if endpoint.isSecure { try vigie.secure?(channel, endpoint.host) }
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(readTimeout: silence))
                        try pipeline.addHandler(CloseWhenIdle())
                        try pipeline.addHTTPClientHandlers()
                        return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        switch endpoint.place {
        case .host(let host, let port): return try await bootstrap.connect(host: host, port: port, channelInitializer: initialise)
        case .socket(let path): return try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: initialise)
        }
    }
}

/// Something that Vigie did or did not; the reason why the connection is tried again.
struct VigieFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

private final class CloseWhenIdle: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}

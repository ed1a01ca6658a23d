import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOTLS

/// Ends a connection whose request does not get on: nothing comes after it was opened, headers do not end, or after an answer that did
/// not wait for the rest of a body that rest does not. How fast a body has to come is for whoever reads it (`BodyPace`). Between two
/// requests a connection may be silent for as long as the server lets idle ones be.
///
/// Used by its channel's event loop only.
final class RequestDeadline: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let patience: ReceiverPatience
    /// A handshake has a time of its own, and the first request begins behind it.
    private let waitsForHandshake: Bool
    private let missed: @Sendable (_ channel: any Channel, _ reason: String) -> Void
    private var deadline: Scheduled<Void>?
    private var isReading = false
    /// Requests that have begun and have no whole answer yet.
    private var unanswered = 0

    init(
        _ patience: ReceiverPatience, waitsForHandshake: Bool,
        missed: @escaping @Sendable (_ channel: any Channel, _ reason: String) -> Void
    ) {
        self.patience = patience
        self.waitsForHandshake = waitsForHandshake
        self.missed = missed
    }

    func channelActive(context: ChannelHandlerContext) {
        if !waitsForHandshake { awaitHeaders(context) }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is BytesArrived { return awaitHeaders(context) }
        if case .handshakeCompleted = event as? TLSUserEvent { awaitHeaders(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            stop()
            isReading = true
            unanswered += 1
        case .body: break
        case .end:
            stop()
            isReading = false
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            unanswered = max(0, unanswered - 1)
            if isReading, unanswered == 0 {
                start(patience.rest, context, "what was left of a refused body did not end within \(patience.rest)")
            }
        }
        context.write(data, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    /// While an earlier request has no answer, nothing more may be being read: that is no fault of the sender's.
    private func awaitHeaders(_ context: ChannelHandlerContext) {
        guard !isReading, unanswered == 0 else { return }
        start(patience.headers, context, "the headers of a request did not come within \(patience.headers)")
    }

    private func start(_ limit: Duration, _ context: ChannelHandlerContext, _ reason: String) {
        guard deadline == nil else { return }
        let channel = context.channel
        let missed = self.missed
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(limit)) {
            missed(channel, reason)
            channel.close(promise: nil)
        }
    }

    private func stop() {
        deadline?.cancel()
        deadline = nil
    }
}

/// Told in front of the bytes themselves, of which a request's parts say nothing until its headers are whole.
private struct BytesArrived {}

/// Used by its channel's event loop only.
private final class ArrivalNotice: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireUserInboundEventTriggered(BytesArrived())
        context.fireChannelRead(data)
    }
}

/// Connections of an HTTP server that have to get on.
struct TimedChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let patience: ReceiverPatience
    let isWithinTLS: Bool
    let refuse: @Sendable (_ code: String, _ channel: any Channel, _ reason: String) -> Void

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        let (patience, isWithinTLS, refuse) = (patience, isWithinTLS, refuse)
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if isWithinTLS {
                try pipeline.addHandler(HandshakeDeadline(limit: patience.handshake) { refuse("handshake", channel, $0) })
            }
            try pipeline.addHandler(ArrivalNotice())
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let deadline = RequestDeadline(patience, waitsForHandshake: isWithinTLS) { refuse("slow", $0, $1) }
            try pipeline.addHandler(deadline, position: .after(decoder))
            return value
        }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

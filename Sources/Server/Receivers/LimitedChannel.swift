import Events
import HummingbirdCore
import Ingest
import Logging
import NIOCore

/// Connections of an HTTP server, of which there are so many at a time. One too many is refused at once: left in the kernel's queue it
/// would wait for those that are open to end, and nobody would know.
struct LimitedChannel<Base: ServerChildChannel>: ServerChildChannel {
    enum Value: ServerChildChannelValue {
        case taken(Base.Value)
        case refused(any Channel)

        var channel: any Channel {
            switch self {
            case .taken(let value): value.channel
            case .refused(let channel): channel
            }
        }
    }

    let base: Base
    let slots: ConnectionSlots
    let proxies: TrustedProxies
    /// Refused connections that are still being answered; `nil` where an answer would need a handshake first.
    let answered: ConnectionSlots?
    let refuse: @Sendable (_ channel: any Channel, _ reason: String) -> Void

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        do throws(ConnectionRefusal) {
            try slots.take(channel, of: proxies.owner(of: channel))
        } catch {
            refuse(channel, error.reason)
            return answer(channel, error)
        }
        channel.closeFuture.whenComplete { [slots] _ in slots.give(channel) }
        return base.setup(channel: channel, logger: logger).map { Value.taken($0) }
    }

    func handle(value: Value, logger: Logger) async {
        if case .taken(let value) = value { await base.handle(value: value, logger: logger) }
    }

    private func answer(_ channel: any Channel, _ refusal: ConnectionRefusal) -> EventLoopFuture<Value> {
        let answered: ConnectionSlots
        do throws(ConnectionRefusal) {
            guard let some = self.answered else { throw refusal }
            try some.take(channel, of: nil)
            answered = some
        } catch {
            // Nothing is set up behind it: swift-nio leaves a connection open whose setup has failed.
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(error)
        }
        channel.closeFuture.whenComplete { _ in answered.give(channel) }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(RefusedConnection(reason: refusal.reason))
            return Value.refused(channel)
        }
    }
}

extension TrustedProxies {
    /// Whose connection it is by its address, which is nobody's where a proxy passes it on.
    func owner(of channel: any Channel) -> IPAddress? {
        guard let address = channel.remoteAddress?.ipAddress.flatMap({ IPAddress($0) }) else { return nil }
        return contains(address) ? nil : address
    }
}

/// Tells a client of HTTP that there are too many connections. Used by its channel's event loop only.
private final class RefusedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What it sends meanwhile is read and let go of: a socket that is closed with something unread is reset, and the answer with it.
    private static let patience = TimeAmount.seconds(2)

    private let reason: String
    private var end: Scheduled<Void>?

    init(reason: String) { self.reason = reason }

    func channelActive(context: ChannelHandlerContext) {
        let text = reason + "; try again later\n"
        let answer =
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: \(text.utf8.count)\r\n"
            + "Retry-After: 5\r\nConnection: close\r\n\r\n\(text)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        end = context.eventLoop.scheduleTask(in: RefusedConnection.patience) { channel.close(promise: nil) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        end?.cancel()
        context.fireChannelInactive()
    }
}

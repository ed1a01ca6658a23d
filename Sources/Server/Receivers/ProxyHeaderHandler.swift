import Events
import HummingbirdCore
import Ingest
import Logging
import NIOCore
import Synchronization

/// Reads the PROXY header of a connection before anything else, TLS included, and then goes. Used by its channel's event loop only.
///
/// Who has to send one, and whose is refused, is told by the peer's address alone: a receiver that took whatever comes would let anybody
/// choose an address (section 4 of the protocol's text).
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let proxies: TrustedProxies
    private let peers: ProxiedPeers
    private let slots: ConnectionSlots
    private let limit: Duration
    private let refuse: @Sendable (_ code: String, _ reason: String) -> Void
    private var pending = ByteBuffer()
    private var isDecided = false
    private var deadline: Scheduled<Void>?

    /// - Parameter limit: how long a header may take.
    init(
        proxies: TrustedProxies, peers: ProxiedPeers, slots: ConnectionSlots, limit: Duration,
        refuse: @escaping @Sendable (_ code: String, _ reason: String) -> Void
    ) {
        self.proxies = proxies
        self.peers = peers
        self.slots = slots
        self.limit = limit
        self.refuse = refuse
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if isTrusted(context) { startDeadline(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDecided else { return context.fireChannelRead(data) }
        pending.writeImmutableBuffer(unwrapInboundIn(data))
        do throws(ReceiverRefusal) {
            switch (try ProxyHeader.read(Array(pending.readableBytesView).span), isTrusted(context)) {
            case (.incomplete, _): startDeadline(context)
            case (.absent, false): pass(context)
            case (.absent, true):
                end(context, "\(peer(context)) is a proxy by 'proxy_protocol', and its connection begins with no PROXY header")
            case (.whole, false):
                end(context, "\(peer(context)) is no proxy by 'proxy_protocol', and its connection begins with a PROXY header")
            case (.whole(let bytes, let source), true):
                if let source, !isAdmitted(source, context) { return }
                pending.moveReaderIndex(forwardBy: bytes)
                pass(context)
            }
        } catch {
            end(context, "\(peer(context)): \(error.reason)")
        }
    }

    /// What may have become a header and has not is what was sent.
    func channelInactive(context: ChannelHandlerContext) {
        if !isDecided, !isTrusted(context) { pass(context) }
        context.fireChannelInactive()
    }

    private func pass(_ context: ChannelHandlerContext) {
        isDecided = true
        if pending.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(pending)) }
        pending = ByteBuffer()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// Whoever stands behind a proxy has a share of the connections, too.
    private func isAdmitted(_ source: IPAddress, _ context: ChannelHandlerContext) -> Bool {
        do throws(ConnectionRefusal) {
            try slots.assign(context.channel, to: source)
        } catch {
            end(context, "\(source): \(error.reason)", code: ConnectionRefusal.code)
            return false
        }
        peers.note(source, behind: context.channel)
        return true
    }

    private func end(_ context: ChannelHandlerContext, _ reason: String, code: String = "proxy") {
        guard !isDecided else { return }
        isDecided = true
        pending = ByteBuffer()
        refuse(code, reason)
        context.close(promise: nil)
    }

    private func startDeadline(_ context: ChannelHandlerContext) {
        guard deadline == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(limit)) {
            let (handler, context) = bound.value
            handler.end(context, "\(handler.peer(context)): a PROXY header did not come within \(handler.limit)")
        }
    }

    private func peer(_ context: ChannelHandlerContext) -> String { context.remoteAddress?.ipAddress ?? "somebody" }

    private func isTrusted(_ context: ChannelHandlerContext) -> Bool {
        context.remoteAddress?.ipAddress.flatMap { IPAddress($0) }.map(proxies.contains) ?? false
    }
}

/// Whose connections they are that proxies pass on. Safe to use from any thread.
final class ProxiedPeers: Sendable {
    private let addresses = Mutex<[ObjectIdentifier: IPAddress]>([:])

    func note(_ address: IPAddress, behind channel: any Channel) {
        addresses.withLock { $0[ObjectIdentifier(channel)] = address }
    }

    /// To be called once nothing is left to be read of a connection: what came before it was closed may be read after.
    func forget(_ channel: any Channel) { addresses.withLock { $0[ObjectIdentifier(channel)] = nil } }

    /// What a proxy has said; `nil` where none has.
    func address(behind channel: any Channel) -> String? { addresses.withLock { $0[ObjectIdentifier(channel)] }?.description }
}

/// Connections of an HTTP server on which a PROXY header may come first.
struct ProxiedChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let proxies: TrustedProxies
    let peers: ProxiedPeers
    let slots: ConnectionSlots
    let limit: Duration
    let refuse: @Sendable (_ code: String, _ reason: String) -> Void

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                ProxyHeaderHandler(proxies: proxies, peers: peers, slots: slots, limit: limit, refuse: refuse))
            channel.closeFuture.whenComplete { [peers] _ in peers.forget(channel) }
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

import Events
import Foundation
import Ingest
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Syslog over UDP (RFC 5426). Nothing is acknowledged over UDP; what the kernel drops is counted.
struct SyslogDatagramReceiver: Sendable {
    let options: SyslogReceiverOptions
    let intake: Intake
    let logger: Logger
    /// What the kernel is asked to keep while it is not read; it gives `net.core.rmem_max` at most.
    private static let receiveBufferBytes = 8 << 20

    /// Runs until cancelled.
    func run(listening: @Sendable (_ port: Int) async -> Void) async throws {
        let intake = self.intake
        let format = options.format
        let channel = try await DatagramBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.socketOption(.so_rcvbuf), value: SyslogDatagramReceiver.receiveBufferBytes)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_535 * 16))
            .channelOption(.datagramVectorReadMessageCount, value: 16)
            .channelOption(.maxMessagesPerRead, value: 16)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SyslogDatagramHandler(intake: intake, format: format))
                }
            }
            .bind(host: options.listen.host, port: options.listen.port).get()
        await listening(channel.localAddress?.port ?? options.listen.port)
        do {
            while true {
                try await Task.sleep(for: .seconds(1))
                await count(channel)
            }
        } catch {
            await count(channel)
            try? await channel.close()
        }
    }

    private func count(_ channel: any Channel) async {
        if let drops = await KernelDrops.of(channel) { intake.counters.setKernelDrops(drops) }
    }
}

/// Datagrams that the kernel has let go for want of room, by `SO_MEMINFO` (socket(7), linux/sock_diag.h).
enum KernelDrops {
    /// `SK_MEMINFO_DROPS` is the last of nine numbers.
    private typealias Numbers = (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)

    static func of(_ channel: any Channel) async -> Int? {
        guard let provider = channel as? any SocketOptionProvider else { return nil }
        let numbers: EventLoopFuture<Numbers> = provider.unsafeGetSocketOption(level: .socket, name: .init(rawValue: 55))
        return try? await numbers.map { Int($0.8) }.get()
    }
}

/// Makes lines of datagrams, and stops reading while too much waits to become durable. Used by its channel's event loop only.
private final class SyslogDatagramHandler: ChannelDuplexHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundIn = AddressedEnvelope<ByteBuffer>

    /// Bytes that may wait for the disk.
    private static let maximumWaitingBytes = 4 << 20
    private static let waitForRoom = TimeAmount.milliseconds(100)

    private let intake: Intake
    private let format: LogFormat
    private var lines: ReceivedLines
    private var waiting = 0
    private var isHeld = false

    init(intake: Intake, format: LogFormat) {
        self.intake = intake
        self.format = format
        lines = intake.lines(format)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        if lines.count == 0 { lines = intake.lines(format) }
        let peer = envelope.remoteAddress.ipAddress ?? ""
        var messages = SyslogMessages()
        let bytes = Array(envelope.data.readableBytesView)
        messages.append(bytes.span)
        do {
            try messages.append(to: &lines, sender: peer.isEmpty || IPAddress(peer)?.isLoopback == true ? nil : peer)
        } catch {
            intake.counters.refuse("too_large", "\(error)")
            intake.counters.lose(1)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard lines.count > 0 else { return }
        let (intake, loop) = (self.intake, context.eventLoop)
        let taken = lines
        lines = intake.lines(format)
        let size = taken.bytes.count
        waiting += size
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        let promise = loop.makePromise(of: Void.self)
        promise.completeWithTask {
            var taken = taken
            try await intake.commit(&taken)
        }
        promise.futureResult.whenComplete { result in
            let (handler, context) = bound.value
            handler.waiting -= size
            if case .failure(let error) = result {
                let code = (error as? IntakeRefusal)?.code.rawValue ?? "disk"
                for _ in 0..<taken.count { handler.intake.counters.refuse(code, "\(error)") }
                handler.intake.counters.lose(taken.count)
            }
            if handler.isHeld { handler.readAgain(context) }
        }
    }

    /// Not asked for while there is no room: the kernel keeps what comes, and counts what it cannot keep.
    func read(context: ChannelHandlerContext) {
        if isHeld { return }
        if waiting > SyslogDatagramHandler.maximumWaitingBytes || intake.refusal() != nil {
            isHeld = true
            if waiting == 0 { look(context) }
            return
        }
        context.read()
    }

    private func readAgain(_ context: ChannelHandlerContext) {
        isHeld = false
        read(context: context)
    }

    /// Looks again whether there is room, where nothing else will call.
    private func look(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: SyslogDatagramHandler.waitForRoom) {
            let (handler, context) = bound.value
            if handler.isHeld, handler.waiting == 0 { handler.readAgain(context) }
        }
    }
}

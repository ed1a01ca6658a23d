import Foundation
import NIOCore
import NIOSSL
import NIOTLS

extension ReceiverTLSOptions {
    /// - Throws: `ServerError` naming the file that cannot be used.
    func configuration() throws -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate)
        } catch {
            throw ReceiverTLSOptions.failure(certificate, "certificate", error)
        }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        } catch {
            throw ReceiverTLSOptions.failure(key, "private key", error)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        if let clientAuthority {
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(clientAuthority))
            } catch {
                throw ReceiverTLSOptions.failure(clientAuthority, "authority of client certificates", error)
            }
            // A sender's name is no host's: the authority alone says who may send.
            configuration.certificateVerification = .noHostnameVerification
        }
        return configuration
    }

    private static func failure(_ path: String, _ what: String, _ error: any Error) -> ServerError {
        ServerError(
            .address,
            "\(path) cannot be used as a \(what): \(FileManager.default.isReadableFile(atPath: path) ? "\(error)" : "it cannot be read")",
            "name a PEM file that Vigie's user may read")
    }
}

/// Closes a connection that does not finish its TLS handshake in time. Used by its channel's event loop only.
final class HandshakeDeadline: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private let limit: Duration
    private let missed: @Sendable (_ reason: String) -> Void
    private var deadline: Scheduled<Void>?

    init(limit: Duration, missed: @escaping @Sendable (_ reason: String) -> Void) {
        self.limit = limit
        self.missed = missed
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let (limit, missed) = (self.limit, self.missed)
        deadline = context.eventLoop.scheduleTask(in: TimeAmount(limit)) {
            missed("a TLS handshake did not finish within \(limit)")
            channel.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent { deadline?.cancel() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }
}
